import Foundation

/// Entities that travel in one bulk call: at most 20, and a body under Port's limit by its real size.
struct BulkBatch: Sendable {
  /// One entity as it is sent.
  struct Item: Sendable {
    /// Its position in the caller's list.
    let position: Int
    let identifier: String
    let json: Data
  }

  /// Port takes up to 20 entities in one call.
  static let countLimit = 20
  private static let head = Data(#"{"entities":["#.utf8)
  private static let tail = Data("]}".utf8)

  private(set) var items: [Item] = []
  private(set) var size = head.count + tail.count

  /// `{"entities": […]}`, `size` bytes.
  var body: Data {
    var body = Self.head
    for (index, item) in items.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      body += item.json
    }
    return body + Self.tail
  }

  /// The two halves, to find out which entity Port refuses.
  var halves: [BulkBatch] {
    let middle = items.count / 2
    return [BulkBatch(items.prefix(middle)), BulkBatch(items.dropFirst(middle))]
  }

  private init(_ items: some Sequence<Item> = []) {
    for item in items { add(item) }
  }

  /// Whether `item` may travel along. What Port does with one identifier twice in a call is not documented, so the second
  /// goes into a later call; and an entity too large on its own travels alone, to fail alone.
  private func takes(_ item: Item) -> Bool {
    items.isEmpty
      || items.count < Self.countLimit && size + item.json.count + 1 < Request.bodyLimit
        && !items.contains { $0.identifier == item.identifier }
  }

  private mutating func add(_ item: Item) {
    size += item.json.count + (items.isEmpty ? 0 : 1)
    items.append(item)
  }

  /// `items` in as few batches as their order allows.
  static func split(_ items: [Item]) -> [BulkBatch] {
    var batches: [BulkBatch] = []
    var open = BulkBatch()
    for item in items {
      if !open.takes(item) {
        batches.append(open)
        open = BulkBatch()
      }
      open.add(item)
    }
    return open.items.isEmpty ? batches : batches + [open]
  }
}
