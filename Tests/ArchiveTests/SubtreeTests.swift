import Archive
import Testing

@Suite struct SubtreeTests {
  private let tree = [
    ArchiveEntry(path: "acme-net-1a2b/README.md", text: "r"),
    ArchiveEntry(path: "acme-net-1a2b/modules/é/main.tf", text: "m"),
    ArchiveEntry(path: "acme-net-1a2b/modules/é/sub/x.tf", text: "x"),
    ArchiveEntry(path: "acme-net-1a2b/modules/é/sub/link.tf", linkTarget: "../main.tf"),
  ]

  @Test(arguments: ["acme-net-1a2b/modules/é", "*/modules/é", "./*/modules//é/", "*/*/*"])
  func pathsBeginInTheFolder(folder: String) throws {
    #expect(try tree.subtree(folder).map(\.path) == ["main.tf", "sub/x.tf", "sub/link.tf"])
  }

  @Test func theRootIsTheWholeTree() throws {
    #expect(try tree.subtree("") == tree)
  }

  @Test(arguments: ["modules", "*/mod", "*/modules/é/main.tf", "*/modules/é/sub/*", ".."])
  func whatIsNoFolderIsRefused(folder: String) {
    #expect(throws: ArchiveError.noFolder(folder)) { try tree.subtree(folder) }
  }

  @Test func aStarHasNoChoice() {
    let two = tree + [ArchiveEntry(path: "other/x", text: "")]
    #expect(throws: ArchiveError.noFolder("*")) { try two.subtree("*") }
  }

  @Test func aLinkOutOfTheFolderIsRefused() {
    #expect(throws: ArchiveError.unsafeLink(path: "link.tf", target: "../main.tf")) {
      try tree.subtree("*/modules/é/sub")
    }
  }
}
