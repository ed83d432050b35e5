import Synchronization

/// Lets one caller at a time do its work, in the order in which they came. Who is cancelled while waiting leaves.
final class Turn: Sendable {
  private struct Waiting {
    let number: Int
    let continuation: CheckedContinuation<Bool, Never>
  }
  private struct State {
    var isTaken = false
    var waiting: [Waiting] = []
    var cancelled: Set<Int> = []
    var next = 0
  }
  private let state = Mutex(State())

  func take<Value: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
  ) async throws -> Value {
    guard await wait() else { throw CancellationError() }
    defer { pass() }
    return try await work()
  }

  /// - Returns: whether it is the caller's turn now; false if it was cancelled.
  private func wait(isolation: isolated (any Actor)? = #isolation) async -> Bool {
    let number = state.withLock { state in
      defer { state.next += 1 }
      return state.next
    }
    // A cancellation that came too late for the queue leaves its number behind.
    defer { state.withLock { _ = $0.cancelled.remove(number) } }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isMine: Bool? = state.withLock { state in
          if state.cancelled.remove(number) != nil { return false }
          guard state.isTaken else {
            state.isTaken = true
            return true
          }
          state.waiting.append(Waiting(number: number, continuation: continuation))
          return nil
        }
        if let isMine { continuation.resume(returning: isMine) }
      }
    } onCancel: {
      let waiting: Waiting? = state.withLock { state in
        guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
          state.cancelled.insert(number)
          return nil
        }
        return state.waiting.remove(at: index)
      }
      waiting?.continuation.resume(returning: false)
    }
  }

  private func pass() {
    let next: Waiting? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isTaken = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.continuation.resume(returning: true)
  }
}
