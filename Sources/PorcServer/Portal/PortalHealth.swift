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
    var held: [PortalEntity.Kind: RemovalShare] = [:]
    var written = 0

    /// It has answered, so it is there.
    ///
    /// - Returns: how long it was away, if it was.
    mutating func isBack() -> Duration? {
      defer { (awaySince, toldAt, failures, faults) = (nil, nil, 0, 0) }
      return awaySince.map { .now - $0 }
    }
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
        reason: $0.awaySince == nil ? nil : $0.reason, written: $0.written,
        held: $0.held.values.reduce(0) { $0 + $1.removals })
    }
  }

  var isAway: Bool { state.withLock { $0.awaySince != nil } }

  /// How long it should be left alone; `nil` where it answers.
  var rest: Duration? {
    state.withLock { $0.awaySince == nil ? nil : max(.zero, $0.restsUntil - .now) }
  }

  /// It took entities.
  ///
  /// - Returns: how long it was away, if it was.
  func answered(_ count: Int) -> Duration? {
    state.withLock { state in
      state.written += count
      return state.isBack()
    }
  }

  /// A call failed.
  ///
  /// - Returns: whether that is the portal's failure rather than that of what was sent.
  func failed(_ error: PortError) -> Bool {
    state.withLock { state in
      if error.kind == .server, error.status == 500 {
        state.faults += 1
        guard state.faults > Self.toleratedFaults * PortalCall.bulk else { return false }
      } else if !error.isAboutThePortal {
        _ = state.isBack()
        return false
      }
      let now = ContinuousClock.now
      state.reason = "\(error)"
      // Calls that were under way at once fail at once: they count as one.
      guard state.awaySince == nil || now >= state.restsUntil else { return true }
      state.awaySince = state.awaySince ?? now
      state.failures += 1
      var random = SystemRandomNumberGenerator()
      let rest = Self.backoff.delay(attempt: state.failures, using: &random)
      state.restsUntil = now + max(rest, error.retryAfter ?? .zero)
      return true
    }
  }

  /// Whether it is time to say that the portal is away: at once, then every minute.
  var isToldAgain: Bool {
    state.withLock { state in
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
  fileprivate var isAboutThePortal: Bool {
    switch kind {
    case .unauthorized, .forbidden, .rateLimited, .transport, .unexpectedAnswer, .server: true
    case .badRequest, .notFound, .conflict, .tooLarge, .unprocessable: false
    }
  }
}
