import Foundation
import Testing

@testable import PortPortal

/// What cannot be arranged from outside: who waits for a fetch at which moment.
@Suite(.timeLimit(.minutes(1)))
struct TokenCacheTests {
  private let token = TokenCache.Token(accessToken: "t", expiresIn: 100, tokenType: "Bearer")

  @Test func aCallerWhoLeavesDoesNotTakeTheTokenFromTheOthers() async throws {
    let (fetches, fetching) = AsyncStream.makeStream(of: Void.self)
    let (gate, opener) = AsyncStream.makeStream(of: Void.self)
    let cache = TokenCache(margin: 10, now: { Date() }) { [token] in
      fetching.yield()
      for await _ in gate { break }
      try Task.checkCancellation()
      return token
    }
    let leaving = Task { try await cache.authorization() }
    for await _ in fetches { break }
    let staying = Task { try await cache.authorization() }
    while await cache.waiting < 2 { await Task.yield() }
    leaving.cancel()
    while await cache.waiting > 1 { await Task.yield() }
    opener.yield()
    #expect(try await staying.value == "Bearer t")
  }

  @Test func aFetchThatNobodyWaitsForEnds() async throws {
    let (fetches, fetching) = AsyncStream.makeStream(of: Void.self)
    let cache = TokenCache(margin: 10, now: { Date() }) { [token] in
      fetching.yield()
      try await Task.sleep(for: .seconds(3600))
      return token
    }
    let leaving = Task { try await cache.authorization() }
    for await _ in fetches { break }
    leaving.cancel()
    await #expect(throws: CancellationError.self) { try await leaving.value }
  }
}
