import FoundationEssentials

/// An object that the sandbox keeps: it has an id and a line in the journal.
protocol Stored: Codable, Sendable {
  /// The journal's word for objects of this type; never renamed, since old journals have it.
  static var kind: String { get }
  var id: String { get }
}

/// All objects of one type, in memory and in the journal.
struct Table<Element: Stored>: Sendable {
  private(set) var all: [String: Element] = [:]
  private let journal: Journal

  /// Reads what the journal has.
  init(_ journal: Journal) throws {
    self.journal = journal
    let decoder = JSONDecoder()
    for document in journal.documents(Element.kind) {
      let element = try decoder.decode(Element.self, from: Data(document))
      all[element.id] = element
    }
  }

  subscript(_ id: String?) -> Element? { id.flatMap { all[$0] } }

  mutating func set(_ element: Element) {
    all[element.id] = element
    // Cannot fail: an encoder refuses only numbers that are not finite, and no stored type has a fraction.
    let document = try! JSONEncoder().encode(element)
    journal.put(Element.kind, element.id, Array(document))
  }

  mutating func remove(_ id: String) {
    if all.removeValue(forKey: id) != nil { journal.remove(Element.kind, id) }
  }
}

/// Ids as TFE makes them: a prefix and 16 letters and digits.
enum Identifier {
  private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")

  static func make(_ prefix: String) -> String { prefix + "-" + random(16) }

  static func random(_ count: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
  }
}

/// Times as TFE writes them: RFC 3339, UTC, milliseconds.
enum Timestamp {
  static func now() -> String { string(.now) }

  static func string(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
  }
}
