import ServiceLifecycle
import Synchronization

/// Tells whoever asks which port the server got, once it listens.
final class Announcement: Sendable {
  private let state = Mutex(State())

  private struct State {
    var result: Result<Int, any Error>?
    var waiters: [CheckedContinuation<Int, any Error>] = []
  }

  func announce(port: Int) { settle(.success(port)) }
  func fail(_ error: any Error) { settle(.failure(error)) }

  func port() async throws -> Int {
    try await withCheckedThrowingContinuation { continuation in
      let result = state.withLock { state in
        if state.result == nil { state.waiters.append(continuation) }
        return state.result
      }
      if let result { continuation.resume(with: result) }
    }
  }

  private func settle(_ result: Result<Int, any Error>) {
    let waiters = state.withLock { state in
      guard state.result == nil else { return [CheckedContinuation<Int, any Error>]() }
      state.result = result
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(with: result) }
  }
}

/// The server that listens. Whoever waits for its port learns at once that there will be none: it would wait for ever, and
/// the server for it.
struct Listener: Service {
  let server: any Service
  let address: Announcement

  func run() async throws {
    do {
      try await server.run()
      address.fail(CancellationError())
    } catch {
      address.fail(error)
      throw error
    }
  }
}
