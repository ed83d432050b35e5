/// Trees on their way to being listed: read level by level, each object once however often it is there.
struct Survey {
  /// More entries than one call may have.
  struct TooMany: Error {}

  private let roots: [ObjectID]
  private let limits: Limits
  private var objects: [ObjectID: TreeObject] = [:]
  private var known: Set<ObjectID> = []
  private var next: [ObjectID]
  private var incomplete: Set<ObjectID> = []
  /// Of all objects read.
  private(set) var entryCount = 0
  /// Trees that were looked for and are not here.
  private(set) var missing: [ObjectID] = []
  /// Of the roots; after `assemble`.
  private(set) var listings: [ObjectID: TreeListing] = [:]

  init(roots: [ObjectID], limits: Limits) {
    var known: Set<ObjectID> = []
    self.limits = limits
    self.roots = roots.filter { known.insert($0).inserted }
    self.known = known
    next = self.roots
  }

  /// The trees of the next level, each of which is then to be added.
  mutating func takeLevel() -> [ObjectID] {
    defer { next = [] }
    return next
  }

  /// Takes what was read for a tree; nil if it is not here.
  mutating func add(_ tree: TreeObject?, for id: ObjectID) {
    guard let tree else { return missing.append(id) }
    entryCount += tree.entries.count + tree.refused.count
    objects[id] = tree
    for entry in tree.entries where entry.kind == .folder && known.insert(entry.id).inserted { next.append(entry.id) }
  }

  /// Makes the listings of all that was added.
  ///
  /// Few trees can name each other so often that their paths would never end; so what is made is counted too.
  mutating func assemble(depth: Int) throws(TooMany) {
    var count = 0
    for root in roots {
      let walk = walk(root, depth: depth)
      if walk.isIncomplete { incomplete.insert(root) }
      count += walk.visited
      guard count <= limits.entriesPerCall else { throw TooMany() }
      listings[root] = walk.listing
    }
  }

  /// The blobs of all listings, each once.
  var blobs: [ObjectID] {
    var seen: Set<ObjectID> = []
    for listing in listings.values {
      for entry in listing.entries where entry.kind.hasContent { seen.insert(entry.id) }
    }
    return Array(seen)
  }

  /// Whether something below a root is not here.
  func isIncomplete(_ root: ObjectID, sizes: [ObjectID: Int]) -> Bool {
    incomplete.contains(root)
      || listings[root]?.entries.contains { $0.kind.hasContent && sizes[$0.id] == nil } == true
  }

  private func walk(_ root: ObjectID, depth: Int) -> (listing: TreeListing, visited: Int, isIncomplete: Bool) {
    var listing = TreeListing(id: root)
    var visited = 0
    var isIncomplete = false
    var open: [(prefix: String, level: Int, entries: ArraySlice<TreeObject.Entry>)] = []

    func enter(_ id: ObjectID, prefix: String, level: Int) {
      guard level < depth else { return }
      guard let object = objects[id] else {
        isIncomplete = true
        return
      }
      visited += object.refused.count
      for refused in object.refused.prefix(limits.entries) {
        // Without a name it is the folder itself.
        let path = refused.name.isEmpty ? String(prefix.dropLast()) : prefix + refused.name
        listing.refused.append(RefusedEntry(path: path, reason: refused.reason))
      }
      open.append((prefix, level, object.entries[...]))
    }

    enter(root, prefix: "", level: 0)
    while let top = open.last {
      guard let entry = top.entries.first else {
        open.removeLast()
        continue
      }
      open[open.count - 1].entries.removeFirst()
      visited += 1
      guard visited <= limits.entries else {
        listing.entries = []
        listing.refused = [RefusedEntry(path: "", reason: .tooManyEntries(limit: limits.entries))]
        break
      }
      let path = top.prefix + entry.name
      guard path.utf8.count <= limits.pathBytes else {
        let shown = String(path.prefix(100)) + "…"
        listing.refused.append(RefusedEntry(path: shown, reason: .nameTooLong(limit: limits.pathBytes)))
        continue
      }
      listing.entries.append(TreeEntry(path: path, kind: entry.kind, id: entry.id))
      if entry.kind == .folder { enter(entry.id, prefix: path + "/", level: top.level + 1) }
    }
    return (listing, visited, isIncomplete)
  }
}

extension TreeEntry.Kind {
  /// Whether there is a blob.
  var hasContent: Bool {
    switch self {
    case .file, .link: true
    case .folder, .submodule: false
    }
  }
}
