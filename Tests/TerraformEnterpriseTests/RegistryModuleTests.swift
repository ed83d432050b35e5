import Foundation
import TerraformEnterprise
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RegistryModuleTests {
  let tfe = TFE()

  private func list(_ pages: String...) async throws -> [RegistryModule] {
    for (index, page) in pages.enumerated() {
      let next = index + 1 < pages.count ? "\(index + 2)" : "null"
      tfe.server.on(
        "GET /api/v2/organizations/acme/registry-modules",
        .json(#"{"data": [\#(page)], "meta": {"pagination": {"next-page": \#(next)}}}"#))
    }
    return try await tfe.serve { try await $0.registryModules.list(organization: "acme").collected() }
  }

  private func module(_ attributes: String) -> String {
    """
    {"id": "mod-1", "type": "registry-modules",
     "attributes": {"name": "net", "namespace": "acme", "provider": "aws"\(attributes)}}
    """
  }

  @Test func onlyVersionsThatAreOkAreUsable() async throws {
    let modules = try await list(
      module(
        """
        , "registry-name": "private", "status": "setup_complete", "no-code": false, "permissions": {"can-delete": true},
        "updated-at": "2026-01-02T03:04:05.678Z", "publishing-mechanism": "git_tag",
        "version-statuses": [
          {"version": "1.0.0", "status": "ok"},
          {"version": "1.1.0", "status": "reg_ingress_failed", "error": "no main.tf"},
          {"version": "1.2.0", "status": "quantum"},
          {"version": "2.0.0", "status": "ok", "error": null}],
        "vcs-repo": {"identifier": "acme/modules", "display-identifier": "acme/modules", "branch": "", "tags": true,
          "source-directory": "net", "tag-prefix": "net-", "oauth-token-id": "ot-1", "webhook-url": "https://hook"}
        """))
    #expect(modules.count == 1)
    #expect(modules[0].id == "mod-1")
    #expect(modules[0].namespace == "acme")
    #expect(modules[0].status == .setupComplete)
    #expect(modules[0].updatedAt != nil)
    #expect(modules[0].versions.map(\.version) == ["1.0.0", "1.1.0", "1.2.0", "2.0.0"])
    #expect(modules[0].versions.map(\.status) == [.ok, .ingressFailed, "quantum", .ok])
    #expect(modules[0].versions[1].error == "no main.tf")
    #expect(modules[0].usableVersions.map(\.version) == ["1.0.0", "2.0.0"])
    #expect(modules[0].repository?.identifier == "acme/modules")
    #expect(modules[0].repository?.sourceDirectory == "net")
    #expect(modules[0].repository?.tagPrefix == "net-")
    #expect(modules[0].repository?.branch == nil)
  }

  @Test func allPagesOfThePrivateOnesAreRead() async throws {
    let modules = try await list(module(""), module(#", "version-statuses": [], "vcs-repo": null"#))
    #expect(modules.count == 2)
    #expect(modules.allSatisfy { $0.usableVersions.isEmpty && $0.repository == nil })
    let queries = tfe.requests.map { $0.query.removingPercentEncoding ?? "" }
    #expect(
      queries == [1, 2].map { "filter[registry_name]=private&page[number]=\($0)&page[size]=100" })
  }

  @Test func whatIsSearchedForIsSent() async throws {
    tfe.server.on("GET /api/v2/organizations/acme/registry-modules", .json(#"{"data": []}"#))
    _ = try await tfe.serve {
      try await $0.registryModules.list(organization: "acme", search: "a net", provider: "aws").collected()
    }
    #expect(
      tfe.requests[0].query.removingPercentEncoding
        == "filter[registry_name]=private&filter[provider]=aws&q=a net&page[number]=1&page[size]=100")
  }

  @Test func aDeprecatedVersionSaysWhy() async throws {
    let modules = try await list(
      module(
        """
        , "version-statuses": [
          {"version": "1.0.0", "status": "ok",
           "deprecation": {"deprecated-status": "Deprecated", "reason": "old", "link": "https://x"}},
          {"version": "1.1.0", "status": "ok", "deprecation": {"deprecated-status": "Undeprecated", "reason": ""}},
          {"version": "1.2.0", "status": "ok", "deprecation": null},
          {"version": "1.3.0", "status": "ok", "deprecation": "yes", "error": {"code": 1}}]
        """))
    #expect(modules[0].versions.map { $0.deprecation?.reason } == ["old", nil, nil, nil])
    #expect(modules[0].versions[0].deprecation?.link == "https://x")
    #expect(modules[0].versions[1].deprecation == nil)
    #expect(modules[0].usableVersions.count == 4, "deprecated is a warning, not a refusal")
  }

  @Test func aListThatIsNotOneIsAViolation() async throws {
    tfe.server.on(
      "GET /api/v2/organizations/acme/registry-modules",
      .json(#"{"data": [{"id": "mod-1", "type": "registry-modules", "attributes": {"name": 5}}]}"#))
    let error = try await tfe.error { _ = try await $0.registryModules.list(organization: "acme").collected() }
    #expect(error?.kind == .protocolViolation)
  }
}
