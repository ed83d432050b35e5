public import Foundation

/// Times as they go over the wire and into the database: RFC 3339 in UTC with milliseconds, `2026-11-23T10:15:00.250Z`.
///
/// Written and read by hand where they have exactly this form, since every stored and shown document holds some: the
/// general styles take several microseconds for each.
public enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
  private static let millisecondsOfDay: Int64 = 86_400_000

  /// To the nearest millisecond.
  public static func text(_ date: Date) -> String {
    let time = (date.timeIntervalSince1970 * 1000).rounded()
    // From 1600-01-01, when Foundation's calendar was Gregorian already, until 9999-12-31.
    guard time >= -11_676_096_000_000, time < 253_402_300_800_000 else { return date.formatted(style) }
    let milliseconds = Int64(time)
    let ofDay = milliseconds % millisecondsOfDay + (milliseconds % millisecondsOfDay < 0 ? millisecondsOfDay : 0)
    let day = CivilDay(daysSince1970: (milliseconds - ofDay) / millisecondsOfDay)
    return String(unsafeUninitializedCapacity: 24) { bytes in
      func write(_ number: Int64, _ digits: Int, at start: Int) {
        var rest = number
        for position in (start..<start + digits).reversed() {
          bytes[position] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        }
      }
      write(day.year, 4, at: 0)
      write(day.month, 2, at: 5)
      write(day.day, 2, at: 8)
      write(ofDay / 3_600_000, 2, at: 11)
      write(ofDay / 60_000 % 60, 2, at: 14)
      write(ofDay / 1000 % 60, 2, at: 17)
      write(ofDay % 1000, 3, at: 20)
      for (position, mark) in marks { bytes[position] = mark }
      return 24
    }
  }

  /// What stands between the numbers, and where.
  private static let marks = zip([4, 7, 10, 13, 16, 19, 23], "--T::.Z".utf8).map { ($0, $1) }

  public static func date(_ text: String) -> Date? {
    if let date = usual(text) { return date }
    // Parsing adds seconds and fraction, which differs from the nearest date in the last bit.
    return ((try? Date(text, strategy: style)) ?? (try? Date(text, strategy: Date.ISO8601FormatStyle()))).map(rounded)
  }

  /// A time as ``text(_:)`` writes it; `nil` for any other form.
  private static func usual(_ text: String) -> Date? {
    let bytes = Array(text.utf8)
    guard bytes.count == 24, marks.allSatisfy({ bytes[$0] == $1 }) else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var number: Int64 = 0
      for byte in bytes[range] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        number = number * 10 + Int64(byte - UInt8(ascii: "0"))
      }
      return number
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), let fraction = number(20..<23),
      year >= 1600, (1...12).contains(month), (1...28).contains(day) || CivilDay(year, month, day).exists, hour < 24,
      minute < 60, second < 60
    else { return nil }
    let milliseconds =
      CivilDay(year, month, day).daysSince1970 * millisecondsOfDay + hour * 3_600_000 + minute * 60_000 + second * 1000
      + fraction
    return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
  }

  /// The time to the millisecond: what a stored time reads back as.
  public static func rounded(_ date: Date) -> Date {
    Date(timeIntervalSince1970: (date.timeIntervalSince1970 * 1000).rounded() / 1000)
  }
}

/// A day of the proleptic Gregorian calendar, counted in eras of 400 years that begin on a 1 March, so that the day that
/// some years have more is the last one (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
private struct CivilDay {
  private static let daysOfEra: Int64 = 146_097
  /// From 0000-03-01 to 1970-01-01.
  private static let daysTo1970: Int64 = 719_468

  let year: Int64
  let month: Int64
  let day: Int64

  init(_ year: Int64, _ month: Int64, _ day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// - Parameter days: not before the year 0.
  init(daysSince1970 days: Int64) {
    let (era, day) = (days + Self.daysTo1970).quotientAndRemainder(dividingBy: Self.daysOfEra)
    let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  }

  var daysSince1970: Int64 {
    let (era, yearOfEra) = (month <= 2 ? year - 1 : year).quotientAndRemainder(dividingBy: 400)
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return era * Self.daysOfEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - Self.daysTo1970
  }

  /// Whether the month has this day.
  var exists: Bool {
    let other = CivilDay(daysSince1970: daysSince1970)
    return (other.year, other.month, other.day) == (year, month, day)
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
