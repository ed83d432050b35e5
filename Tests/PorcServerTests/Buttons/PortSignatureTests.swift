import Crypto
import Foundation
import HTTPTypes
import Testing

@testable import PorcServer

/// Port's signature, with known answers, each computed with Python's hmac too.
@Suite struct PortSignatureTests {
  private static let secret = "porc-test-secret"
  private static let known = [
    (#"{"a":1}"#, "v1,4517kdmGxU+YTwu4oehgWMOXu69QgBGClAczXrPrnEc="),
    (#"{"name":"café"}"#, "v1,1ayB2ZgN/AWbZATOfQ2RW2z+F7gBE7RM07A347sxHis="),
    ("", "v1,sqI2S3GyTFCx7j18X8yemZ59SS7VqcJxc/Opvwnh21g="),
  ]

  private func signature(_ header: String?, at timestamp: String? = "1700000000") throws -> PortSignature? {
    var headers = HTTPFields()
    headers[try #require(HTTPField.Name("X-Port-Signature"))] = header
    headers[try #require(HTTPField.Name("X-Port-Timestamp"))] = timestamp
    return PortSignature(headers)
  }

  @Test(arguments: known)
  func theKnownAnswersAreTaken(body: String, header: String) throws {
    let signature = try #require(try signature(header))
    let bytes = Array(body.utf8)
    #expect(signature.signs(bytes, with: [Self.secret]))
    #expect(signature.signs(bytes, with: ["older", Self.secret]), "while a secret is being changed both are good")
    #expect(!signature.signs(bytes, with: []) && !signature.signs(bytes, with: ["older"]))
    #expect(!signature.signs(bytes + [0x20], with: [Self.secret]))
    let later = try #require(try self.signature(header, at: "1700000001"))
    #expect(!later.signs(bytes, with: [Self.secret]), "the time is signed too")
  }

  /// The agent sends spaces that it does not sign.
  @Test func theAgentsFormIsTakenOnlyWhereItMayCome() throws {
    let signature = try #require(try signature(Self.known[0].1))
    let body = Array(#"{"a": 1}"#.utf8)
    #expect(!signature.signs(body, with: [Self.secret]))
    #expect(signature.signs(body, with: [Self.secret], agent: true))
    #expect(signature.signs(Array(#"{"a":1}"#.utf8), with: [Self.secret], agent: true))
    #expect(!signature.signs(Array(#"{"a": 2}"#.utf8), with: [Self.secret], agent: true))
  }

  @Test(arguments: [
    (#"{ "b" : 1.0, "a" : [ 1e2 , -0 ] }"#, #"{"b":1.0,"a":[1e2,-0]}"#),
    ("{\"a\":\t\"x y\"\r\n}", #"{"a":"x y"}"#),
    (#"{"a: \" , \\": "}: \\\""}"#, #"{"a: \" , \\":"}: \\\""}"#),
    (#"{"a": "\\"}"#, #"{"a":"\\"}"#),
    (#"{"é": "☃ 😀"}"#, #"{"\u00e9":"\u2603 \ud83d\ude00"}"#),
    (#"{"a": "\u00E9\/"}"#, #"{"a":"\u00E9\/"}"#),
    ("{\"a\": \"\u{7F}\"}", #"{"a":"\u007f"}"#),
    ("", ""),
  ])
  func whatTheAgentSignsHasNoWhiteSpaceAndIsASCII(sent: String, signed: String) {
    #expect(AgentForm.signed(Array(sent.utf8)).map { String(decoding: $0, as: UTF8.self) } == signed)
  }

  @Test func whatIsNotUTF8HasNoSuchForm() {
    #expect(AgentForm.signed([0x22, 0xC3, 0x28, 0x22]) == nil)
    #expect(AgentForm.signed([0x22, 0xED, 0xA0, 0x80, 0x22]) == nil)
  }

  @Test(
    arguments: [
      (nil, "1700000000"), ("", "1700000000"), ("v1,", "1700000000"), ("v1", "1700000000"),
      ("v2,4517kdmGxU+YTwu4oehgWMOXu69QgBGClAczXrPrnEc=", "1700000000"),
      ("4517kdmGxU+YTwu4oehgWMOXu69QgBGClAczXrPrnEc=", "1700000000"),
      ("v1,4517kdmGxU", "1700000000"), ("v1,4517kdmGxU+YTwu4oehgWMOXu69QgBGClAczXrPrnEc=,x", "1700000000"),
      (known[0].1, nil), (known[0].1, ""), (known[0].1, "-1"), (known[0].1, "1e9"), (known[0].1, "1700000000.0"),
      (known[0].1, "1700000000, 1700000000"), (known[0].1, "１７"), (known[0].1, "17000000000000000"),
    ] as [(String?, String?)])
  func whatCannotBeOneIsNone(header: String?, timestamp: String?) throws {
    #expect(try signature(header, at: timestamp) == nil)
  }

  @Test(arguments: [(0.0, true), (300, true), (-300, true), (301, false), (-301, false), (1e9, false)])
  func itIsGoodForFiveMinutes(later: TimeInterval, isFresh: Bool) throws {
    let signature = try #require(try signature(Self.known[0].1))
    #expect(signature.isFresh(at: Date(timeIntervalSince1970: 1_700_000_000 + later)) == isFresh)
  }
}
