/// A file, or a link, of a tree.
public struct ArchiveEntry: Sendable, Hashable {
  /// Relative to the tree's root, parts separated by `/`, without `.` and `..`: `modules/net/main.tf`.
  public var path: String
  /// The file's content; empty for a link.
  public var bytes: [UInt8]
  public var isExecutable: Bool
  /// Where a symbolic link points, relative to its own folder; nil for a file. It never leaves the tree.
  public var linkTarget: String?

  public init(path: String, bytes: [UInt8], isExecutable: Bool = false) {
    (self.path, self.bytes, self.isExecutable, self.linkTarget) = (path, bytes, isExecutable, nil)
  }

  /// A text file in UTF-8.
  public init(path: String, text: String) {
    self.init(path: path, bytes: Array(text.utf8))
  }

  /// A symbolic link to another place in the tree.
  public init(path: String, linkTarget: String) {
    (self.path, self.bytes, self.isExecutable, self.linkTarget) = (path, [], false, linkTarget)
  }
}
