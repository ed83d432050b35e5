/// Hands out trees with their contents, one by one, reading ahead about 64 MB at a time.
public struct TreeReader: AsyncSequence, AsyncIteratorProtocol, Sendable {
  public typealias Element = TreeContents

  private let mirror: Mirror
  private let plan: Mirror.Plan
  private var next = 0
  private var ready: [TreeContents] = []

  init(mirror: Mirror, plan: Mirror.Plan) {
    self.mirror = mirror
    self.plan = plan
  }

  public func makeAsyncIterator() -> TreeReader { self }

  /// - Throws: `GitError` of kind `missing` if the mirror was made anew meanwhile.
  public mutating func next() async throws -> TreeContents? {
    if ready.isEmpty { try await readAhead() }
    return ready.popLast()
  }

  private static let portion = 64 << 20

  private mutating func readAhead() async throws {
    var outlines: [(contents: TreeContents, wanted: [TreeEntry])] = []
    var ids: Set<ObjectID> = []
    var bytes = 0
    while next < plan.order.count, bytes < Self.portion {
      let outline = outline(of: plan.order[next])
      next += 1
      for entry in outline.wanted where ids.insert(entry.id).inserted { bytes += plan.sizes[entry.id] ?? 0 }
      outlines.append(outline)
    }
    let blobs = try await mirror.readContents(of: Array(ids))
    ready = outlines.reversed().map { outline in
      var contents = outline.contents
      for entry in outline.wanted {
        guard let bytes = blobs[entry.id] else { continue }
        if case .file(let isExecutable) = entry.kind {
          contents.files.append(.init(path: entry.path, isExecutable: isExecutable, bytes: bytes, linkTarget: nil))
        } else if let target = String(validating: bytes, as: UTF8.self) {
          contents.files.append(.init(path: entry.path, isExecutable: false, bytes: [], linkTarget: target))
        } else {
          contents.refused.append(RefusedEntry(path: entry.path, reason: .notUTF8))
        }
      }
      return contents
    }
  }

  /// What is refused of a tree, and what is to be read.
  private func outline(of tree: ObjectID) -> (contents: TreeContents, wanted: [TreeEntry]) {
    let limits = mirror.limits
    var contents = TreeContents(id: tree)
    var wanted: [TreeEntry] = []
    var total = 0
    guard let listing = plan.listings[tree] else { return (contents, wanted) }
    contents.refused = listing.refused
    for entry in listing.entries {
      if entry.kind == .submodule {
        contents.refused.append(RefusedEntry(path: entry.path, reason: .submodule))
        continue
      }
      guard entry.kind.hasContent else { continue }
      // The remote has kept back what is over the limit; or it could not, and it is here.
      guard let size = plan.sizes[entry.id], size <= limits.fileBytes else {
        contents.refused.append(RefusedEntry(path: entry.path, reason: .fileTooLarge(limit: limits.fileBytes)))
        continue
      }
      if entry.kind == .link, size > 4_096 {
        contents.refused.append(RefusedEntry(path: entry.path, reason: .nameTooLong(limit: 4_096)))
        continue
      }
      total += size
      wanted.append(entry)
    }
    guard total <= limits.treeBytes else {
      contents.refused.append(RefusedEntry(path: "", reason: .tooLarge(limit: limits.treeBytes)))
      return (contents, [])
    }
    return (contents, wanted)
  }
}
