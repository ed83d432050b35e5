import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import ServiceLifecycle

/// Closes the difference between what the portal should show and what it last acknowledged: newest state first, in bulk,
/// for as long as it takes. An entity that the portal refuses holds up no other, and a portal that is away is asked by
/// one call at a time until it is back.
struct PortalSync: Service {
  let store: any Store
  let writer: PortalWriter
  /// Brings the portal to what PORC needs there, before anything is written; `nil` where that is left to somebody.
  let setUp: (@Sendable () async throws -> Void)?
  let health: PortalHealth
  /// Which share of a kind's entities may go at once, from 0 to 1.
  let removalLimit: Double
  let doorbell: Doorbell
  let logger: Logger

  /// How many calls are under way at once. Port allows some hundred a second, and answers in tens of milliseconds.
  private static let width = 16
  /// Fewer than these may go at once, whatever their share: a handful says nothing of what is wrong.
  static let freeRemovals = 20
  /// The shortest time from one pass to the next: what changes meanwhile travels in one call.
  private static let pace = Duration.milliseconds(20)
  private static let awayBackoff = Backoff(base: .milliseconds(500), ceiling: .seconds(2))
  /// What the portal refuses of the set-up comes right only when somebody changes something.
  private static let refusedBackoff = Backoff(base: .milliseconds(500), ceiling: .seconds(60))

  /// What a pass leaves to do.
  enum Rest: Equatable {
    /// More is due.
    case more
    /// Little was due; what comes now may gather for a moment.
    case short
    /// Nothing is due.
    case untilChange
    /// The portal is away.
    case away(Duration)
  }

  func run() async throws {
    guard let setUp else { return try await write() }
    // Without its blueprints the portal would refuse every entity, so nothing else is begun while it is away.
    var attempts = 1
    var error = await failure(of: setUp)
    while let away = error as? PortError, away.isRetryable {
      guard await pause(Self.awayBackoff, after: attempts, away) else { return }
      attempts += 1
      error = await failure(of: setUp)
    }
    try await withThrowingTaskGroup(of: Void.self) { [error] group in
      if let error { group.addTask { await persist(setUp, after: error) } }
      // What can be shown is shown meanwhile.
      try await write()
      group.cancelAll()
    }
  }

