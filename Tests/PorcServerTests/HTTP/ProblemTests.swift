import HCL
import PorcCore
import Testing

@testable import PorcServer

/// Whatever is asked wrongly is answered with what is wrong and what to do, and changes nothing.
@Suite(.timeLimit(.minutes(1)))
struct ProblemTests {
  /// The answer is a whole problem document.
  private func expect(
    _ reply: TestServer.Reply, _ status: Int, _ code: String, _ comment: Comment? = nil,
    _ place: SourceLocation = #_sourceLocation
  ) {
    #expect(reply.status == status, comment, sourceLocation: place)
    #expect(reply.code == code, comment, sourceLocation: place)
    #expect(reply.json["status"] == .number(Number(reply.status)), sourceLocation: place)
    #expect(reply.json["type"]?.stringValue == "https://porc.dev/problems/\(code)", sourceLocation: place)
    #expect(reply.json["detail"]?.stringValue?.isEmpty == false, sourceLocation: place)
    #expect(reply.json["fix"]?.stringValue?.isEmpty == false, sourceLocation: place)
    let id = reply.header("X-Request-ID")
    #expect(id?.isEmpty == false && reply.json["request_id"]?.stringValue == id, sourceLocation: place)
  }

  @Test func everyAnswerNamesItsRequest() async throws {
    try await TestServer.run { test in
      let ids = try await [test.get("/healthz"), test.get("/runs"), test.get("/nowhere")].map {
        $0.header("X-Request-ID")
      }
      #expect(Set(ids).count == 3 && !ids.contains(nil))
      #expect(test.log.lines.contains { $0.contains(ids[1] ?? "-") && $0.contains("/runs") })
    }
  }

  @Test func whatIsNotThereIsNotFound() async throws {
    try await TestServer.run { test in
      for path in ["/nowhere", "/", "/runs/x/y/z", "/runs//status", "/.git/config"] {
        expect(try await test.get(path), 404, "not-found", "\(path)")
      }
      for path in [
        "/runs/porc-none", "/runs/run-none/status", "/instances/none", "/templates/none", "/runs?cursor=none",
      ] {
        expect(try await test.get(path), 404, "not-found", "\(path)")
      }
      for verb in ["build", "plan", "apply", "approve", "discard", "cancel", "override"] {
        expect(try await test.post("/runs/porc-none/\(verb)"), 404, "not-found", "\(verb)")
        expect(try await test.post("/run/porc-none/\(verb)"), 404, "not-found", "\(verb)")
      }
      expect(try await test.post("/instances/none/destroy"), 404, "not-found")
    }
  }

  @Test func aWrongMethodIsToldTheRightOnes() async throws {
    try await TestServer.run { test in
      for (method, path, allowed) in [
        ("DELETE", "/runs", "GET, HEAD, POST"), ("GET", "/runs/x/plan", "POST"), ("HEAD", "/runs/x/plan", "POST"),
        ("PUT", "/run/x/summary", "GET, HEAD"), ("POST", "/healthz", "GET, HEAD"), ("PATCH", "/templates", "GET, HEAD"),
      ] {
        let reply = try await test.call(method, path)
        if method == "HEAD" {
          #expect(reply.status == 405)
        } else {
          expect(reply, 405, "method-not-allowed", "\(method) \(path)")
        }
        let methods = reply.header("Allow")?.split(separator: ",").map { $0.drop { $0 == " " } }.sorted()
        #expect(methods?.joined(separator: ", ") == allowed, "\(method) \(path)")
      }
    }
  }

  @Test func whatCanBeReadAnswersHeadWithoutABody() async throws {
    try await TestServer.run { test in
      for path in ["/healthz", "/runs", "/openapi.json"] {
        let read = try await test.get(path)
        let head = try await test.call("HEAD", path)
        #expect(head.status == 200 && head.text.isEmpty, "\(path)")
        #expect(head.header("Content-Type") == read.header("Content-Type"), "\(path)")
      }
      #expect(try await test.call("HEAD", "/runs", token: "wrong").status == 401)
    }
  }

