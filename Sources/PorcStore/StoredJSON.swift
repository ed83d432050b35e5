import Foundation
import PorcCore

/// Documents as they lie in the database: the JSON of `JSONEncoder.porc`, whose same value always has the same text.
enum StoredJSON {
  private static let encoder = JSONEncoder.porc
  private static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      let text = try container.decode(String.self)
      guard let date = Timestamp.date(text) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no RFC 3339 time")
      }
      // Reading adds the fraction in floating point; this gives exactly the time that was written.
      return Timestamp.rounded(date)
    }
    return decoder
  }()

  static func text(_ document: some Encodable) throws -> String {
    String(decoding: try encoder.encode(document), as: UTF8.self)
  }

  static func read<Document: Decodable>(_ type: Document.Type, from text: String) throws -> Document {
    try decoder.decode(type, from: Data(text.utf8))
  }
}

extension Date {
  /// As times are stored in columns: milliseconds since 1970.
  var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

  init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension Int64 {
  /// This time in milliseconds, `delay` seconds later; a negative delay counts as none, and none is longer than 100
  /// years.
  func advanced(bySeconds delay: Double) -> Int64 {
    self + Int64((Swift.min(Swift.max(delay, 0), 3_155_760_000) * 1000).rounded(.up))
  }
}
