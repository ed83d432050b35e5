#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A decimal number, kept exactly: `123456789012345678901234567890` and `0.1` are what they say.
///
/// Terraform's numbers have 512 bits; a `Double` would change them on the way. Equal numbers are equal however they were
/// written (`5.0`, `5`, `50e-1`).
public struct Number: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The shortest plain decimal text: no exponent, no plus sign, no needless zeros, `0` never negative.
  public let text: String

  /// How many digits the plain text may have. Without a bound `1e999999999` would be a gigabyte of zeros.
  public static let maximumDigits = 1_000

  /// Reads a number as JSON and HCL write it: digits, optional fraction, optional exponent, optional minus sign.
  ///
  /// Nil for any other text and for a number with more than ``maximumDigits`` digits. Leading zeros are accepted, as in
  /// HCL.
  public init?(_ text: String) {
    guard let text = Self.canonicalText(Array(text.utf8)) else { return nil }
    self.text = text
  }

  public init(_ value: Int) {
    text = String(value)
  }

  /// The shortest decimal that reads back as `value`. Nil for infinities and for what is not a number.
  public init?(_ value: Double) {
    self.init(value.description)
  }

  public var description: String { text }

  /// The number as an `Int`, if it is one.
  public var intValue: Int? { Int(text) }

  /// The nearest `Double`, an infinity if it is out of reach.
  public var doubleValue: Double { Double(text) ?? .nan }

  public static func < (left: Number, right: Number) -> Bool {
    switch (left.isNegative, right.isNegative) {
    case (true, false): true
    case (false, true): false
    case (false, false): left.magnitudePrecedes(right)
    case (true, true): right.magnitudePrecedes(left)
    }
  }

  var negated: Number {
    if text == "0" { return self }
    return Number(canonical: isNegative ? String(text.dropFirst()) : "-" + text)
  }

  private var isNegative: Bool { text.utf8.first == UInt8(ascii: "-") }

  private func magnitudePrecedes(_ other: Number) -> Bool {
    let (left, right) = (text.utf8.drop { $0 == UInt8(ascii: "-") }, other.text.utf8.drop { $0 == UInt8(ascii: "-") })
    let leftPlaces = left.prefix { $0 != UInt8(ascii: ".") }.count
    let rightPlaces = right.prefix { $0 != UInt8(ascii: ".") }.count
    return leftPlaces == rightPlaces ? left.lexicographicallyPrecedes(right) : leftPlaces < rightPlaces
  }

  private init(canonical text: String) {
    self.text = text
  }
}

extension Number {
  private static func canonicalText(_ bytes: [UInt8]) -> String? {
    var rest = bytes[...]
    func takeDigits() -> ArraySlice<UInt8> {
      let digits = rest.prefix { isDigit($0) }
      rest = rest.dropFirst(digits.count)
      return digits
    }

    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    let integer = takeDigits()
    guard !integer.isEmpty else { return nil }
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      fraction = takeDigits()
      guard !fraction.isEmpty else { return nil }
    }
    var exponent: Int? = 0
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      let sign = rest.first
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
      let digits = takeDigits()
      guard !digits.isEmpty else { return nil }
      exponent = Int(String(decoding: digits, as: UTF8.self)).map { sign == UInt8(ascii: "-") ? -$0 : $0 }
    }
    guard rest.isEmpty else { return nil }

    let zero = UInt8(ascii: "0")
    let written = integer + fraction
    let leadingZeros = written.prefix { $0 == zero }.count
    var digits = written.dropFirst(leadingZeros)
    while digits.last == zero { digits.removeLast() }
    guard !digits.isEmpty else { return "0" }

    // An exponent that overflows `Int` belongs to a number that is far out of bounds.
    guard let exponent, abs(exponent) <= bytes.count + maximumDigits else { return nil }
    let point = integer.count + exponent - leadingZeros  // the decimal point stands before digits[point]
    guard max(point, 0) + max(digits.count - point, 0) <= maximumDigits else { return nil }

    func text(_ part: some Sequence<UInt8>) -> String { String(decoding: Array(part), as: UTF8.self) }
    let sign = isNegative ? "-" : ""
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + text(digits) }
    if point >= digits.count { return sign + text(digits) + String(repeating: "0", count: point - digits.count) }
    return sign + text(digits.prefix(point)) + "." + text(digits.dropFirst(point))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

extension Number: Codable {
  /// An `Int` when it fits, else a `Decimal` (38 digits), else the nearest `Double`, or text where even that is out of
  /// reach. Where every digit counts use ``Value/json(prettyPrinted:)``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let int = intValue {
      try container.encode(int)
    } else if text.utf8.count <= 38, let decimal = Decimal(string: text) {
      try container.encode(decimal)
    } else if doubleValue.isFinite {
      try container.encode(doubleValue)
    } else {
      try container.encode(text)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let int = try? container.decode(Int.self) {
      self.init(int)
    } else if let decimal = try? container.decode(Decimal.self), let number = Number(decimal.description) {
      self = number
    } else if let number = Number(try container.decode(Double.self)) {
      self = number
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "The number is not finite.")
    }
  }
}

extension Number: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  public init(integerLiteral value: Int) {
    self.init(value)
  }

  public init(floatLiteral value: Double) {
    self = Number(value) ?? Number(0)
  }
}
