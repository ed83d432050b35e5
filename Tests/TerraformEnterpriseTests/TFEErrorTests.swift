import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TFEErrorTests {
  let tfe = TFE()

  func error(_ answer: ScriptedServer.Answer) async throws -> TFEError? {
    tfe.server.on("POST /api/v2/runs", answer)
    return try await tfe.error { _ = try await $0.runs.create(RunOptions(workspaceID: "ws-1")) }
  }

  @Test func theVendorsWordsAreKept() async throws {
    let error = try await error(
      .json(
        """
        {"errors": [
          {"status": "422", "title": "invalid attribute", "detail": "Name has already been taken",
           "source": {"pointer": "/data/attributes/name"}, "new-field": {}},
          {"status": 422, "title": "no detail"},
          "plain text"
        ]}
        """, status: 422))
    #expect(error?.kind == .unprocessable)
    #expect(
      error?.details == [
        .init(title: "invalid attribute", detail: "Name has already been taken", pointer: "/data/attributes/name"),
        .init(title: "no detail"), .init(title: "plain text"),
      ])
    #expect(error?.message.contains("Name has already been taken (/data/attributes/name)") == true)
  }

  @Test(arguments: [
    (401, TFEError.Kind.unauthorized), (403, .forbidden), (404, .notFound), (409, .conflict), (412, .refused),
    (422, .unprocessable), (501, .server), (505, .server),
  ])
  func eachStatusHasItsKind(status: Int, kind: TFEError.Kind) async throws {
    let error = try await error(.status(status, body: Array("<html>".utf8)))
    #expect(error?.kind == kind)
    #expect(error?.details.isEmpty == true)
  }

  @Test(arguments: ["<html>sign in</html>", "{}", #"{"data": {"id": "run-1", "type": "runs"}}"#, #"{"data": null}"#])
  func anAnswerThatIsNotTheDocumentIsAProtocolViolation(body: String) async throws {
    let error = try await error(.json(body))
    #expect(error?.kind == .protocolViolation)
    #expect(error?.status == 200)
    #expect(error?.explanation?.contains("sign in") == false)
  }
}
