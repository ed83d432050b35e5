import HTTPExchange
import HTTPTypes
import TerraformEnterprise
import TestKit
import Testing

/// The token goes to the configured host and to no address that has a secret of its own.
@Suite(.timeLimit(.minutes(1)))
struct CredentialTests {
  let tfe = TFE()
  let other = ScriptedServer()

  @Test func theAPIGetsTheTokenAndOurName() async throws {
    tfe.server.on("GET /api/v2/runs/run-1", TFE.run())
    _ = try await tfe.serve { try await $0.runs.read("run-1") }
    #expect(tfe.requests[0].headers[.authorization] == "Bearer \(TFE.token)")
    #expect(tfe.requests[0].headers[.userAgent] == "tests/1")
  }

  @Test func anUploadElsewhereCarriesNoToken() async throws {
    other.on("PUT /object/abc", .status(200))
    try await other.serve { elsewhere in
      try await tfe.serve { client in
        try await client.configurationVersions.upload([31, 139, 8], to: SignedURL("\(elsewhere)/object/abc?s=1"))
      }
    }
    #expect(other.requests[0].headers[.authorization] == nil)
    #expect(other.requests[0].body == [31, 139, 8])
    #expect(other.requests[0].query == "s=1")
    #expect(other.requests[0].headers[.contentType] == "application/octet-stream")
    #expect(other.requests[0].headers[.contentLength] == "3")
  }

  @Test func anUploadToTheSameHostCarriesNoTokenEither() async throws {
    tfe.server.on("PUT /object/abc", .status(500), .status(200))
    try await tfe.serve { try await $0.configurationVersions.upload([1], to: SignedURL("/object/abc")) }
    #expect(tfe.requests.map { $0.headers[.authorization] } == [nil, nil])
    #expect(tfe.requests.map(\.body) == [[1], [1]], "a PUT is repeated whole")
  }

  @Test func aRedirectedPlanIsReadWithoutTheToken() async throws {
    other.on("GET /object/plan", .json(#"{"resource_changes": []}"#))
    let plan = try await other.serve { elsewhere in
      tfe.server.on(
        "GET /api/v2/plans/plan-1/json-output", .status(307, headers: [.location: "\(elsewhere)/object/plan?key=k"]))
      return try await tfe.serve { try await $0.plans.jsonOutput("plan-1") }
    }
    #expect(plan?.resourceChanges.isEmpty == true)
    #expect(tfe.requests[0].headers[.authorization] == "Bearer \(TFE.token)")
    #expect(other.requests[0].headers[.authorization] == nil)
    #expect(other.requests[0].query == "key=k")
  }

  @Test func anUnexpectedRedirectIsNotFollowed() async throws {
    try await other.serve { elsewhere in
      tfe.server.on("GET /api/v2/runs/run-1", .status(302, headers: [.location: "\(elsewhere)/x"]))
      let error = try await tfe.error { _ = try await $0.runs.read("run-1") }
      #expect(error?.kind == .protocolViolation)
      #expect(error?.status == 302)
    }
    #expect(other.requests.isEmpty)
  }

  @Test func whatIsPrintedTellsNoSecret() async throws {
    tfe.server.always("GET /object/secret-path") { _ in .status(403) }
    let error = try await tfe.error { _ = try await $0.logs.read(SignedURL("/object/secret-path?sig=secret-query")) }
    let printed = "\(error.map(String.init(describing:)) ?? "") \(error.map(String.init(reflecting:)) ?? "")"
    #expect(error?.kind == .forbidden)
    #expect(!printed.contains("secret"))
    #expect("\(BearerToken(TFE.token)) \(SignedURL("https://h/s"))" == "••• •••")
    var dumped = ""
    dump(
      (BearerToken(TFE.token), SignedURL("https://h/secret"), VariableSettings(key: "k", value: "secret")), to: &dumped)
    #expect(!dumped.contains("secret"))
  }

  @Test func anErrorNamesThePathButNotTheQuery() async throws {
    tfe.server.on("GET /api/v2/workspaces/ws-1/runs", .status(404))
    let error = try await tfe.error {
      _ = try await $0.runs.list(workspace: "ws-1", RunFilter(search: "word")).collected()
    }
    #expect(error?.path == "/api/v2/workspaces/ws-1/runs")
    #expect(error?.method == "GET")
    #expect(error?.message == "It is absent, or the token may not see it.")
  }
}