  @Test func unknownQueryValuesAreRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      for path in [
        "/runs?state=lost", "/runs?operation=keep", "/runs?limit=0", "/runs?limit=201", "/runs?limit=many",
        "/runs?status=planned", "/runs?instance_id=web", "/instances?name=web", "/templates?kind=web",
        "/events?since=1", "/runs?limit=", "/runs?limit=99999999999999999999", "/instances?limit=-1",
        "/templates?status=old",
        "/events?after=x", "/events?after=-1", "/events?limit=1001", "/runs/\(run)/status?wait=61",
        "/runs/\(run)/status?wait=-1", "/runs/\(run)/logs?phase=init",
      ] { expect(try await test.get(path), 400, "malformed-request", "\(path)") }
      for path in ["/events", "/runs/\(run)/logs"] {
        expect(
          try await test.get(path, headers: ["Accept": "text/event-stream", "Last-Event-ID": "x"]), 400,
          "malformed-request", "\(path)")
      }
    }
  }

  @Test func bodiesThatCannotBeReadAreRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let deep = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
      for body in [
        "{", "[]", "null", #"{"Apply": true}"#, #"{"plan": "run-1"}"#, "7", #"{"apply": "yes"}"#, #"{"apply": true"#,
        "apply=true", #"{"supersede": \#(deep)}"#,
        deep,
        "\u{0}",
      ] {
        expect(try await test.post("/runs/\(run)/plan", body), 400, "malformed-request", "\(body.prefix(40))")
      }
      expect(try await test.post("/runs/\(run)/apply", #"{"tfe_run_id": 7}"#), 400, "malformed-request")
      expect(
        try await test.post("/runs/run-1/apply", #"{"tfe_run_id": "run-2"}"#), 400, "malformed-request",
        "two plans at once")
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "submitted")
    }
  }

  /// What an action of Port sends beside what it was told to.
  @Test(arguments: [
    #"{"port_context": {"runId": "r_1"}, "reason": null}"#,
    #"{"action": "apply", "trigger": {}, "context": {"runId": "r_1"}, "payload": {"properties": {}}}"#,
  ])
  func anActionOfPortMayAddItsOwn(body: String) async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      #expect(try await test.post("/runs/\(run)/plan", body).status == 202)
    }
  }

  @Test func aBlueprintThatIsWrongIsToldEverythingAtOnce() async throws {
    try await TestServer.run { test in
      let reply = try await test.post(
        "/runs",
        """
        kind: web
        schema_version: 1.0.0
        metadata:
          name: Not A Name
        inputs:
          size: many
          reigon: eu
        """)
      expect(reply, 422, "invalid-input")
      let findings = reply.json["findings"]?.arrayValue ?? []
      #expect(
        Set(findings.compactMap { $0["pointer"]?.stringValue })
          == ["/metadata/name", "/inputs/size", "/inputs/reigon", "/inputs/region"])
      #expect(findings.first { $0["pointer"] == "/inputs/size" }?["line"] == 6)
      for body in [
        "", " \n", "{", "kind: [", "- a\n- b", "\u{0}", "--- a\n--- b", String(repeating: "[", count: 50_000),
      ] {
        expect(try await test.post("/runs", body), 422, "invalid-input", "\(body.prefix(20))")
      }
      #expect(try await test.get("/instances").json["instances"] == [])
    }
  }

  @Test func contentTypesAreTakenAtTheirWord() async throws {
    try await TestServer.run { test in
      let (json, yaml) = (
        Samples.blueprint(), "kind: web\nschema_version: 1.0.0\nmetadata: {name: web}\ninputs: {region: eu}"
      )
      for type in ["image/png", "application/xml", "multipart/form-data; boundary=x", "application/merge-patch+json"] {
        expect(
          try await test.post("/runs", json, headers: ["Content-Type": type]), 415, "unsupported-media-type", "\(type)")
      }
      expect(try await test.post("/runs", yaml, headers: ["Content-Type": "application/json"]), 422, "invalid-input")
      for type in ["application/yaml", "text/yaml; charset=utf-8", "text/plain", "APPLICATION/X-YAML"] {
        #expect(try await test.post("/runs", yaml, headers: ["Content-Type": type]).status == 201, "\(type)")
      }
      let good = try await test.post("/runs", json, headers: ["Content-Type": "application/json; charset=utf-8"])
      #expect(good.status == 201)
      #expect(good.header("Location") == "/runs/\(good.json["run_id"]?.stringValue ?? "")")
    }
  }

  @Test func bodiesThatAreTooLargeAreRefused() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let large = String(repeating: " ", count: Blueprint.maximumSize + 1)
      expect(try await test.post("/runs", large), 413, "too-large")
      expect(try await test.post("/runs/\(run)/plan", large), 413, "too-large")
      #expect(try await test.post("/runs/\(run)/build", String(large.dropLast(3)) + "{}").status == 202)
    }
  }

  @Test func whatTheStateForbidsIsRefusedAndSaysWhy() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      for verb in ["apply", "approve", "discard", "override"] {
        expect(try await test.post("/runs/\(run)/\(verb)", #"{"reason": "why not"}"#), 409, "wrong-state", "\(verb)")
      }
      let other = try await test.post("/runs", Samples.blueprint("web", kind: "wep"))
      expect(other, 422, "invalid-input")
      #expect(other.json["findings"]?[0]?["fix"] == "Did you mean 'web'?")
    }
  }

  /// Ids are text, whatever is in them.
  @Test func hostilePathsDoNoHarm() async throws {
    try await TestServer.run { test in
      let run = try await test.submit()
      let long = String(repeating: "a", count: 6000)
      for id in [
        "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "a%0d%0aSet-Cookie:x", "%ff%fe", "'%20OR%20'1'='1", "%", "%zz",
        long,
        "*", "{run_id}", "porc-%F0%9F%92%A9", "\(run)%2Fplan", "\(run)%20",
      ] {
        for path in [
          "/runs/\(id)/status", "/instances/\(id)", "/templates/\(id)", "/runs?instance=\(id)", "/runs?cursor=\(id)",
        ] {
          let reply = try await test.get(path)
          #expect([200, 400, 404].contains(reply.status), "\(path.prefix(60)): \(reply.status)")
          #expect(reply.header("Set-Cookie") == nil)
          if reply.status != 200 { #expect(reply.code != nil, "\(path.prefix(60))") }
        }
        let planned = try await test.post("/runs/\(id)/plan")
        #expect([400, 404].contains(planned.status), "\(id.prefix(60)): \(planned.status)")
      }
      #expect(try await test.get("/runs/\(run)/status").json["status"] == "submitted")
      #expect(try await test.get("/instances").json["instances"]?.arrayValue?.count == 1)
    }
  }
}
