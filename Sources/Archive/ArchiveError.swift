/// Why an archive, or a folder, was refused.
public enum ArchiveError: Error, Sendable, Hashable {
  /// The bytes are no archive of the expected kind, or end early.
  case unreadable(String)
  /// A path that is absolute, empty or not UTF-8, or has `..`, a backslash or a NUL in it.
  case unsafePath(String)
  /// A symbolic link that leaves the tree, or may.
  case unsafeLink(path: String, target: String)
  /// A hard link, device, socket or anything else that is neither file, folder nor symbolic link.
  case unsupportedEntry(String)
  /// A path of more bytes than the limit, or a part of one over 255.
  case pathTooLong(String)
  /// Two entries for one path, or an entry below a path that is a file or a link.
  case clash(String)
  case tooManyEntries(limit: Int)
  /// One content is larger than this, in bytes.
  case fileTooLarge(String, limit: Int)
  /// The inflated contents are larger than this, in bytes.
  case tooLarge(limit: Int)
  /// There is no such folder in the tree, or it names more than one.
  case noFolder(String)
  /// The file system refused a call.
  case fileSystem(String)
}

extension ArchiveError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let reason): "The archive cannot be read: \(reason)."
    case .unsafePath(let path): "The path '\(path)' is not allowed."
    case .unsafeLink(let path, let target): "The link '\(path)' points to '\(target)', out of its tree."
    case .unsupportedEntry(let path): "'\(path)' is neither a file nor a folder nor a symbolic link."
    case .pathTooLong(let path): "The path '\(path.prefix(80))…' is too long."
    case .clash(let path): "The path '\(path)' clashes with another."
    case .tooManyEntries(let limit): "There are more than \(limit) files."
    case .fileTooLarge(let path, let limit): "The file '\(path)' is larger than \(limit) bytes."
    case .tooLarge(let limit): "The files are larger than \(limit) bytes together."
    case .noFolder(let path): "There is no folder '\(path)', or more than one."
    case .fileSystem(let reason): reason
    }
  }
}
