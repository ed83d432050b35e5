/// A branch or a tag of a remote.
public struct Reference: Sendable, Hashable {
  /// In full: `refs/heads/main`, `refs/tags/v1.0.0`.
  public let name: String
  /// What it names: a commit, or an annotated tag.
  public let id: ObjectID
  /// What it names in the end: the commit (of a branch always, of a tag nearly always).
  public let commit: ObjectID

  /// - Parameter commit: nil where `id` is the commit.
  public init(name: String, id: ObjectID, commit: ObjectID? = nil) {
    self.name = name
    self.id = id
    self.commit = commit ?? id
  }

  /// Without `refs/heads/` or `refs/tags/`.
  public var shortName: String {
    for prefix in ["refs/heads/", "refs/tags/"] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.count))
    }
    return name
  }
}

/// What a remote has, at one moment.
public struct RemoteReferences: Sendable, Hashable {
  /// What `HEAD` names, usually the default branch; nil where it was not asked for, or names nothing.
  public internal(set) var head: Reference?
  /// By short name: `main`.
  public internal(set) var branches: [String: Reference] = [:]
  /// By short name: `v1.0.0`, `gke-cluster/v1.0.0`.
  public internal(set) var tags: [String: Reference] = [:]

  /// Whether there is nothing at all: an empty repository.
  public var isEmpty: Bool { branches.isEmpty && tags.isEmpty }
}

/// Reads what `git ls-remote --symref` writes, in chunks as they come.
///
/// ```
/// ref: refs/heads/main⇥HEAD
/// 6f02…⇥HEAD
/// 6f02…⇥refs/heads/main
/// 1109…⇥refs/tags/v1.0.0
/// 77aa…⇥refs/tags/v1.0.0^{}
/// ```
struct ReferenceParser {
  /// Thrown when there are more branches and tags than `limit`, or ten times more of anything.
  struct TooMany: Error {}

  let limit: Int
  private var line: [UInt8] = []
  private var lines = 0
  private var headTarget: String?
  private var headID: ObjectID?
  private var ids: [String: ObjectID] = [:]
  private var peeled: [String: ObjectID] = [:]

  init(limit: Int) { self.limit = limit }

  mutating func feed(_ chunk: [UInt8]) throws(TooMany) {
    var rest = chunk[...]
    while let end = rest.firstIndex(of: 0x0A) {
      line += rest[..<end]
      rest = rest[(end + 1)...]
      try take()
      line.removeAll(keepingCapacity: true)
    }
    line += rest
    guard line.count <= 64 << 10 else { throw TooMany() }
  }

  private mutating func take() throws(TooMany) {
    lines += 1
    guard lines <= limit * 10, ids.count <= limit else { throw TooMany() }
    // A name that is no text, or has control characters in it, is of no use to anybody.
    guard let text = String(validating: line, as: UTF8.self) else { return }
    let parts = text.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return }
    let name = String(parts[1])
    if name == "HEAD" {
      if parts[0].hasPrefix("ref: ") {
        headTarget = String(parts[0].dropFirst(5))
      } else {
        headID = ObjectID(String(parts[0]))
      }
    } else if name.hasPrefix("refs/heads/") || name.hasPrefix("refs/tags/"), let id = ObjectID(String(parts[0])) {
      if name.hasSuffix("^{}") { peeled[String(name.dropLast(3))] = id } else { ids[name] = id }
    }
  }

  var references: RemoteReferences {
    var result = RemoteReferences()
    for (name, id) in ids {
      let reference = Reference(name: name, id: id, commit: peeled[name])
      if name.hasPrefix("refs/heads/") {
        result.branches[reference.shortName] = reference
      } else {
        result.tags[reference.shortName] = reference
      }
    }
    if let headID { result.head = Reference(name: headTarget ?? "HEAD", id: headID) }
    return result
  }
}