  private func write() async throws {
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      let seen = doorbell.count
      let start = ContinuousClock.now
      do {
        switch try await pass() {
        case .more: continue
        case .short: try await Task.sleep(until: start + Self.pace)
        case .away(let rest): try await wait(rest)
        case .untilChange:
          let due = min(try await store.untilNextDifference() ?? 1, 1)
          await doorbell.wait(since: seen, upTo: .seconds(max(due, 0.01)))
        }
      } catch is CancellationError {
        return
      } catch {
        logger.error("the portal's backlog cannot be read", metadata: ["error": "\(error)"])
        await doorbell.wait(since: seen, upTo: .seconds(1))
      }
    }
  }

  /// Whatever changes meanwhile, the portal is not asked sooner.
  private func wait(_ rest: Duration) async throws {
    let end = ContinuousClock.now + rest
    while ContinuousClock.now < end, !doorbell.isOver {
      await doorbell.wait(since: doorbell.count, upTo: end - .now)
      try Task.checkCancellation()
    }
  }

  /// Tries once to set the portal up.
  ///
  /// - Returns: why it should be tried again; `nil` where that would change nothing.
  private func failure(of setUp: @Sendable () async throws -> Void) async -> (any Error)? {
    do {
      try await setUp()
    } catch is CancellationError {
      return nil
    } catch let fault as Fault where fault.code == .wrongState {
      // Something there is in PORC's way, and for somebody to decide.
      logger.error("the portal cannot be set up", metadata: ["error": "\(fault)", "fix": "look at it: porc doctor"])
    } catch {
      logger.warning(
        "the portal cannot be set up yet", metadata: ["error": "\(error)", "fix": "look at it: porc doctor"])
      return error
    }
    return nil
  }

  private func persist(_ setUp: @Sendable () async throws -> Void, after error: any Error) async {
    var attempts = 1
    var last: (any Error)? = error
    while let error = last, await pause(Self.refusedBackoff, after: attempts, error) {
      attempts += 1
      last = await failure(of: setUp)
    }
  }

  /// - Returns: whether to go on.
  private func pause(_ backoff: Backoff, after attempts: Int, _ error: any Error) async -> Bool {
    var random = SystemRandomNumberGenerator()
    let delay = max(backoff.delay(attempt: attempts, using: &random), (error as? PortError)?.retryAfter ?? .zero)
    do { try await wait(delay) } catch { return false }
    return !doorbell.isOver && !Task.isCancelled
  }

  /// One pass over what is due, with at most ``width`` calls at a time. Templates come before the instances that relate
  /// to them.
  func pass() async throws -> Rest {
    if health.isAway { return try await probe() }
    var calls: [PortalCall] = []
    var rests: [Duration] = []
    for kind in PortalEntity.Kind.writingOrder {
      let rest = health.rest(of: kind)
      if let rest, rest > .zero {
        rests.append(rest)
        continue
      }
      var ofKind = try await self.calls(kind, limit: rest == nil ? Self.width * PortalCall.bulk : PortalCall.bulk)
      if rest != nil {
        if ofKind.isEmpty { health.needsNothing(of: kind) }
        ofKind = Array(ofKind.prefix(1))
      }
      try await make(ofKind)
      calls += ofKind
      if !ofKind.isEmpty, let rest = health.rest { return .away(rest) }
    }
    if calls.isEmpty { return rests.min().map(Rest.away) ?? .untilChange }
    return calls.contains { $0.differences.count == PortalCall.bulk } || calls.count >= Self.width ? .more : .short
  }

  /// One call, to see whether the portal is back: with other entities than those before, since it may be one of these that
  /// gets no answer.
  private func probe() async throws -> Rest {
    for isAgain in [false, true] {
      if isAgain { health.tryAgain() }
      for kind in PortalEntity.Kind.writingOrder where health.rest(of: kind) ?? .zero <= .zero {
        let limit = health.triedCount + PortalCall.bulk
        guard let call = try await calls(kind, limit: limit, { !health.hasTried($0) }).first else { continue }
        try await make([call])
        return health.rest.map(Rest.away) ?? .more
      }
    }
    return .untilChange
  }

  private func calls(
    _ kind: PortalEntity.Kind, limit: Int, _ isMeant: (PortalDifference) -> Bool = { _ in true }
  ) async throws -> [PortalCall] {
    let writes = PortalCall.writes(
      try await store.differences(kind, limit: limit).filter(isMeant), isPlain: writer.isPlain,
      isSuspect: health.isSuspect)
    let removals = try await removals(kind).filter(isMeant)
    return writes + PortalCall.removals(removals, besides: writes, isSuspect: health.isSuspect)
  }

  private func make(_ calls: [PortalCall]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, call) in calls.enumerated() {
        if index >= Self.width { try await group.next() }
        if health.isAway && index > 0 { break }
        group.addTask { try await writer.make(call) }
      }
      try await group.waitForAll()
    }
  }

  /// What should go, unless it is so much that somebody should look first: a source that was read wrongly must not empty
  /// the portal.
  private func removals(_ kind: PortalEntity.Kind) async throws -> [PortalDifference] {
    let share = try await store.removalShare(kind)
    let isHeld = share.isHeld(beyond: removalLimit)
    if health.hold(isHeld ? share : nil, of: kind) {
      logger.warning(
        "so many entities should go from the portal at once that they are kept until somebody confirms it",
        metadata: [
          "kind": "\(kind.rawValue)", "removals": "\(share.removals)", "shown": "\(share.shown)",
          "fix": "see them with porc port diff, then: porc port sync --confirm-removals",
        ])
    }
    return try await store.removals(kind, confirmed: isHeld, limit: PortalCall.bulkRemoval)
  }
}

extension RemovalShare {
  /// Whether so much should go that somebody should confirm it first.
  func isHeld(beyond limit: Double) -> Bool {
    removals >= PortalSync.freeRemovals && Double(removals) > Double(shown) * limit
  }
}

extension PortalEntity.Kind {
  /// Instances relate to templates, which must be there first.
  static let writingOrder: [PortalEntity.Kind] = [.template, .instance]
}
