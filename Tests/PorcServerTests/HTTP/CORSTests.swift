import HTTPTypes
import Testing

@testable import PorcServer

/// Pages of other origins call PORC only where that is set.
@Suite(.timeLimit(.minutes(1)))
struct CORSTests {
  private static let origin = "https://portal.example.com"
  private static let asks = ["Origin": origin, "Access-Control-Request-Method": "POST"]

  private func names(_ reply: TestServer.Reply) -> [String] {
    reply.headers.map { $0.name.lowercased() }.filter { $0.hasPrefix("access-control-") || $0 == "vary" }.sorted()
  }

  @Test func withoutTheSettingNothingIsSaid() async throws {
    try await TestServer.run { test in
      #expect(try await names(test.get("/runs", headers: ["Origin": Self.origin])) == [])
      let preflight = try await test.call("OPTIONS", "/runs", token: "", headers: Self.asks)
      #expect(preflight.status == 405 && names(preflight) == [])
    }
  }

  @Test func aNamedOriginMayCall() async throws {
    try await TestServer.run {
      $0.corsOrigins = .some([Self.origin])
    } _: { test in
      let run = try await test.submit()
      for path in ["/runs", "/runs/\(run)/plan", "/events", "/nowhere"] {
        let preflight = try await test.call("OPTIONS", path, token: "", headers: Self.asks)
        #expect(preflight.status == 204 && preflight.bytes.isEmpty, "\(path)")
        #expect(preflight.header("Access-Control-Allow-Origin") == Self.origin)
        #expect(preflight.header("Vary") == "Origin")
        let headers = preflight.header("Access-Control-Allow-Headers")?.lowercased() ?? ""
        for name in ["authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id"] {
          #expect(headers.contains(name))
        }
        let methods = preflight.header("Access-Control-Allow-Methods") ?? ""
        for method in Set(test.server.routes.entries.map(\.method.rawValue)) { #expect(methods.contains(method)) }
      }
      let tag = try await test.get("/runs/\(run)/status").header("ETag") ?? ""
      let replies = [
        try await test.get("/runs/\(run)/summary", headers: ["Origin": Self.origin]),
        try await test.get("/runs/\(run)/status", headers: ["Origin": Self.origin, "If-None-Match": tag]),
        try await test.get("/runs/none", headers: ["Origin": Self.origin]),
        try await test.get("/nowhere", headers: ["Origin": Self.origin]),
        try await test.get("/runs", token: "", headers: ["Origin": Self.origin]),
        try await test.get("/runs?x=y", headers: ["Origin": Self.origin]),
        try await test.post("/healthz", headers: ["Origin": Self.origin]),
      ]
      #expect(replies.map(\.status) == [200, 304, 404, 404, 401, 400, 405])
      for reply in replies {
        #expect(reply.header("Access-Control-Allow-Origin") == Self.origin)
        #expect(reply.header("Vary") == "Origin")
        let exposed = reply.header("Access-Control-Expose-Headers") ?? ""
        for name in ["ETag", "Location", "Retry-After", "X-Request-ID"] { #expect(exposed.contains(name)) }
        #expect(reply.header("Access-Control-Allow-Credentials") == nil)
      }
      let stream = try await test.head(ofStream: "/events", headers: ["Origin": Self.origin])
      #expect(stream.header("Access-Control-Allow-Origin") == Self.origin)
    }
  }

  @Test func anotherOriginMayNot() async throws {
    try await TestServer.run {
      $0.corsOrigins = .some([Self.origin])
    } _: { test in
      for origin in ["https://evil.example.com", "http://portal.example.com", "\(Self.origin).evil.com", "null", ""] {
        let reply = try await test.get("/runs", headers: ["Origin": origin])
        #expect(reply.status == 200 && names(reply) == ["vary"], "a browser keeps it from \(origin)")
        let preflight = try await test.call(
          "OPTIONS", "/runs", token: "", headers: Self.asks.merging(["Origin": origin]) { $1 })
        #expect(preflight.status == 405 && names(preflight) == ["vary"], "\(origin)")
      }
      #expect(try await names(test.get("/runs")) == ["vary"])
    }
  }

  @Test func anyOriginIsAStar() async throws {
    try await TestServer.run {
      $0.corsOrigins = .any
    } _: { test in
      let reply = try await test.get("/runs", headers: ["Origin": "https://anywhere.example"])
      #expect(reply.header("Access-Control-Allow-Origin") == "*" && reply.header("Vary") == nil)
      let preflight = try await test.call("OPTIONS", "/runs", token: "", headers: Self.asks)
      #expect(preflight.status == 204 && preflight.header("Access-Control-Allow-Origin") == "*")
      #expect(
        try await test.get("/runs", token: "", headers: ["Origin": "https://a.b"]).status == 401, "the token counts")
    }
  }
}
