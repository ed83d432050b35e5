import Archive
import Testing

@Suite struct TarGzipTests {
  private let tree = [
    ArchiveEntry(path: "main.tf", text: "resource {}"),
    ArchiveEntry(path: "modules/net/é.tf", text: "ünï"),
    ArchiveEntry(path: "bin/run.sh", bytes: Array("#!/bin/sh".utf8), isExecutable: true),
    ArchiveEntry(path: "modules/link.tf", linkTarget: "../main.tf"),
    ArchiveEntry(path: String(repeating: "long/", count: 60) + "end.tf", text: "deep"),
    ArchiveEntry(path: "empty", bytes: []),
  ]

  @Test func aTreeComesBackAsItWas() throws {
    let unpacked = try TarGzip.unpack(TarGzip.pack(tree))
    #expect(Set(unpacked) == Set(tree))
    #expect(unpacked.map(\.path) == unpacked.map(\.path).sorted())
  }

  @Test func theSameTreeGivesTheSameBytesInWhateverOrderItIsGiven() throws {
    #expect(try TarGzip.pack(tree) == TarGzip.pack(tree.reversed()))
  }

  @Test func theGzipHeaderHasNoTime() throws {
    #expect(try TarGzip.pack(tree)[4..<8].allSatisfy { $0 == 0 })
  }

  @Test func anEmptyTreeIsATreeToo() throws {
    #expect(try TarGzip.unpack(TarGzip.pack([])).isEmpty)
  }

