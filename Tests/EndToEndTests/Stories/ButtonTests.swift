import Crypto
import Foundation
import Testing

/// Buttons in the embedded Port, pressed by its API, all the way to what the real terraform made.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct ButtonTests {
  /// An action of Port's, as PORC has it, where it is not there already.
  private func button(
    _ dev: DevServer, _ identifier: String, path: String, _ body: [String: JSON], secret: String = "PORC_TOKEN"
  ) async throws {
    let context: JSON = ["runId": "{{ .run.id }}", "actor": "{{ .trigger.by.user.email }}"]
    let action: JSON = [
      "identifier": .string(identifier), "title": .string(identifier),
      "trigger": [
        "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "blueprint_instance",
        "userInputs": ["properties": [:], "required": []],
      ],
      "invocationMethod": [
        "type": "WEBHOOK", "url": .string(dev.porc.base + path), "method": "POST", "synchronized": false,
        "agent": false,
        "headers": [
          "Authorization": .string("Bearer {{ .secrets.\(secret) }}"), "Content-Type": "application/json",
        ],
        "body": .object(body.merging(["port_context": context]) { $1 }),
      ],
    ]
    let answer = try await dev.port.post("/v1/actions", action)
    #expect([201, 409].contains(answer.status), "\(answer)")
  }

  private func setUp() async throws -> DevServer {
    let dev = try DevServer.current()
    let limited = try await dev.porc(as: "portal-\(UUID())", scopes: "plan")
    for (name, token) in [("PORC_TOKEN", dev.porc.token), ("PLANNER_TOKEN", limited.token)] {
      let secret: JSON = ["secretName": .string(name), "secretValue": .string(token ?? "")]
      #expect([201, 409].contains(try await dev.port.post("/v1/organization/secrets", secret).status))
    }
    let seen: JSON = "{{ .entity.properties.run_id }}"
    let apply: [String: JSON] = ["action": "apply", "run_id": seen]
    try await button(
      dev, "porc_apply", path: "/runs/{{ .entity.properties.run_id }}/apply",
      apply.merging(["operation": "apply"]) { $1 })
    try await button(
      dev, "porc_confirm_destroy", path: "/runs/{{ .entity.properties.run_id }}/apply",
      apply.merging(["operation": "destroy"]) { $1 })
    try await button(
      dev, "weak_apply", path: "/runs/{{ .entity.properties.run_id }}/apply", apply, secret: "PLANNER_TOKEN")
    try await button(
      dev, "porc_plan", path: "/runs/{{ .entity.properties.porc_run_id }}/plan",
      ["action": "plan", "porc_run_id": "{{ .entity.properties.porc_run_id }}"])
    try await button(
      dev, "porc_destroy", path: "/instances/{{ .entity.identifier }}/destroy",
      ["action": "destroy", "instance": "{{ .entity.identifier }}"])
    return dev
  }

  /// Somebody presses a button of an instance in Port.
  private func press(_ dev: DevServer, _ action: String, _ instance: String) async throws -> String {
    let answer = try await dev.port.post(
      "/v1/actions/\(action)/runs?run_as=alice@example.com", ["entity": .string(instance), "properties": [:]]
    ).expecting(202)
    return try #require(answer.json["run"]["id"].string)
  }

  /// Waits until PORC has closed an action run.
  private func closed(_ dev: DevServer, _ id: String) async throws -> (run: JSON, log: [String]) {
    let deadline = ContinuousClock.now + .seconds(40)
    while ContinuousClock.now < deadline {
      let run = try await dev.port.get("/v1/actions/runs/\(id)?version=v2").expecting(200).json["run"]
      if run["status"] == "SUCCESS" || run["status"] == "FAILURE" {
        let logs = try await dev.port.get("/v1/actions/runs/\(id)/logs").expecting(200).json["runLogs"].array
        return (run, logs.compactMap { $0["message"].string })
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw NeverHappened(description: "the action run \(id) was closed")
  }

  @Test func fromTheFirstPlanToTheDestroyByButtonsAlone() async throws {
    let dev = try await setUp()
    let run = try await dev.submit(Blueprint.service(named: "pressed"))
    try await dev.shows("pressed", ["terraform_status": "submitted"])
    let planned = try await closed(dev, try await press(dev, "porc_plan", "pressed"))
    #expect(planned.run["status"] == "SUCCESS" && planned.log.last?.contains("Press 'Apply now'") == true, "\(planned)")

    let shown = try await dev.shows("pressed", ["terraform_status": "planned"])
    let plan: String = try #require(shown["run_id"]?.string)
    let first = try await press(dev, "porc_apply", "pressed")
    let second = try await press(dev, "porc_apply", "pressed")
    for id in [first, second] {
      let applied = try await closed(dev, id)
      #expect(applied.run["status"] == "SUCCESS" && applied.run["externalRunId"] == .string(plan), "\(applied)")
      #expect(applied.run["link"][0].string?.hasSuffix("/runs/\(plan)") == true)
      #expect(
        applied.log.first == "alice@example.com asked for the plan for 'pressed' to be applied (\(run), \(plan)).")
      #expect(applied.log.last?.hasPrefix("Applied.") == true)
    }
    try await dev.shows("pressed", ["terraform_status": "applied"], within: .seconds(1))
    #expect(try await dev.events(run).filter { $0 == "apply_confirmed" }.count == 1)
    #expect(try await dev.tfe.requests().confirmations.filter { $0 == plan }.count == 1)

    let asked = try await closed(dev, try await press(dev, "porc_destroy", "pressed"))
    #expect(asked.run["status"] == "SUCCESS" && asked.log.last?.contains("Press 'Confirm destroy'") == true)
    try await dev.shows("pressed", ["terraform_status": "planned", "operation": "destroy"])
    // "Apply now" never confirms a destroy.
    let wrong = try await closed(dev, try await press(dev, "porc_apply", "pressed"))
    #expect(wrong.run["status"] == "FAILURE" && wrong.log.joined().contains("destroys 'pressed'"), "\(wrong)")
    try await dev.shows("pressed", ["terraform_status": "planned"])
    let destroyed = try await closed(dev, try await press(dev, "porc_confirm_destroy", "pressed"))
    #expect(destroyed.run["status"] == "SUCCESS" && destroyed.log.last == "Destroyed.", "\(destroyed)")
    try await dev.shows("pressed", ["terraform_status": "destroyed"], within: .seconds(1))
  }

  @Test func whoMayNotIsToldWhyInPort() async throws {
    let dev = try await setUp()
    let run = try await dev.submit(Blueprint.service(named: "guarded"))
    try await dev.plan(run)
    try await dev.shows("guarded", ["terraform_status": "planned"])
    let refused = try await closed(dev, try await press(dev, "weak_apply", "guarded"))
    #expect(refused.run["status"] == "FAILURE")
    #expect(refused.log.joined().contains("lacks the scope 'apply'"), "\(refused)")
    #expect(try await dev.status(run)["status"] == "planned")
  }

  /// What Port signed, in the hands of somebody else.
  @Test func aReplayedPressAppliesOnceAndAForgedOneNever() async throws {
    let dev = try await setUp()
    let run = try await dev.submit(Blueprint.service(named: "replayed"))
    try await dev.plan(run)
    let secret = try String(
      contentsOfFile: try #require(dev.server.ready["port_client_secret_file"].string), encoding: .utf8
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    let stranger = API(base: dev.porc.base)
    let body = Data(
      #"{"action": "apply", "run_id": "\#(run)", "port_context": {"runId": "r_replayed", "actor": "bob@example.com"}}"#
        .utf8)
    func send(
      _ secret: String, to path: String = "/runs/\(run)/apply", at time: Date = Date()
    ) async throws -> API.Answer {
      let stamp = String(Int(time.timeIntervalSince1970))
      let code = HMAC<SHA256>.authenticationCode(
        for: Data("\(stamp).".utf8) + body, using: SymmetricKey(data: Data(secret.utf8)))
      return try await stranger.send(
        "POST \(path)", .bytes(body, type: "application/json"),
        headers: ["x-port-timestamp": stamp, "x-port-signature": "v1,\(Data(code).base64EncodedString())"])
    }
    try await send("guess").expecting(401)
    try await send(secret, at: Date().addingTimeInterval(-400)).expecting(401)
    try await send(secret, to: "/runs/\(run)/discard").expecting(401)
    try await stranger.send("POST /runs/\(run)/apply", .bytes(body, type: "application/json")).expecting(401)
    #expect(try await dev.status(run)["status"] == "planned")

    let taken = try await send(secret).expecting(202)
    #expect(try await send(secret).expecting(202).body == taken.body)
    try await dev.until(run, is: "applied")
    #expect(try await send(secret).expecting(202).body == taken.body)
    #expect(try await dev.events(run).filter { $0 == "apply_confirmed" }.count == 1)
    let events = try await dev.porc.get("/runs/\(run)/events").json["events"].array
    #expect(events.first { $0["type"] == "apply_confirmed" }?["data"]["by"]["name"] == "bob@example.com")
  }
}
