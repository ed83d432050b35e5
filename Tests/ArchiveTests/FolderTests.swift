import Archive
import Foundation
import Testing

@Suite struct FolderTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/archive-tests-" + UUID().uuidString

  private func withFolder(_ body: () throws -> Void) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body()
  }

  @Test func aTreeIsWrittenAndReadBack() throws {
    try withFolder {
      let tree = [
        ArchiveEntry(path: "bin/run", bytes: [1], isExecutable: true),
        ArchiveEntry(path: "link", linkTarget: "bin/run"),
        ArchiveEntry(path: "main.tf", text: "x"),
      ]
      try TarGzip.extract(TarGzip.pack(tree), into: folder)
      #expect(try TarGzip.entries(ofFolder: folder) == tree)
      #expect(try TarGzip.entries(ofFolder: folder, excluding: { $0 == "bin" }).map(\.path) == ["link", "main.tf"])
    }
  }

  @Test func anExistingFolderIsNotWrittenTo() throws {
    try withFolder {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      #expect(throws: ArchiveError.self) { try TarGzip.write([ArchiveEntry(path: "a", text: "")], into: folder) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func aHostileArchiveLeavesNothingBehind() throws {
    #expect(throws: ArchiveError.unsafePath("../x")) {
      try TarGzip.extract(RawTar().file("good", "x").file("../x", "x").gzip(), into: folder)
    }
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func aLinkOutOfTheFolderIsRefusedWhenReading() throws {
    try withFolder {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: folder + "/out", withDestinationPath: "../../etc/passwd")
      #expect(throws: ArchiveError.unsafeLink(path: "out", target: "../../etc/passwd")) {
        try TarGzip.entries(ofFolder: folder)
      }
    }
  }

  @Test func aFolderLargerThanTheLimitIsRefused() throws {
    try withFolder {
      try TarGzip.write([ArchiveEntry(path: "a", bytes: [UInt8](repeating: 0, count: 2000))], into: folder)
      #expect(throws: ArchiveError.tooLarge(limit: 1000)) {
        try TarGzip.entries(ofFolder: folder, limits: .init(totalBytes: 1000))
      }
    }
  }
}