  @Test func aBigFileComesBackWhole() throws {
    let big = ArchiveEntry(path: "big", bytes: (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) })
    #expect(try TarGzip.unpack(TarGzip.pack([big])) == [big])
  }

  @Test(arguments: ["../x", "a/../../x", "/etc/passwd", "a\\b", "", "."])
  func anUnsafePathIsNeitherWrittenNorRead(path: String) throws {
    #expect(throws: ArchiveError.unsafePath(path)) { try TarGzip.pack([ArchiveEntry(path: path, text: "")]) }
    #expect(throws: ArchiveError.unsafePath(path)) { try TarGzip.unpack(RawTar().file(path, "x").gzip()) }
  }

  @Test func pathsAreCleaned() throws {
    let bytes = RawTar().entry("./", type: "5").entry("./a/", type: "5").file("./a//b/./c.tf", "x").gzip()
    #expect(try TarGzip.unpack(bytes).map(\.path) == ["a/b/c.tf"])
  }

  @Test(arguments: [
    ("link", "/etc/passwd"), ("link", ".."), ("a/link", "../../x"), ("a/link", "b/../../../x"), ("link", "a\\b"),
    ("a/link", "b/../c"), ("link", ""),
  ])
  func aLinkOutOfTheTreeIsRefused(path: String, target: String) throws {
    #expect(throws: ArchiveError.unsafeLink(path: path, target: target)) {
      try TarGzip.unpack(RawTar().entry(path, type: "2", link: target).gzip())
    }
  }

  @Test func aFileBelowALinkIsRefused() throws {
    let bytes = RawTar().entry("d", type: "2", link: "e").file("d/x", "x").gzip()
    #expect(throws: ArchiveError.clash("d")) { try TarGzip.unpack(bytes) }
  }

  @Test func twoEntriesForOnePathAreRefused() throws {
    #expect(throws: ArchiveError.clash("a")) { try TarGzip.unpack(RawTar().file("a", "1").file("./a", "2").gzip()) }
    #expect(throws: ArchiveError.clash("a")) { try TarGzip.unpack(RawTar().file("a/b", "1").file("a", "2").gzip()) }
    #expect(throws: ArchiveError.clash("a")) {
      try TarGzip.unpack(RawTar().file("a", "1").entry("a/", type: "5").gzip())
    }
  }

  @Test(arguments: ["1", "3", "4", "6"])
  func hardLinksAndDevicesAreRefused(type: String) throws {
    #expect(throws: ArchiveError.unsupportedEntry("x")) {
      try TarGzip.unpack(RawTar().file("y", "y").entry("x", type: type, link: type == "1" ? "y" : "").gzip())
    }
  }

  @Test func tooManyEntriesAreRefused() throws {
    let bytes = try TarGzip.pack((0..<11).map { ArchiveEntry(path: "f\($0)", text: "x") })
    #expect(throws: ArchiveError.tooManyEntries(limit: 10)) { try TarGzip.unpack(bytes, limits: .init(entries: 10)) }
    let folders = RawTar().entry(String(repeating: "d/", count: 40), type: "5").gzip()
    #expect(throws: ArchiveError.tooManyEntries(limit: 10)) { try TarGzip.unpack(folders, limits: .init(entries: 10)) }
  }

  @Test func theSizeIsCountedOnWhatComesOut() throws {
    let bomb = try TarGzip.pack([ArchiveEntry(path: "zeros", bytes: [UInt8](repeating: 0, count: 40 << 20))])
    #expect(bomb.count < 200_000)
    #expect(throws: ArchiveError.tooLarge(limit: 1 << 20)) {
      try TarGzip.unpack(bomb, limits: .init(totalBytes: 1 << 20))
    }
  }

  @Test func oneFileMayBeTooLargeByItself() throws {
    let bytes = try TarGzip.pack([.init(path: "a", text: "12345"), .init(path: "b", text: "123456")])
    #expect(throws: ArchiveError.fileTooLarge("b", limit: 5)) { try TarGzip.unpack(bytes, limits: .init(fileBytes: 5)) }
    #expect(try TarGzip.unpack(bytes, limits: .init(fileBytes: 6)).count == 2)
  }

  @Test func gzipWithinGzipIsRefused() {
    let twice = RawTar.gzip(RawTar().file("a", "x").gzip())
    #expect(throws: ArchiveError.unreadable("it is packed twice")) { try TarGzip.unpack(twice) }
  }

  @Test func anArchiveOfGitIsRead() throws {
    // What `git archive` begins with.
    let header = RawTar().entry(
      "pax_global_header", type: "g", content: "52 comment=\(String(repeating: "a", count: 40))\n")
    let bytes = header.entry("net-1/", type: "5").file("net-1/main.tf", "x").gzip()
    #expect(try TarGzip.unpack(bytes).map(\.path) == ["net-1/main.tf"])
  }

  @Test func anOverlongPathIsRefused() throws {
    let long = String(repeating: "d/", count: 600) + "x"
    #expect(throws: ArchiveError.pathTooLong(long)) { try TarGzip.unpack(TarGzip.pack([.init(path: long, text: "")])) }
    let part = String(repeating: "x", count: 256)
    #expect(throws: ArchiveError.pathTooLong(part)) { try TarGzip.pack([.init(path: part, text: "")]) }
  }

  @Test func whatIsNoArchiveIsRefused() throws {
    #expect(throws: ArchiveError.self) { try TarGzip.unpack([]) }
    #expect(throws: ArchiveError.self) { try TarGzip.unpack(Array("hello".utf8)) }
    #expect(throws: ArchiveError.self) { try TarGzip.unpack([0x1F, 0x8B] + Array("hello".utf8)) }
    let whole = try TarGzip.pack([
      ArchiveEntry(path: "a", bytes: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0) })
    ])
    #expect(throws: ArchiveError.self) { try TarGzip.unpack(Array(whole.prefix(whole.count / 2))) }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func aDamagedArchiveNeverCrashesAndNeverEscapes(seed: UInt64) throws {
    var bytes = RawTar().file("a/b", "hello").entry("l", type: "2", link: "a/b").file("c", "x").tar()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    for _ in 0..<8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
    }
    for entry in (try? TarGzip.unpack(RawTar.gzip(bytes))) ?? [] {
      #expect(!entry.path.hasPrefix("/") && !entry.path.split(separator: "/").contains(".."))
    }
  }
}
