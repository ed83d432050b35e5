import Crypto
import Foundation
import HTTPTypes
import ModuleRegistry
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DownloadTests {
  let registry: Registry
  let other = ScriptedServer()
  static let bytes = [UInt8](0...255)

  init() throws { registry = try Registry() }

  /// Finds the archive at `source` and fetches it.
  private func download(
    _ source: String, _ change: @escaping @Sendable (inout RegistryClient.Configuration) -> Void = { _ in }
  ) async throws -> [UInt8] {
    registry.place(source)
    return try await registry.serve(change) { client in
      let archive = try #require(try await client.location(of: registry.module, version: "1.0.0").archive)
      return try await client.download(archive)
    }
  }

  private func error(
    _ source: String, _ change: @escaping @Sendable (inout RegistryClient.Configuration) -> Void = { _ in }
  ) async throws -> RegistryError? {
    do {
      _ = try await download(source, change)
      return nil
    } catch let error as RegistryError {
      return error
    }
  }

  @Test func anArchiveElsewhereGetsNoToken() async throws {
    other.on("GET /o/net", .status(200, body: Self.bytes))
    let bytes = try await other.serve { elsewhere in try await download("\(elsewhere)/o/net?archive=tar.gz&sig=s") }
    #expect(bytes == Self.bytes)
    #expect(other.requests[0].headers[.authorization] == nil)
    #expect(other.requests[0].query == "sig=s")
    #expect(registry.server.requests.last?.headers[.authorization] == "Bearer \(Registry.token)")
  }

  @Test func anArchiveOnTheSameHostGetsNoneEither() async throws {
    registry.server.on("GET /_archivist/1", .status(200, body: Self.bytes))
    #expect(try await download("/_archivist/1?archive=tar.gz") == Self.bytes)
    #expect(registry.server.requests.last?.headers[.authorization] == nil)
    #expect(registry.server.requests.last?.query == "")
  }

  @Test func redirectsAreFollowedWithoutTheToken() async throws {
    other.on("GET /signed", .status(200, body: Self.bytes))
    let bytes = try await other.serve { elsewhere in
      registry.server.on("GET /a.zip", .status(302, headers: [.location: "b.zip?x=1"]))
      registry.server.on("GET /b.zip", .status(307, headers: [.location: "\(elsewhere)/signed?sig=1"]))
      return try await download("/a.zip")
    }
    #expect(bytes == Self.bytes)
    #expect(other.requests[0].headers[.authorization] == nil)
  }

  @Test func theTokenDoesNotComeBackWithARedirect() async throws {
    let list = ScriptedServer.Answer.json(#"{"modules": [{"versions": []}]}"#)
    _ = try await other.serve { elsewhere in
      registry.server.on(Registry.versions, .status(302, headers: [.location: "\(elsewhere)/there"]))
      other.always("GET /there") { _ in .status(302, headers: [.location: "\(registry.server.url)/back"]) }
      registry.server.on("GET /back", list)
      return try await registry.serve { try await $0.versions(of: registry.module) }
    }
    #expect(registry.server.calls.last == "GET /back")
    #expect(registry.server.requests.last?.headers[.authorization] == nil)
    #expect(other.requests.map { $0.headers[.authorization] } == [nil])
  }

  @Test func aRedirectWithinTheHostKeepsTheToken() async throws {
    registry.server.on(Registry.versions, .status(301, headers: [.location: "/v2/list"]))
    registry.server.on("GET /v2/list", .json(#"{"modules": [{"versions": []}]}"#))
    _ = try await registry.serve { try await $0.versions(of: registry.module) }
    #expect(registry.server.requests.last?.headers[.authorization] == "Bearer \(Registry.token)")
  }

  @Test func endlessRedirectsEnd() async throws {
    registry.server.always("GET /a.zip") { _ in .status(302, headers: [.location: "/a.zip?again=1"]) }
    let error = try await error("/a.zip")
    #expect(error?.kind == .badAnswer)
    #expect(error?.message == "It redirects more than 5 times.")
    #expect(registry.calls.count == 7)
  }

  @Test(arguments: ["http://metadata.example/latest", "file:///etc/passwd", "ftp://x/y", "", "https://u:p@x.example/a"])
  func aRedirectToAnythingButHTTPSIsNotFollowed(location: String) async throws {
    registry.server.on("GET /a.zip", .status(302, headers: [.location: location]))
    if location.isEmpty { registry.server.on("GET /a.zip", .status(302)) }
    let error = try await error("/a.zip")
    #expect(error?.kind == .badAnswer)
  }

  @Test func aChecksumIsVerified() async throws {
    let right = SHA256.hash(data: Self.bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    registry.server.always("GET /a.zip") { _ in .status(200, body: Self.bytes) }
    #expect(try await download("/a.zip?checksum=sha256:\(right)") == Self.bytes)
    let wrong = String(right.reversed())
    let error = try await error("/a.zip?checksum=sha256:\(wrong)")
    #expect(error?.kind == .badAnswer)
    #expect(error?.message.contains("its sha256 is another") == true)
    #expect(registry.calls.count == 4, "wrong bytes are not fetched again")
  }

  @Test(arguments: [
    ("md5", "900150983cd24fb0d6963f7d28e17f72"), ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "sha512",
      """
      ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
      """
    ),
  ])
  func theKindsOfChecksumAreThoseOfGoGetter(kind: String, hex: String) throws {
    // The vectors for "abc": RFC 1321, and FIPS 180-4's examples.
    for text in ["\(kind):\(hex)", hex, "\(kind.uppercased()):\(hex.uppercased())"] {
      let checksum = try #require(Checksum(text))
      #expect(checksum.algorithm.rawValue == kind)
      #expect(checksum.matches(Array("abc".utf8)))
      #expect(!checksum.matches(Array("abd".utf8)))
    }
    #expect(Checksum("sha3:\(hex)") == nil)
  }

  @Test func anArchiveOverTheLimitIsRefused() async throws {
    registry.server.always("GET /a.zip") { _ in .status(200, body: Self.bytes) }
    #expect(try await download("/a.zip") { $0.maximumArchiveBytes = 256 } == Self.bytes)
    let error = try await error("/a.zip") { $0.maximumArchiveBytes = 255 }
    #expect(error?.kind == .tooLarge)
    #expect(registry.clock.slept.isEmpty)
  }

  @Test func aBrokenDownloadIsTriedAgainFromItsBeginning() async throws {
    registry.server.always("GET /b.zip") { _ in .status(200, body: Self.bytes) }
    registry.server.on("GET /b.zip", .status(200, body: Self.bytes).brokenOff, .status(503))
    registry.server.always("GET /a.zip") { _ in .status(302, headers: [.location: "/b.zip"]) }
    #expect(try await download("/a.zip") == Self.bytes)
    #expect(
      registry.calls.dropFirst() == [
        "GET /a.zip", "GET /b.zip", "GET /a.zip", "GET /b.zip", "GET /a.zip", "GET /b.zip",
      ])
    #expect(registry.clock.slept.count == 2)
  }

  @Test func anArchiveThatIsGoneSaysWhatToDo() async throws {
    registry.server.on("GET /a.zip", .status(404))
    let error = try await error("/a.zip")
    #expect(error?.kind == .notFound)
    #expect(error?.fix == "Ask the registry for its location again: addresses of archives end.")
    #expect(error?.place == "GET \(registry.server.url)/…")
  }
}
