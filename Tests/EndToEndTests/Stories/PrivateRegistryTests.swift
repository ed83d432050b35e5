import Foundation
import Processes
import TestKit
import Testing

/// Modules that are published to Terraform Enterprise's own registry become templates.
struct PrivateRegistryTests {
  private static let module = """
    variable "text" { type = string }
    resource "terraform_data" "text" { input = var.text }
    output "text" { value = "VERSION: ${terraform_data.text.output}" }
    """

  @Test(.timeLimit(.minutes(1)))
  func aModuleThatIsPublishedThereIsDeployed() async throws {
    try await DevServer.run { dev in
      let modules = "/api/v2/organizations/porc-dev/registry-modules"
      try await dev.tfe.post(
        modules,
        ["data": ["type": "registry-modules", "attributes": ["name": "net", "provider": "local"]]]
      ).expecting(201)
      try await publish("1.2.0", in: modules, dev)
      let added = try await dev.porc.post("/templates/sources", ["name": "shared", "tfe": "porc-dev"]).expecting(201)
      #expect(added.json["templates"] == 1, "\(added.text)")
      let run = try await dev.deploy(Blueprint.of("net-local", "~> 1.0", named: "registered", ["text": "one"]))
      #expect(try await dev.summary(run)["outputs"]["text"]["value"] == "1.2.0: one")

      try await publish("1.10.0", in: modules, dev)
      try await dev.porc.post("/templates/sync").expecting(200)
      let next = try await dev.deploy(Blueprint.of("net-local", "~> 1.0", named: "registered", ["text": "two"]))
      #expect(try await dev.summary(next)["outputs"]["text"]["value"] == "1.10.0: two")
    }
  }

  private func publish(_ version: String, in modules: String, _ dev: DevServer) async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.module.replacing("VERSION", with: version), to: "module/main.tf")
    let archive = folder.file("module.tar.gz")
    let packed = try await Command(
      "tar", ["-czf", archive.path, "-C", folder.file("module").path, "."], environment: ["PATH": "/usr/bin:/bin"]
    ).capture()
    try #require(packed.status.isSuccess)
    let made = try await dev.tfe.post(
      "\(modules)/private/porc-dev/net/local/versions",
      ["data": ["type": "registry-module-versions", "attributes": ["version": .string(version)]]]
    ).expecting(201)
    let link = try #require(made.json["data"]["links"]["upload"].string)
    try await dev.tfe.send(
      "PUT \(link.replacing(dev.tfe.base, with: ""))",
      .bytes(try Data(contentsOf: archive), type: "application/octet-stream")
    ).expecting(200)
  }
}
