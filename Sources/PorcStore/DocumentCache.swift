import Synchronization

/// Documents that were read before, decoded. A document is used only for the very version that the database names, so
/// the cache is never asked what is true, only what it looks like.
///
/// Only committed versions may be remembered: the number of one that was rolled back is used again.
public final class DocumentCache<Key: Hashable & Sendable, Document: Sendable>: Sendable {
  private struct Entry {
    var version: Int64
    var document: Document
  }

  private let capacity: Int
  private let entries = Mutex<[Key: Entry]>([:])

  public init(capacity: Int) { self.capacity = capacity }

  public func document(_ key: Key, version: Int64) -> Document? {
    entries.withLock { entries in entries[key].flatMap { $0.version == version ? $0.document : nil } }
  }

  public func remember(_ document: Document, _ key: Key, version: Int64) {
    entries.withLock { entries in
      // Starting anew is rare and cheap; keeping count of who was used last is neither.
      if entries.count >= capacity, entries[key] == nil { entries.removeAll(keepingCapacity: true) }
      entries[key] = Entry(version: version, document: document)
    }
  }
}
