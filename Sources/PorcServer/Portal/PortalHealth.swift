import PorcCore
import PorcStore
import PortPortal
import Retry
import Synchronization

/// Whether the portal answers, as the writes to it show. A failure that would meet every other call too is the portal's,
/// not the entity's: then it is asked by one call at a time, after a rest.
final class PortalHealth: Sendable {
  private struct State {
    var awaySince: ContinuousClock.Instant?
    var restsUntil = ContinuousClock.now
    var failures = 0
    /// Answers with status 500 in a row. One entity may be what breaks Port, so the first are held against entities.
    var faults = 0
    var reason: String?
    var toldAt: ContinuousClock.Instant?
    var suspects = PortalSuspects()
    var lacks: [PortalEntity.Kind: Lack] = [:]
    /// Those that wait for what they relate to: they break no call.
    var waiting: Set<PortalKey> = []
    var held: [PortalEntity.Kind: RemovalShare] = [:]
    var written = 0

    /// It has answered, so it is there.
    ///
    /// - Returns: how long it was away, if it was.
    mutating func isBack() -> Duration? {
      suspects.release()
      defer { (awaySince, toldAt, failures, faults) = (nil, nil, 0, 0) }
      return toldAt == nil ? nil : awaySince.map { .now - $0 }
    }
  }

  /// A blueprint that is not there.
  private struct Lack {
    var reason: String
    var failures = 0
    var restsUntil = ContinuousClock.now
    var toldAt: ContinuousClock.Instant?
  }

  private let state = Mutex(State())

  /// While the portal is away it is asked every two seconds at least: it should be right soon after it is back.
  private static let backoff = Backoff(base: .milliseconds(200), ceiling: .seconds(2))
  private static let toleratedFaults = 3

  /// What `/metrics` and `porc doctor` say.
  struct Reading: Sendable {
    /// Why it is away; `nil` where it answers.
    var reason: String?
    /// Entities that it took.
    var written: Int
    /// Removals that wait for somebody's word.
    var held: Int
  }

  var reading: Reading {
    state.withLock {
      Reading(
        reason: ($0.awaySince == nil || !$0.suspects.areMany ? nil : $0.reason) ?? $0.lacks.values.first?.reason,
        written: $0.written,
        held: $0.held.values.reduce(0) { $0 + $1.removals })
    }
  }

  var isAway: Bool { state.withLock { $0.awaySince != nil } }

  /// How long it should be left alone; `nil` where it answers.
  var rest: Duration? {
    state.withLock { $0.awaySince == nil ? nil : max(.zero, $0.restsUntil - .now) }
  }

  /// How long a kind should be left alone since its blueprint is not there; `nil` where it is.
  func rest(of kind: PortalEntity.Kind) -> Duration? {
    state.withLock { $0.lacks[kind].map { max(.zero, $0.restsUntil - .now) } }
  }

  /// It took entities.
  ///
  /// - Returns: how long it was away, if it was.
  func took(_ differences: [PortalDifference]) -> Duration? {
    state.withLock { state in
      state.written += differences.count
      for difference in differences {
        state.suspects.acquit(PortalKey(difference))
        state.waiting.remove(PortalKey(difference))
      }
      if let kind = differences.first?.kind { state.lacks[kind] = nil }
      return state.isBack()
    }
  }

