import Archive
import Foundation
import Testing

@Suite struct ZipTests {
  /// Written by Python's zipfile, as on Unix.
  private static let tree =
    """
    UEsDBBQAAAAIAAAAIQAAAAAAAgAAAAAAAAAEAAAAbmV0LwMAUEsDBBQAAAAIAAAAIQBK4rucEQAAAPAAAAALAAAAbmV0L21haW4udGYrSi3O\
    Ly1KTlWoruUqGgFsAFBLAwQUAAAICAAAACEA6kjE2wcAAAAFAAAACQAAAG5ldC/DqS50Zju8J+/wegBQSwMEFAAAAAgAAAAhAB2d+wQMAAAA\
    CgAAAAoAAABuZXQvcnVuLnNoU1bUT8rM0y/O4AIAUEsDBBQAAAAIAAAAIQDdqC8mCQAAAAcAAAALAAAAbmV0L2xpbmsudGbLTczM0ytJAwBQ\
    SwECFAMUAAAACAAAACEAAAAAAAIAAAAAAAAABAAAAAAAAAAAAAAA7UEAAAAAbmV0L1BLAQIUAxQAAAAIAAAAIQBK4rucEQAAAPAAAAALAAAA\
    AAAAAAAAAACkgSQAAABuZXQvbWFpbi50ZlBLAQIUAxQAAAgIAAAAIQDqSMTbBwAAAAUAAAAJAAAAAAAAAAAAAACkgV4AAABuZXQvw6kudGZQ\
    SwECFAMUAAAACAAAACEAHZ37BAwAAAAKAAAACgAAAAAAAAAAAAAA7YGMAAAAbmV0L3J1bi5zaFBLAQIUAxQAAAAIAAAAIQDdqC8mCQAAAAcA\
    AAALAAAAAAAAAAAAAAD/ocAAAABuZXQvbGluay50ZlBLBQYAAAAABQAFABMBAADyAAAAAAA=
    """
  /// 256 KiB of zeros, likewise.
  private static let bomb =
    """
    UEsDBBQAAAAIAAAAIQAi6g7iDwEAAAAABAAFAAAAemVyb3PtwTEBAAAAwqD1T+1tB6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAN4AUEsBAhQDFAAAAAgAAAAhACLq\
    DuIPAQAAAAAEAAUAAAAAAAAAAAAAAKSBAAAAAHplcm9zUEsFBgAAAAABAAEAMwAAADIBAAAAAA==
    """

  private func bytes(_ base64: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: base64))) }

  @Test func aZipIsReadLikeATar() throws {
    let expected = [
      ArchiveEntry(path: "net/main.tf", text: String(repeating: "resource {}\n", count: 20)),
      ArchiveEntry(path: "net/é.tf", text: "ünï"),
      ArchiveEntry(path: "net/run.sh", bytes: Array("#!/bin/sh\n".utf8), isExecutable: true),
      ArchiveEntry(path: "net/link.tf", linkTarget: "main.tf"),
    ]
    #expect(try Zip.unpack(bytes(Self.tree)) == expected)
    #expect(try AnyArchive.unpack(bytes(Self.tree)) == expected)
  }

  @Test func theFirstBytesTellTheKind() throws {
    let entries = [ArchiveEntry(path: "a", text: "x")]
    #expect(try AnyArchive.unpack(TarGzip.pack(entries)) == entries)
    #expect(try AnyArchive.unpack(RawZip().entry("a", "x").zip()) == entries)
    #expect(throws: ArchiveError.unreadable("it is neither tar.gz nor zip")) {
      try AnyArchive.unpack(Array("<!doctype html>".utf8))
    }
    #expect(throws: ArchiveError.unreadable("it is not zip")) { try Zip.unpack(TarGzip.pack(entries)) }
  }

  @Test(arguments: ["../x", "a/../../x", "/etc/passwd", "a\\b/c"])
  func anUnsafePathIsRefused(path: String) {
    #expect(throws: ArchiveError.unsafePath(path)) { try Zip.unpack(RawZip().entry(path, "x").zip()) }
  }

  @Test(arguments: ["/etc/passwd", "..", "a/../../x"])
  func aLinkOutOfTheTreeIsRefused(target: String) {
    #expect(throws: ArchiveError.unsafeLink(path: "link", target: target)) {
      try Zip.unpack(RawZip().entry("link", mode: 0o120777, target).zip())
    }
  }

  @Test func clashesDevicesAndFilesBelowLinksAreRefused() {
    #expect(throws: ArchiveError.clash("a")) { try Zip.unpack(RawZip().entry("a", "1").entry("a", "2").zip()) }
    #expect(throws: ArchiveError.unsupportedEntry("d")) { try Zip.unpack(RawZip().entry("d", mode: 0o020644).zip()) }
    #expect(throws: ArchiveError.clash("d")) {
      try Zip.unpack(RawZip().entry("d", mode: 0o120777, "e").entry("d/x", "x").zip())
    }
  }

  @Test func theSizeIsCountedOnWhatComesOut() throws {
    let bomb = try bytes(Self.bomb)
    #expect(bomb.count < 500)
    #expect(throws: ArchiveError.tooLarge(limit: 1000)) { try Zip.unpack(bomb, limits: .init(totalBytes: 1000)) }
    #expect(throws: ArchiveError.fileTooLarge("zeros", limit: 1000)) {
      try Zip.unpack(bomb, limits: .init(fileBytes: 1000))
    }
    let many = (0..<11).reduce(RawZip()) { $0.entry("f\($1)", "x") }.zip()
    #expect(throws: ArchiveError.tooManyEntries(limit: 10)) { try Zip.unpack(many, limits: .init(entries: 10)) }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func aDamagedZipNeverCrashesAndNeverEscapes(seed: UInt64) {
    var bytes = RawZip().entry("a/b", "hello").entry("l", mode: 0o120777, "a/b").entry("c", "x").zip()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    for _ in 0..<6 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // The first two bytes stay, or it would be refused before it is read.
      bytes[2 + Int(state >> 33) % (bytes.count - 2)] = UInt8(truncatingIfNeeded: state >> 20)
    }
    for entry in (try? Zip.unpack(bytes)) ?? [] {
      #expect(!entry.path.hasPrefix("/") && !entry.path.split(separator: "/").contains(".."))
    }
  }

  @Test func aZipThatEndsEarlyIsRefused() throws {
    let whole = try bytes(Self.tree)
    #expect(throws: ArchiveError.self) { try Zip.unpack(Array(whole.prefix(whole.count / 2))) }
    #expect(throws: ArchiveError.self) { try Zip.unpack(Array("PK\u{3}\u{4}".utf8)) }
  }
}
