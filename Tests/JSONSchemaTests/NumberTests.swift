import HCL
import TestKit
import Testing

@testable import JSONSchema

struct NumberTests {
  @Test(arguments: [
    ("4.5", "1.5", true), ("0.3", "0.1", true), ("0.35", "0.1", false), ("1e308", "1e-300", true), ("-9", "3", true),
    ("0", "7", true),
    ("0.0075", "0.0001", true), ("123456789012345678901234567890", "10", true),
    ("123456789012345678901234567891", "123456789012345678901234567891", true),
    ("246913578024691357802469135782", "123456789012345678901234567891", true),
    ("246913578024691357802469135783", "123456789012345678901234567891", false),
    ("1", "123456789012345678901234567891", false),
    ("1e999", "3e998", false), ("3e999", "3e998", true), ("1e999", "1e-990", true),
    ("999999999999999999", "999999999999999999", true),
  ])
  func multiplesAreExact(number: String, divisor: String, isMultiple: Bool) throws {
    #expect(try #require(Number(number)).isMultiple(of: try #require(Number(divisor))) == isMultiple)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func aProductIsAMultipleAndItsNeighbourIsNot(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    // Products that fit an Int, with zeros behind so that the divisor needs more than a word.
    let (left, right) = (
      Int.random(in: 2..<1_000_000_000, using: &random), Int.random(in: 1..<1_000_000_000, using: &random)
    )
    for zeros in ["", "000", String(repeating: "0", count: 30)] {
      let divisor = try #require(Number("\(left)\(zeros)"))
      #expect(try #require(Number("\(left * right)\(zeros)")).isMultiple(of: divisor))
      #expect(try !#require(Number("\(left * right + 1)\(zeros)")).isMultiple(of: divisor))
    }
  }

  @Test func hugeNumbersAreComparedExactly() throws {
    #expect(try Reading.violations(#"{"maximum":9007199254740992}"#, "9007199254740993").count == 1)
    #expect(try Reading.violations(#"{"const":0.1}"#, "0.10000000000000000000001").count == 1)
    #expect(try Reading.violations(#"{"const":1e300,"type":"integer"}"#, "10.0e299") == [])
    #expect(try Reading.violations(#"{"minLength":1e400}"#, #""a""#).count == 1)
    #expect(throws: ParseFailure.self) { try Reading.violations(#"{"maximum":1e1000000000}"#, "1") }
  }
}
