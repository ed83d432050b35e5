import Archive
import Foundation
import PorcCore

/// What a template takes along from around its folder.
struct TakenAlong: Sendable {
  /// What its archive holds beside its own files.
  var entries: [ArchiveEntry] = []
  /// The folders that were taken, as paths from the root, each with what names its content.
  var folders: [String: String] = [:]
  /// Why it cannot be a template.
  var findings: [Finding] = []
  /// Whether the findings may be mended without any change that a look at the source shows.
  var mayBeReadLater = false

  /// What is stored to tell whether one of the folders has changed: a digest of all their contents, then their paths,
  /// each on a line of its own; empty if there is none.
  var stamp: String {
    guard !folders.isEmpty else { return "" }
    let paths = folders.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let contents = paths.map { "\($0)\n\(folders[$0] ?? "")\n" }.joined()
    return ([Digest.sha256(Data(contents.utf8))] + paths).map { "\n\($0)" }.joined()
  }

  /// The paths in a ``stamp``.
  static func paths(in stamp: Substring) -> [String] {
    stamp.split(separator: Character("\n"), omittingEmptySubsequences: false).dropFirst(2).map(String.init)
  }
}
