import Synchronization

/// Where a server listens, as something to wait for.
final class Listening: Sendable {
  private enum State {
    case waiting([Int: CheckedContinuation<String, any Error>])
    case settled(Result<String, any Error>)
  }
  private let state = Mutex(State.waiting([:]))
  private let counter = Mutex(0)

  /// `http://HOST:PORT`, as soon as the server listens. Throws what kept it from listening.
  func baseURL() async throws -> String {
    let number = counter.withLock { counter in
      counter += 1
      return counter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<String, any Error>? = state.withLock { state in
          switch state {
          case .waiting(var waiters):
            if Task.isCancelled { return .failure(CancellationError()) }
            waiters[number] = continuation
            state = .waiting(waiters)
            return nil
          case .settled(let result): return result
          }
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let waiter: CheckedContinuation<String, any Error>? = state.withLock { state in
        guard case .waiting(var waiters) = state else { return nil }
        let waiter = waiters.removeValue(forKey: number)
        state = .waiting(waiters)
        return waiter
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  func succeed(host: String, port: Int) {
    settle(.success("http://\(host.contains(":") ? "[\(host)]" : host):\(port)"))
  }

  /// Does nothing where the address is known already.
  func fail(_ error: any Error) { settle(.failure(error)) }

  private func settle(_ result: Result<String, any Error>) {
    let waiters: [CheckedContinuation<String, any Error>] = state.withLock { state in
      guard case .waiting(let waiters) = state else { return [] }
      state = .settled(result)
      return Array(waiters.values)
    }
    for waiter in waiters { waiter.resume(with: result) }
  }
}
