import Synchronization

/// A number of places. Whoever finds none free waits for the next, in the order in which they lined up.
final class Slots: Sendable {
  /// A place in the line.
  struct Ticket: Sendable {
    fileprivate let number: Int
  }

  private struct State {
    var free: Int
    var next = 0
    /// Tickets that have no place yet, in order; with who waits for it already, if anybody.
    var line: [(number: Int, waiter: CheckedContinuation<Void, Never>?)] = []
  }
  private let state: Mutex<State>

  init(_ count: Int) {
    state = Mutex(State(free: max(1, count)))
  }

  /// Lines up, without waiting. Each ticket must be used, once.
  func lineUp() -> Ticket {
    state.withLock { state in
      state.next += 1
      if state.free > 0 {
        state.free -= 1
      } else {
        state.line.append((state.next, nil))
      }
      return Ticket(number: state.next)
    }
  }

  /// Runs `body` in a place of its own.
  func occupy<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    try await occupy(lineUp(), body)
  }

  /// Runs `body` when it is the ticket's turn.
  func occupy<Result>(_ ticket: Ticket, _ body: () async throws -> Result) async rethrows -> Result {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard let index = state.line.firstIndex(where: { $0.number == ticket.number }) else { return true }
        state.line[index].waiter = continuation
        return false
      }
      if isFree { continuation.resume() }
    }
    defer { release() }
    return try await body()
  }

  private func release() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.line.isEmpty else {
        state.free += 1
        return nil
      }
      // Its owner may not have come yet: then it finds itself out of the line.
      return state.line.removeFirst().waiter
    }
    next?.resume()
  }
}