  /// Entities of one call failed.
  ///
  /// - Parameter count: how many were in the call.
  /// - Returns: those whose own failure it is. Of the others it is the portal's.
  func failed(_ failures: [PortalFailure], of count: Int) -> [PortalFailure] {
    state.withLock { state in
      // An answer that refuses each of many entities for the same outer reason is no word on any of them.
      let isOfAll = count > 1 && failures.count == count && failures.allSatisfy { $0.error.isAboutThePortal }
      var own: [PortalFailure] = []
      var lost: [PortalFailure] = []
      for failure in failures {
        let error = failure.error
        if error.status == 500, !error.isOfItem { state.faults += 1 }
        let isFault = error.status == 500 && state.faults <= Self.toleratedFaults * PortalCall.bulk
        let isOwn = isFault || !error.isAboutThePortal || error.isOfItem && !isOfAll
        if isOwn { own.append(failure) } else { lost.append(failure) }
      }
      for failure in own where failure.isWaiting { state.waiting.insert(PortalKey(failure.difference)) }
      if own.contains(where: { $0.error.status != 500 || $0.error.isOfItem }) { _ = state.isBack() }
      if let item = own.first(where: \.error.isOfItem) { state.lacks[item.difference.kind] = nil }
      guard let error = lost.first?.error else { return own }
      if state.awaySince == nil, state.suspects.areKnown(lost) { return own + lost }
      let now = ContinuousClock.now
      state.reason = "\(error)"
      state.suspects.note(lost)
      // Calls that were under way at once fail at once: they count as one.
      guard state.awaySince == nil || now >= state.restsUntil else { return own }
      state.awaySince = state.awaySince ?? now
      state.failures += 1
      state.restsUntil = now + Self.rest(after: state.failures, error)
      return own
    }
  }

  private static func rest(after failures: Int, _ error: PortError) -> Duration {
    var random = SystemRandomNumberGenerator()
    return max(backoff.delay(attempt: failures, using: &random), error.retryAfter ?? .zero)
  }

  /// The blueprint of a kind is not there.
  ///
  /// - Returns: whether it is time to say so: at once, then every minute.
  func lacks(_ kind: PortalEntity.Kind, _ error: PortError) -> Bool {
    state.withLock { state in
      _ = state.isBack()
      let now = ContinuousClock.now
      var lack = state.lacks[kind] ?? Lack(reason: "\(error)")
      defer { state.lacks[kind] = lack }
      if now >= lack.restsUntil {
        lack.failures += 1
        lack.restsUntil = now + Self.rest(after: lack.failures, error)
      }
      if let told = lack.toldAt, now - told < .seconds(60) { return false }
      lack.toldAt = now
      return true
    }
  }

  /// Nothing of a kind is due, so it does not matter whether its blueprint is there.
  func needsNothing(of kind: PortalEntity.Kind) { state.withLock { $0.lacks[kind] = nil } }

  // MARK: Entities that may be to blame

  /// Whether an entity may break a call.
  func isSuspect(_ difference: PortalDifference) -> Bool {
    state.withLock { state in
      let key = PortalKey(difference)
      return difference.attempts > 0 && !state.waiting.contains(key) || state.suspects.isKnown(key)
    }
  }

  /// Whether a call with this entity failed since the portal is away and it is not its turn again.
  func hasTried(_ difference: PortalDifference) -> Bool {
    state.withLock { $0.suspects.tried.contains(PortalKey(difference)) }
  }

  var triedCount: Int { state.withLock { $0.suspects.tried.count } }

  /// All that is due was tried while the portal is away: it is their turn again.
  func tryAgain() { state.withLock { $0.suspects.tryAgain() } }

  /// Those that did not get through, again and again, while the portal answered others: it is their own failure.
  func released() -> [PortalFailure] { state.withLock { $0.suspects.takeReleased() } }

  /// Whether entities wait for what they relate to.
  var isWaitedFor: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Whether it is time to say that the portal is away: at once, then every minute.
  var isToldAgain: Bool {
    state.withLock { state in
      guard state.suspects.areMany else { return false }
      let now = ContinuousClock.now
      if let told = state.toldAt, now - told < .seconds(60) { return false }
      state.toldAt = now
      return true
    }
  }

  /// Notes which removals wait for somebody's word.
  ///
  /// - Returns: whether that is news.
  func hold(_ share: RemovalShare?, of kind: PortalEntity.Kind) -> Bool {
    state.withLock { state in
      let isNew = share != nil && state.held[kind] == nil
      state.held[kind] = share
      return isNew
    }
  }
}

extension PortError {
  /// Whether the reason lies outside of what was sent, so that the next call would meet it too.
  var isAboutThePortal: Bool {
    switch kind {
    case .unauthorized, .forbidden, .rateLimited, .transport, .unexpectedAnswer, .server: true
    case .badRequest, .notFound, .conflict, .tooLarge, .unprocessable: false
    }
  }
}
