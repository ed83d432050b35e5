import HCL

extension Number {
  /// `5.0` is one: the text has no needless zeros.
  var isInteger: Bool { !text.utf8.contains(UInt8(ascii: ".")) }

  /// Whether this is `divisor` times a whole number, exactly.
  ///
  /// - Parameter divisor: greater than 0.
  func isMultiple(of divisor: Number) -> Bool {
    let (places, divisorPlaces) = (decimalPlaces, divisor.decimalPlaces)
    // What has more decimal places than the divisor is no multiple: multiplying by a whole number adds none.
    guard places <= divisorPlaces else { return false }
    let digits = self.digits + Array(repeating: 0, count: divisorPlaces - places)
    let divisorDigits = Array(divisor.digits.drop { $0 == 0 })
    // 18 digits and one more always fit.
    if divisorDigits.count <= 18 {
      let divisor = divisorDigits.reduce(UInt64(0)) { $0 * 10 + UInt64($1) }
      return digits.reduce(UInt64(0)) { ($0 * 10 + UInt64($1)) % divisor } == 0
    }
    return Self.remainder(of: digits, by: divisorDigits).allSatisfy { $0 == 0 }
  }

  private var decimalPlaces: Int {
    text.utf8.firstIndex(of: UInt8(ascii: ".")).map { text.utf8.distance(from: $0, to: text.utf8.endIndex) - 1 } ?? 0
  }

  /// The digits of the text, from 0 to 9, without sign and point.
  private var digits: [UInt8] {
    text.utf8.compactMap { (0x30...0x39).contains($0) ? $0 - 0x30 : nil }
  }

  /// Long division by hand, in words of 32 bits, the least first.
  private static func remainder(of digits: [UInt8], by divisorDigits: [UInt8]) -> [UInt32] {
    var divisor: [UInt32] = []
    for digit in divisorDigits { shift(&divisor, adding: digit) }
    divisor.append(0)  // the remainder times ten needs more room
    var remainder = Array(repeating: UInt32(0), count: divisor.count)
    for digit in digits {
      let width = remainder.count
      shift(&remainder, adding: digit)
      remainder.removeLast(remainder.count - width)
      while !precedes(remainder, divisor) { subtract(divisor, from: &remainder) }
    }
    return remainder
  }

  private static func shift(_ number: inout [UInt32], adding digit: UInt8) {
    var carry = UInt64(digit)
    for index in number.indices {
      carry += UInt64(number[index]) * 10
      number[index] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
    }
    if carry > 0 { number.append(UInt32(carry)) }
  }

  private static func precedes(_ left: [UInt32], _ right: [UInt32]) -> Bool {
    for index in left.indices.reversed() where left[index] != right[index] { return left[index] < right[index] }
    return false
  }

  private static func subtract(_ right: [UInt32], from left: inout [UInt32]) {
    var borrow: UInt32 = 0
    for index in left.indices {
      let (first, firstBorrows) = left[index].subtractingReportingOverflow(right[index])
      let (second, secondBorrows) = first.subtractingReportingOverflow(borrow)
      left[index] = second
      borrow = firstBorrows || secondBorrows ? 1 : 0
    }
  }
}
