import Foundation
import PorcCore
import PorcStore
import Testing

@Suite struct TokenStoreTests {
  private let laptop = TokenRecord(id: "tok-1", name: "laptop", scopes: [.submit, .plan], createdAt: Bench.start)

  @Test(arguments: StoreKind.all)
  func aTokenIsFoundByItsHashUntilItIsRevoked(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.createToken(laptop, hash: Data([1, 2]))
    #expect(try await bench.store.token(hash: Data([1, 2])) == laptop)
    #expect(try await bench.store.token(hash: Data([1, 3])) == nil)

    bench.clock.advance(by: 60)
    #expect(try await bench.store.revokeToken(named: "laptop"))
    #expect(try await bench.store.token(hash: Data([1, 2])) == nil)
    #expect(try await bench.store.revokeToken(named: "laptop") == false)
    var revoked = laptop
    revoked.revokedAt = Bench.start + 60
    #expect(try await bench.store.tokens() == [revoked])
  }

  @Test(arguments: StoreKind.all)
  func aNameIsFreeAgainOnceItsTokenIsRevoked(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.createToken(laptop, hash: Data([1]))
    var second = laptop
    second.id = "tok-0"
    second.createdAt += 1
    let error = await #expect(throws: StoreError.self) { try await bench.store.createToken(second, hash: Data([2])) }
    guard case .unusable(let message, _) = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(message.contains("'laptop'"))
    #expect(try await bench.store.revokeToken(named: "tok-1"), "by its id")
    try await bench.store.createToken(second, hash: Data([2]))
    #expect(try await bench.store.tokens().map(\.id) == ["tok-1", "tok-0"], "oldest first")
  }

  @Test(arguments: StoreKind.all)
  func anIDIsMeantBeforeAName(kind: StoreKind) async throws {
    let bench = try await Bench(kind)
    try await bench.store.createToken(laptop, hash: Data([1]))
    let disguised = TokenRecord(id: "tok-2", name: "tok-1", scopes: [.admin], createdAt: Bench.start)
    try await bench.store.createToken(disguised, hash: Data([2]))
    #expect(try await bench.store.revokeToken(named: "tok-1"))
    #expect(try await bench.store.token(hash: Data([2])) == disguised)
  }
}
