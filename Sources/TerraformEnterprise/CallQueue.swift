import Synchronization

/// The calls that wait under one of TFE's limits, and the meter that lets them go: by priority, and of one priority the
/// earliest first. So that none waits for ever, one in eight is the one that waits longest, once that is more than ten
/// seconds.
final class CallQueue: Sendable {
  private struct Waiter {
    var id: Int
    var since: Duration
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var meter: RateMeter
    /// By rank of the priority, each the earliest first.
    var waiting = CallPriority.allCases.map { _ in [Waiter]() }
    var lastID = 0
    /// How many were served since the last that owed it to its patience.
    var servedInTurn = 0
    /// Whether somebody sleeps until the next may go.
    var hasPump = false

    var isEmpty: Bool { waiting.allSatisfy(\.isEmpty) }
  }

  private let state: Mutex<State>
  /// Since any fixed moment.
  private let now: @Sendable () -> Duration
  private let sleep: @Sendable (Duration) async throws -> Void

  private static let patience = Duration.seconds(10)
  private static let turns = 8

  init(_ meter: RateMeter, clock: any Clock<Duration>) {
    state = Mutex(State(meter: meter))
    now = Self.elapsed(on: clock)
    sleep = { try await clock.sleep(for: $0) }
  }

  /// Instants of an `any Clock` cannot be compared; durations can.
  private static func elapsed<C: Clock>(on clock: C) -> @Sendable () -> Duration where C.Duration == Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
  }

  // MARK: Going and waiting

  /// Returns when the call may be made; it has begun then.
  ///
  /// - Throws: `CancellationError`; then it has not.
  func enter(_ priority: CallPriority) async throws {
    try Task.checkCancellation()
    let since = now()
    let id: Int? = state.withLock { state in
      // As long as somebody waits, everybody does: nobody is overtaken here.
      if state.isEmpty, let next = state.meter.next(at: since), next <= since {
        state.meter.begin(at: since)
        return nil
      }
      state.lastID += 1
      return state.lastID
    }
    guard let id else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCanceled = state.withLock { state in
          // Either the handler below has run already, or it will find the waiter.
          if Task.isCancelled { return true }
          state.waiting[priority.rank].append(Waiter(id: id, since: since, continuation: continuation))
          return false
        }
        if isCanceled { continuation.resume(throwing: CancellationError()) } else { serve() }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let index = state.waiting[priority.rank].firstIndex(where: { $0.id == id }) else { return nil }
        return state.waiting[priority.rank].remove(at: index)
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }

  /// A call that was let go has ended.
  ///
  /// - Parameter change: what it taught about the limit.
  func end(_ change: (inout RateMeter, _ now: Duration) -> Void = { _, _ in }) {
    let now = now()
    state.withLock { state in
      state.meter.end(at: now)
      change(&state.meter, now)
    }
    serve()
  }

  /// A call that was let go was not made after all.
  func giveBack() {
    state.withLock { $0.meter.giveBack() }
    serve()
  }

  /// Lets go whom it may, and sees to it that the others' time comes.
  private func serve() {
    let needsPump = state.withLock { state in
      guard !state.isEmpty, Self.letGo(&state, now()) != nil, !state.hasPump else { return false }
      state.hasPump = true
      return true
    }
    // One sleep for all, whoever of them leaves; it ends with the last.
    if needsPump { Task { await pump() } }
  }

  private func pump() async {
    while true {
      let wait = state.withLock { state -> Duration? in
        let wait = Self.letGo(&state, now())
        if wait == nil { state.hasPump = false }
        return wait
      }
      guard let wait else { return }
      try? await sleep(wait)  // nobody cancels it
    }
  }

  /// - Returns: how long until the next may go; `nil` if nobody waits, or if a call must end before: its end asks again.
  private static func letGo(_ state: inout State, _ now: Duration) -> Duration? {
    while let next = state.meter.next(at: now) {
      guard !state.isEmpty else { return nil }
      guard next <= now else { return next - now }
      guard let waiter = choose(&state, now) else { return nil }
      state.meter.begin(at: now)
      waiter.continuation.resume()
    }
    return nil
  }

  private static func choose(_ state: inout State, _ now: Duration) -> Waiter? {
    let ranks = state.waiting.indices.filter { !state.waiting[$0].isEmpty }
    guard let first = ranks.first,
      let oldest = ranks.min(by: { state.waiting[$0][0].since < state.waiting[$1][0].since })
    else { return nil }
    state.servedInTurn += 1
    guard oldest != first, state.servedInTurn >= turns, now - state.waiting[oldest][0].since > patience else {
      return state.waiting[first].removeFirst()
    }
    state.servedInTurn = 0
    return state.waiting[oldest].removeFirst()
  }

  // MARK: Looking at it

  struct Reading {
    var limit: Int?
    var remaining: Int?
    var waiting: [CallPriority: Int]
    var longestWait: Duration
  }

  var reading: Reading {
    let now = now()
    return state.withLock { state in
      Reading(
        limit: state.meter.limit, remaining: state.meter.remaining(at: now),
        waiting: Dictionary(uniqueKeysWithValues: CallPriority.allCases.map { ($0, state.waiting[$0.rank].count) }),
        longestWait: state.waiting.compactMap(\.first?.since).min().map { now - $0 } ?? .zero)
    }
  }

  /// How long a call of this priority would wait if it came now.
  func delay(for priority: CallPriority) -> Duration {
    let now = now()
    return state.withLock { state in
      let ahead = state.waiting[...priority.rank].reduce(0) { $0 + $1.count }
      return state.meter.delay(behind: ahead, at: now)
    }
  }
}
