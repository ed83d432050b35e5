import Foundation
import HCL
import Testing

struct NumberTests {
  @Test(arguments: [
    ("5", "5"), ("5.0", "5"), ("-0", "0"), ("0.0e9", "0"), ("1e3", "1000"), ("1E+3", "1000"), ("1.50", "1.5"),
    ("12.5e1", "125"), ("1e-7", "0.0000001"), ("-2.5e-1", "-0.25"), ("007", "7"), ("100", "100"), ("0.10", "0.1"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("1.0000000000000000000001", "1.0000000000000000000001"),
    ("0e99999999999999999999", "0"),
  ])
  func aNumberHasOneText(written: String, canonical: String) {
    #expect(Number(written)?.text == canonical)
  }

  @Test(arguments: [
    "", "-", "+5", ".5", "5.", "1e", "1e+", "0x1F", "1_000", " 5", "5 ", "NaN", "Inf", "--1", "1.2.3", "١",
  ])
  func whatIsNoNumberIsRefused(text: String) {
    #expect(Number(text) == nil)
  }

  @Test(arguments: [
    "1e1000", "1e-1001", "1e999999999", "-1e999999999999999999999", String(repeating: "9", count: 1001),
  ])
  func aNumberOfTooManyDigitsIsRefused(text: String) {
    #expect(Number(text) == nil)
  }

  @Test func theLargestNumbersAreKept() {
    #expect(Number("1e999")?.text.count == 1000)
    #expect(Number("1e-999")?.text.hasSuffix("1") == true)
  }

  @Test func numbersAreOrderedBySize() throws {
    let texts = [
      "-1000", "-12.5", "-12.25", "-0.5", "0", "0.001", "0.01", "1", "1.5", "9", "10", "10.01", "123456789012345678901",
    ]
    let numbers = try texts.map { try #require(Number($0)) }
    #expect(numbers.reversed().sorted() == numbers)
  }

  @Test func equalNumbersAreEqualHoweverTheyAreWritten() {
    #expect(Number("5.0") == 5)
    #expect(Number("1e3") == 1000)
    let tenth = 0.1
    #expect(Number(tenth) == Number("0.1"))
    let large = 1e300
    #expect(Number(large)?.text.count == 301)
    #expect(Number(Double.infinity) == nil)
  }

  @Test func integersAndDoublesAreGivenWhereTheyFit() {
    #expect(Number("9223372036854775807")?.intValue == .max)
    #expect(Number("-9223372036854775808")?.intValue == .min)
    #expect(Number("9223372036854775808")?.intValue == nil)
    #expect(Number("1.5")?.intValue == nil)
    #expect(Number("0.1")?.doubleValue == 0.1)
    #expect(Number("1e400")?.doubleValue == .infinity)
  }

  /// It is kept rather than refused: what holds it should not be lost for it.
  @Test func aNumberThatIsNoDoubleIsWrittenAsText() throws {
    let number = try #require(Number("-1e400"))
    let data = try JSONEncoder().encode([Value.number(number)])
    #expect(try JSONDecoder().decode([Value].self, from: data) == [.string(number.text)])
  }
}
