import Foundation
import TestKit
import Testing

/// `porc dev` with settings of the user's own, and the tools beside it.
@Suite(.timeLimit(.minutes(1)))
struct DevSettingsTests {
  private func porc(_ arguments: String..., in folder: TemporaryFolder) async throws -> Executable.Ending {
    try await Executable.run("porc", arguments, in: folder.path)
  }

  @Test func theToolsFindTheSettingsOfPorcDev() async throws {
    let folder = try TemporaryFolder()
    let settings = folder.file("porc.yaml")
    try Data(
      """
      porc:
        cors_origins: https://portal.example.com
        listen: 192.0.2.1:1
      port:
        action_prefix: team_a_
        instance_properties:
          stage: {from: metadata.environment}

      """.utf8
    ).write(to: settings)
    try await DevServer.run(["--config", settings.path], in: folder) { dev in
      let preflight = try await dev.porc.send(
        "OPTIONS /events", headers: ["Origin": "https://portal.example.com", "Access-Control-Request-Method": "GET"])
      #expect(preflight.status == 204)
      try await dev.plan(try await dev.submit(Blueprint.service(named: "web")))
      try await dev.port.shows("web", ["terraform_status": "planned", "stage": "test"])

      let doctor = try await porc("doctor", "--data", dev.data, in: folder).exiting(0)
      #expect(doctor.output.contains("ok    Port's buttons: as they should be\n"))
      #expect(doctor.output.contains("ok    what Port was told: everything, and it has acknowledged it\n"))
      try await dev.port.send(
        "PATCH /v1/blueprints/blueprint_instance/entities/web", .json(["properties": ["region": "moon"]])
      ).expecting(200)
      let diff = try await porc("port", "diff", "--detailed-exitcode", "--data", dev.data, in: folder).exiting(2)
      #expect(diff.output.contains(#"region is "moon" in Port, and should be "eu-west""#))
      try await porc("port", "sync", "--data", dev.data, in: folder).exiting(0)
      try await dev.port.shows("web", ["region": "eu-west"])
      let setUp = try await porc("port", "setup", "--detailed-exitcode", "--data", dev.data, in: folder).exiting(0)
      #expect(setUp.output.contains("action team_a_apply: as it should be\n"))

      // What lies in the folder is its owner's alone.
      let attributes = try FileManager.default.attributesOfItem(atPath: dev.data + "/settings.json")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    let elsewhere = try await porc("port", "diff", "--data", "nowhere", in: folder).exiting(4)
    #expect(elsewhere.error.contains("No porc dev has kept its data in 'nowhere'."))
  }

  @Test func aSettingsFileThatIsWrongIsToldByItsPlace() async throws {
    let folder = try TemporaryFolder()
    let settings = folder.file("porc.yaml")
    for (text, code, message) in [
      ("port:\n  instance_properties:\n    stage: {from: moon}\n", 6, "line 3"), ("port: [\n", 6, "cannot be read"),
      ("- port\n", 6, "is no mapping"), ("porc:\n  cors_origins: here\n", 6, "has 'here', which is no origin"),
      (
        "port:\n  require_signture: yes\n", 6,
        "line 2: 'port.require_signture' is no setting. Did you mean 'port.require_signature'?"
      ),
      ("prot:\n  setup: yes\n", 6, "line 1: 'prot' is no setting. Did you mean 'port'?"),
    ] as [(String, Int32, String)] {
      try Data(text.utf8).write(to: settings)
      let ending = try await porc(
        "dev", "--config", settings.path, "--listen", "127.0.0.1:0", "--tfe-listen", "127.0.0.1:0", "--port-listen",
        "127.0.0.1:0", in: folder
      ).exiting(code)
      #expect(ending.error.contains(message), "\(text)\(ending.error)")
    }
  }
}
