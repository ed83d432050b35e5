public import Foundation

/// Times as they go over the wire and into the database: RFC 3339 in UTC with milliseconds, `2026-11-23T10:15:00.250Z`.
public enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// To the nearest millisecond: the style alone cuts, and what is stored as .250 is .2499999 in binary.
  public static func text(_ date: Date) -> String { (date + 0.0005).formatted(style) }

  public static func date(_ text: String) -> Date? {
    // Parsing adds seconds and fraction, which differs from the nearest date in the last bit.
    ((try? Date(text, strategy: style)) ?? (try? Date(text, strategy: Date.ISO8601FormatStyle()))).map(rounded)
  }

  /// The time to the millisecond: what a stored time reads back as.
  public static func rounded(_ date: Date) -> Date {
    Date(timeIntervalSince1970: (date.timeIntervalSince1970 * 1000).rounded() / 1000)
  }
}

extension JSONEncoder {
  /// How all our JSON is written: sorted keys, plain slashes, ``Timestamp`` for times.
  public static var porc: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Timestamp.text(date))
    }
    return encoder
  }
}

extension JSONDecoder {
  /// The counterpart of ``JSONEncoder/porc``.
  public static var porc: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let text = try decoder.singleValueContainer().decode(String.self)
      guard let date = Timestamp.date(text) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is no RFC 3339 time"))
      }
      return date
    }
    return decoder
  }
}
