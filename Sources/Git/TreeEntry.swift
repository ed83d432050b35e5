/// Something in a tree that can be used.
public struct TreeEntry: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case file(isExecutable: Bool)
    /// A symbolic link: its blob holds the target.
    case link
    case folder
    /// A commit of another repository, which is not looked into.
    case submodule
  }

  /// Below the tree that was listed: parts separated by `/`, none of them empty, `.`, `..` or `.git`. No control
  /// characters, no backslash.
  public let path: String
  public let kind: Kind
  public let id: ObjectID
}

/// Something in a tree that was left out, and why. Empty `path`: all of the tree.
public struct RefusedEntry: Sendable, Hashable, CustomStringConvertible {
  public enum Reason: Sendable, Hashable {
    /// `.`, `..`, `.git` in any spelling, an absolute path, or an empty name.
    case reservedName
    /// Control characters or a backslash.
    case forbiddenCharacter
    case notUTF8
    /// A path over this many bytes, or a name over 255.
    case nameTooLong(limit: Int)
    /// Another of the same name came before.
    case duplicate
    /// The bytes are no tree.
    case malformed
    /// Neither file, link, folder nor submodule.
    case unknownKind
    /// A commit of another repository.
    case submodule
    /// A file over this many bytes.
    case fileTooLarge(limit: Int)
    /// More files, links and folders than this.
    case tooManyEntries(limit: Int)
    /// The files are over this many bytes together.
    case tooLarge(limit: Int)
  }

  /// As in `TreeEntry`, but with whatever is not text shown as `\xNN`, and shortened.
  public let path: String
  public let reason: Reason

  public var description: String {
    switch reason {
    case .reservedName: "The name '\(path)' is not allowed."
    case .forbiddenCharacter: "The name '\(path)' has control characters or a backslash in it."
    case .notUTF8: "The name or the link '\(path)' is not UTF-8."
    case .nameTooLong(let limit): "The path '\(path)' or what it links to is over \(limit) bytes."
    case .duplicate: "There are two of the name '\(path)'."
    case .malformed: "The folder '\(path)' is broken."
    case .unknownKind: "'\(path)' is neither a file nor a folder."
    case .submodule: "'\(path)' is a submodule: its content belongs to another repository."
    case .fileTooLarge(let limit): "The file '\(path)' is over \(limit) bytes."
    case .tooManyEntries(let limit): "There are more than \(limit) files."
    case .tooLarge(let limit): "The files are over \(limit) bytes together."
    }
  }
}

/// What is below a tree.
public struct TreeListing: Sendable, Hashable {
  public let id: ObjectID
  /// A folder comes before what is in it; otherwise in git's order.
  public internal(set) var entries: [TreeEntry] = []
  public internal(set) var refused: [RefusedEntry] = []
}

/// A tree with the contents of its files.
public struct TreeContents: Sendable, Hashable {
  public struct File: Sendable, Hashable {
    /// As in `TreeEntry`.
    public let path: String
    public let isExecutable: Bool
    /// Empty for a link.
    public let bytes: [UInt8]
    /// Where a symbolic link points. It is not looked at: it may lead anywhere.
    public let linkTarget: String?
  }

  public let id: ObjectID
  public internal(set) var files: [File] = []
  /// What is not in `files`.
  public internal(set) var refused: [RefusedEntry] = []
}
