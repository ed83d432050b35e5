import Foundation
import TestKit
import Testing

/// `porc port` with a real server and a real Port: set up, compared, put right, and rebuilt.
@Suite(.timeLimit(.minutes(1)))
struct PortToolTests {
  @Test func portIsSetUpOnce() async throws {
    try await Installation.run { place in
      try await place.startTFE()
      try await place.startPort()
      try await place.publish()
      let port = try await place.port()

      // Whoever only looks makes no database where the settings name a wrong one.
      let nowhere = place.folder.file("nowhere/porc.sqlite")
      let mistaken = ["PORC_DATABASE_URL": "sqlite:\(nowhere.path)", "PORT_SETUPP": "no"]
      let first = try await place.runPorc(["doctor"], mistaken).exiting(7)
      #expect(first.output.contains("ok    database: \(nowhere.path) is not there yet; porc serve makes it\n"))
      #expect(first.output.contains("FAIL  settings: 'PORT_SETUPP' in the environment is no setting."))
      try await place.runPorc(["port", "setup", "--dry-run"], mistaken).exiting(0)
      #expect(!FileManager.default.fileExists(atPath: nowhere.deletingLastPathComponent().path))

      let rehearsal = try await place.runPorc("port", "setup", "--dry-run", "--detailed-exitcode").exiting(2)
      #expect(rehearsal.output.contains("blueprint blueprint_template: would be made\n"))
      #expect(rehearsal.output.contains("action porc_confirm_destroy: would be made\n"))
      #expect(try await port.get("/v1/blueprints/blueprint_template").status == 404)
      let ill = try await place.runPorc("doctor").exiting(7)
      #expect(ill.output.contains("FAIL  Port's buttons: action porc_plan is not there"))

      let made = try await place.runPorc("port", "setup").exiting(0)
      #expect(made.output.contains("secret PORC_TOKEN: made: with a new token of PORC\n"))
      #expect(!made.output.contains("porc_") || made.output.split(separator: "\n").count == 10)
      let again = try await place.runPorc("port", "setup", "--detailed-exitcode").exiting(0)
      #expect(again.output.split(separator: "\n").allSatisfy { $0.hasSuffix(": as it should be") })

      let rotated = try await place.runPorc("port", "setup", "--rotate-token").exiting(0)
      #expect(rotated.output.contains("secret PORC_TOKEN: changed"))
      let tokens = try await place.runPorc("token", "list").exiting(0).output.split(separator: "\n")
      #expect(tokens.filter { $0.contains("  port") }.count == 2)
      #expect(tokens.filter { $0.contains("  port") && $0.contains("revoked") }.count == 1)

      try await port.send(
        "PATCH /v1/blueprints/blueprint_instance",
        .json(["relations": ["blueprint": ["target": "blueprint_instance", "many": false, "required": false]]])
      ).expecting(200)
      let conflict = try await place.runPorc("port", "setup").exiting(5)
      #expect(conflict.error.contains("The relation 'blueprint' leads to one of 'blueprint_instance' there"))
    }
  }

  @Test func whatDiffersIsShownPutRightAndRebuilt() async throws {
    try await Installation.run { place in
      try await place.startTFE()
      try await place.startPort()
      try await place.startPORC(isTold: true)
      let porc = try await place.porc()
      let run = try await OutageTests.deploy(Blueprint.service(named: "web"), on: porc)
      var port = try await place.port()
      try await port.shows("web", ["terraform_status": "applied"])
      try await place.runPorc("port", "sync").exiting(0)
      let same = try await place.runPorc("port", "diff", "--detailed-exitcode").exiting(0)
      #expect(same.output.contains("Port shows what it should."))

      // Somebody edits one of PORC's entities, deletes another, and makes one of their own.
      let path = "/v1/blueprints/blueprint_instance/entities"
      try await port.send(
        "PATCH \(path)/web", .json(["properties": ["terraform_status": "destroyed", "region": .null]])
      ).expecting(200)
      try await port.send("DELETE /v1/blueprints/blueprint_template/entities/service-2-0-0").expecting(200)
      try await port.post(path, ["identifier": "mine", "properties": ["terraform_status": "applied"]]).expecting(201)
      // And there is one of another PORC's, by Port's own word.
      try await port.post(
        path, ["identifier": "another", "properties": ["terraform_status": "applied"]],
        headers: ["User-Agent": "porc/0.0.1"]
      ).expecting(201)

      let diff = try await place.runPorc("port", "diff", "--json", "--detailed-exitcode").exiting(2)
      let found = try JSON(Data(diff.output.utf8))
      #expect(found["in_sync"] == false && found["others"] == 1)
      #expect(found["missing"] == [["blueprint": "blueprint_template", "identifier": "service-2-0-0"]])
      #expect(
        found["different"] == [
          [
            "blueprint": "blueprint_instance", "identifier": "web",
            "properties": [
              ["name": "region", "port": .null, "porc": "eu-west"],
              ["name": "terraform_status", "port": "destroyed", "porc": "applied"],
            ],
          ]
        ])
      #expect(found["unknown"] == [["blueprint": "blueprint_instance", "identifier": "another"]])
      let text = try await place.runPorc("port", "diff").exiting(0).output
      #expect(
        text.contains(
          #"blueprint_instance/web: terraform_status is "destroyed" in Port, and should be "applied""#))

      // A server has the database: it does the writing.
      try await place.runPorc("port", "sync").exiting(0)
      try await port.shows("web", ["terraform_status": "applied", "region": "eu-west", "porc_run_id": .string(run)])
      #expect(try await port.entity("service-2-0-0", of: "blueprint_template") != nil)
      for other in ["mine", "another"] { #expect(try await port.entity(other) != nil) }

      // Port loses everything, while no server runs.
      try await place.killPORC()
      try await place.killPort()
      try FileManager.default.removeItem(at: place.folder.file("port"))
      try await place.startPort()
      let rebuilt = try await place.runPorc("port", "sync", "--rebuild").exiting(0)
      #expect(rebuilt.output.contains("blueprint blueprint_instance: made"))
      #expect(rebuilt.output.contains("action porc_apply: made"))
      #expect(rebuilt.output.contains("secret PORC_TOKEN: made: with a new token of PORC; the old one is revoked"))
      port = try await place.port()
      try await port.shows("web", ["terraform_status": "applied", "porc_run_id": .string(run)])
      try await place.runPorc("port", "diff", "--detailed-exitcode").exiting(0)
    }
  }

  @Test func aPlainRegistryHasNothingToSetUpOrToCompare() async throws {
    try await Installation.run { place in
      try await place.startTFE()
      try await place.startPort()
      let plain = ["PORT_API": "entities", "PORT_API_TOKEN": "t0ken"]
      let setUp = try await place.runPorc(["port", "setup"], plain).exiting(0)
      #expect(setUp.output.contains("note: The plain dialect"))
      let diff = try await place.runPorc(["port", "diff"], plain).exiting(5)
      #expect(diff.error.contains("can only be written to"))
      let doctor = try await place.runPorc(["doctor"], plain)
      #expect(doctor.output.contains("nothing is compared or taken away"))
    }
  }
}
