import Foundation
import PortPortal
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SecretTests {
  private let port = PortScript()
  private let path = "/v1/organization/secrets"
  private let stored = #"{"secretName": "PORC_TOKEN", "description": "d", "updatedAt": "2026-01-02T03:04:05.000Z"}"#

  @Test func whatIsKnownOfSecretsIsRead() async throws {
    port.server.on("GET \(path)", .json(#"{"ok":true,"secrets":[\#(stored)]}"#))
    port.server.on("GET \(path)/PORC_TOKEN", .json(#"{"ok":true,"secret":\#(stored)}"#))
    port.server.on("GET \(path)/none", .refusal(404, "not_found"))
    try await port.run { client async throws in
      #expect(try await client.secrets.list().map(\.name) == ["PORC_TOKEN"])
      let secret = try await client.secrets.get("PORC_TOKEN")
      #expect(secret?.name == "PORC_TOKEN" && secret?.description == "d")
      #expect(secret?.updatedAt == Date(timeIntervalSince1970: 1_767_323_045))
      #expect(try await client.secrets.get("none") == nil)
    }
  }

  @Test func aSecretIsMadeAndGivenAnotherValue() async throws {
    port.server.on("POST \(path)", .json(#"{"ok":true}"#, status: 201))
    port.server.on("PATCH \(path)/PORC_TOKEN", .json(#"{"ok":true}"#))
    try await port.run { client in
      try await client.secrets.create("PORC_TOKEN", value: "v1", description: "d")
      try await client.secrets.update("PORC_TOKEN", value: "v2")
    }
    #expect(
      port.requests.map(\.json) == [
        ["secretName": "PORC_TOKEN", "secretValue": "v1", "description": "d"], ["secretValue": "v2"],
      ])
  }

  @Test func aSecretThatIsThereIsAConflictAndItsValueIsInNoError() async throws {
    port.server.on("POST \(path)", .refusal(409, "exists"))
    let error = try await port.run { client in
      try await portError { try await client.secrets.create("PORC_TOKEN", value: "s3cret-value") }
    }
    #expect(error?.kind == .conflict)
    #expect(error.map { "\($0)".contains("s3cret-value") } == false)
  }
}
