/// How much a repository may cost. All of it is somebody else's text.
public struct Limits: Sendable, Hashable {
  /// The most that one fetch may bring, in bytes, compressed.
  public var fetchedBytes = 512 << 20
  /// The address space of each git process, in bytes.
  public var memoryBytes = 2 << 30
  /// From this size on a mirror is thrown away and made anew with the next fetch, in bytes.
  public var mirrorBytes = 2 << 30
  /// From this many fetches that brought something on, likewise: every one leaves a file, and reading looks into all.
  public var packs = 200
  /// Branches and tags of a remote.
  public var references = 100_000
  /// Files, links and folders below one tree.
  public var entries = 100_000
  /// Files, links and folders of one call, in all trees together.
  public var entriesPerCall = 2_000_000
  /// One file.
  public var fileBytes = 10 << 20
  /// The files below one tree that is read.
  public var treeBytes = 50 << 20
  /// A path below a tree, in bytes.
  public var pathBytes = 1_024
  /// One call of git.
  public var duration = Duration.seconds(120)

  public init() {}
}
