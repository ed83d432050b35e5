import Foundation
import HTTPTypes
import TerraformEnterprise
import TestKit
import Testing

/// What is sent for notification configurations, and what is understood of the answer.
@Suite(.timeLimit(.minutes(1)))
struct NotificationConfigurationTests {
  let tfe = TFE()
  static let settings = NotificationSettings(
    name: "PORC", url: "https://porc/webhooks/tfe/ws-1", token: "secret", triggers: [.needsAttention, .completed])

  func sent(_ index: Int = 0) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(tfe.requests[index].body)) as? NSDictionary)
  }

  func json(_ text: String) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
  }

  @Test(arguments: [
    (NotificationConfigurationsService.Subject.workspace("ws-1"), "workspaces/ws-1"),
    (.project("prj-1"), "projects/prj-1"),
  ])
  func oneIsMadeForAWorkspaceOrAProject(
    subject: NotificationConfigurationsService.Subject, path: String
  ) async throws {
    tfe.server.on(
      "POST /api/v2/\(path)/notification-configurations",
      TFE.document(
        "notification-configurations", "nc-1",
        #"{"name": "PORC", "enabled": true, "url": "https://porc", "token": null, "triggers": ["run:completed", "new"]}"#,
        status: 201))
    let made = try await tfe.serve {
      try await $0.notificationConfigurations.create(for: subject, Self.settings)
    }
    #expect(made.id == "nc-1" && made.name == "PORC" && made.isEnabled && made.url == "https://porc")
    #expect(made.triggers == [.completed, "new"])
    #expect(
      try sent()
        == json(
          """
          {"data": {"type": "notification-configuration", "attributes": {
            "destination-type": "generic", "enabled": true, "name": "PORC", "url": "https://porc/webhooks/tfe/ws-1",
            "token": "secret", "triggers": ["run:needs_attention", "run:completed"]}}}
          """))
  }

  @Test func oneIsWrittenAnewWithItsSecret() async throws {
    tfe.server.on(
      "PATCH /api/v2/notification-configurations/nc-1",
      TFE.document("notification-configurations", "nc-1", #"{"name": "PORC", "enabled": true}"#))
    let changed = try await tfe.serve { try await $0.notificationConfigurations.update("nc-1", Self.settings) }
    #expect(changed.isEnabled && changed.triggers.isEmpty)
    let data = try #require(try sent()["data"] as? NSDictionary)
    let attributes = try #require(data["attributes"] as? NSDictionary)
    #expect(attributes["token"] as? String == "secret" && attributes["destination-type"] == nil)
    #expect("\(Self.settings)".contains("secret") == false)
  }
}
