import HTTPTypes
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LogAndPlanTests {
  let tfe = TFE()
  let url = SignedURL("/logs/1?sig=s")

  @Test func aGrowingLogIsReadToItsEnd() async throws {
    tfe.server.on(
      "GET /logs/1", .status(200, body: [2] + Array("Terraform ".utf8)), .status(200), .status(416),
      .status(200, body: Array("v1.11\n".utf8) + [3]))
    let chunks = try await tfe.serve { client in
      var chunks: [LogChunk] = []
      while chunks.last?.isComplete != true {
        chunks.append(try await client.logs.read(url, offset: chunks.last?.nextOffset ?? 0, limit: 11))
      }
      return chunks
    }
    #expect(String(decoding: chunks.flatMap(\.bytes), as: UTF8.self) == "Terraform v1.11\n")
    #expect(chunks.map(\.nextOffset) == [11, 11, 11, 18])
    #expect(
      tfe.requests.map(\.query)
        == [
          "sig=s&limit=11&offset=0", "sig=s&limit=11&offset=11", "sig=s&limit=11&offset=11", "sig=s&limit=11&offset=11",
        ])
    #expect(tfe.requests.allSatisfy { $0.headers[.authorization] == nil })
  }

  @Test func anEmptyFinishedLogIsComplete() async throws {
    tfe.server.on("GET /logs/1", .status(200, body: [2, 3]))
    let chunk = try await tfe.serve { try await $0.logs.read(url) }
    #expect(chunk == LogChunk(bytes: [], nextOffset: 2, isComplete: true))
  }

  @Test func aStartMarkWithinTheLogIsText() async throws {
    tfe.server.on("GET /logs/1", .status(200, body: [2, 65]))
    let chunk = try await tfe.serve { try await $0.logs.read(url, offset: 5) }
    #expect(chunk.bytes == [2, 65])
  }

  @Test func anUnfinishedPlanHasNoJSON() async throws {
    tfe.server.on("GET /api/v2/plans/plan-1/json-output-redacted", .status(204))
    #expect(try await tfe.serve { try await $0.plans.redactedJSONOutput("plan-1") } == nil)
  }

  @Test func aPlansJSONTellsWhatHappensToWhich() async throws {
    tfe.server.on(
      "GET /api/v2/plans/plan-1/json-output-redacted",
      .json(
        """
        {"plan_format_version": "1.2", "provider_schemas": {}, "output_changes": {},
         "resource_changes": [
           {"address": "terraform_data.a", "mode": "managed", "type": "terraform_data", "name": "a",
            "change": {"actions": ["delete", "create"], "before": {"input": "x"}, "after": null}},
           {"address": "m.b", "previous_address": "b", "change": {"actions": ["no-op"]}}]}
        """))
    let plan = try await tfe.serve { try await $0.plans.redactedJSONOutput("plan-1") }
    #expect(plan?.resourceChanges.map(\.address) == ["terraform_data.a", "m.b"])
    #expect(plan?.resourceChanges.map(\.actions) == [["delete", "create"], ["no-op"]])
    #expect(plan?.resourceChanges.last?.previousAddress == "b")
    #expect(plan?.resourceDrift == [])
  }
}
