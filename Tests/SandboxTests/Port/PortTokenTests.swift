import Foundation
import Sandbox
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PortTokenTests {
  let right: JSONValue = ["clientId": .string(Port.clientID), "clientSecret": .string(Port.clientSecret)]

  @Test func theTokenIsTheSameUntilItExpires() async throws {
    try await Port.run { port in
      let first = try await port.call("POST", "/v1/auth/access_token", right, token: nil)
      #expect(first.status == 200)
      #expect(first.body["tokenType"] == "Bearer")
      #expect(first.body["expiresIn"] == 10800)
      let token = try #require(first.body["accessToken"].string)
      #expect(token.split(separator: ".").count == 3)

      port.time.advance(by: 10_000)
      let again = try await port.call("POST", "/v1/auth/access_token", right, token: nil)
      #expect(again.body["accessToken"].string == token)
      #expect(again.body["expiresIn"] == 800)
      #expect(try await port.call("GET", "/v1/blueprints", token: token).status == 200)

      port.time.advance(by: 801)
      #expect(try await port.call("GET", "/v1/blueprints", token: token).status == 401)
      let next = try await port.call("POST", "/v1/auth/access_token", right, token: nil)
      #expect(next.body["accessToken"].string != token)
    }
  }

  @Test func theTokenOutlivesARestart() async throws {
    let folder = try TemporaryFolder()
    let token = try await Port.run(in: folder) {
      try await $0.call("POST", "/v1/auth/access_token", right, token: nil).body["accessToken"].string
    }
    try await Port.run(in: folder) { port in
      #expect(try await port.call("GET", "/v1/blueprints", token: token).status == 200)
      let again = try await port.call("POST", "/v1/auth/access_token", right, token: nil)
      #expect(again.body["accessToken"].string == token)
    }
  }

  @Test func wrongCredentialsAreRefused() async throws {
    try await Port.run { port in
      for wrong: JSONValue in [
        ["clientId": "client-1", "clientSecret": "x"], ["clientId": "x", "clientSecret": "secret-1"],
      ] {
        let answer = try await port.call("POST", "/v1/auth/access_token", wrong, token: nil)
        #expect(answer.status == 401)
        #expect(answer.body["ok"] == false)
        #expect(answer.body["error"] == "unauthorized")
      }
      #expect(try await port.call("POST", "/v1/auth/access_token", ["clientId": "client-1"], token: nil).status == 422)
    }
  }

  @Test func everythingElseNeedsAToken() async throws {
    try await Port.run { port in
      let token =
        try await port.call("POST", "/v1/auth/access_token", right, token: nil).body["accessToken"].string ?? ""
      let parts = token.split(separator: ".").map(String.init)
      let claims = Data(#"{"exp":99999999999}"#.utf8).base64EncodedString().replacing("=", with: "")
      for wrong in [
        nil, "", "x", "a.b.c", "\(parts[0]).\(claims).\(parts[2])", "\(parts[0]).\(parts[1]).", token + "x",
      ] {
        #expect(try await port.call("GET", "/v1/blueprints", token: wrong).status == 401)
        #expect(try await port.call("GET", "/_sandbox/requests", token: wrong).status == 401)
      }
    }
  }

  @Test func whatWasAskedCanBeReadWithoutTheSecret() async throws {
    try await Port.run { port in
      _ = try await port.call("POST", "/v1/auth/access_token", right, token: nil)
      _ = try await port.call("GET", "/v1/blueprints/none")
      let log = try await port.call("GET", "/_sandbox/requests").body["requests"].array ?? []
      #expect(log.map { $0["path"] } == ["/v1/auth/access_token", "/v1/blueprints/none"])
      #expect(log.map { $0["status"] } == [200, 404])
      #expect(!JSONValue.array(log).text.contains(Port.clientSecret))
      #expect(port.sandbox.requests.records().map(\.line).prefix(2).last == "GET /v1/blueprints/none")
    }
  }

  @Test func everyAnswerHasPortsHeaders() async throws {
    try await Port.run(requestsPerWindow: 3) { port in
      let answers = [
        try await port.call("GET", "/v1/blueprints"), try await port.call("GET", "/v1/nowhere"),
        try await port.call("GET", "/v1/blueprints", token: nil), try await port.call("GET", "/v1/blueprints"),
      ]
      #expect(answers.map(\.status) == [200, 404, 401, 429])
      #expect(answers.map { $0.header("x-ratelimit-remaining") } == ["2", "1", "0", "0"])
      for answer in answers {
        #expect(answer.header("X-Trace-Id")?.count == 32)
        #expect(answer.header("x-ratelimit-limit") == "3")
        #expect(answer.header("x-ratelimit-period") == "300")
        #expect((answer.header("x-ratelimit-reset").flatMap(Int.init) ?? 0) > 1_795_428_900)
      }
      port.time.advance(by: 300)
      #expect(try await port.call("GET", "/v1/blueprints").status == 200)
    }
  }
}
