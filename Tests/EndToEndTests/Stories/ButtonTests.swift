import Crypto
import Foundation
import Testing

/// Buttons in the embedded Port, pressed by its API, all the way to what the real terraform made.
@Suite(.devServer(), .timeLimit(.minutes(1)))
struct ButtonTests {
  private func setUp() async throws -> (DevServer, Buttons) {
    let dev = try DevServer.current()
    let buttons = Buttons(port: dev.port, porc: dev.porc)
    try await buttons.add(weak: try await dev.porc(as: "portal-\(UUID())", scopes: "plan"))
    return (dev, buttons)
  }

  @Test func fromTheFirstPlanToTheDestroyByButtonsAlone() async throws {
    let (dev, buttons) = try await setUp()
    let run = try await dev.submit(Blueprint.service(named: "pressed"))
    try await dev.shows("pressed", ["terraform_status": "submitted"])
    let planned = try await buttons.closed(try await buttons.press("porc_plan", "pressed"))
    #expect(planned.run["status"] == "SUCCESS" && planned.log.last?.contains("Press 'Apply now'") == true, "\(planned)")

    let shown = try await dev.shows("pressed", ["terraform_status": "planned"])
    let plan: String = try #require(shown["run_id"]?.string)
    let first = try await buttons.press("porc_apply", "pressed")
    let second = try await buttons.press("shown_apply", "pressed")
    for id in [first, second] {
      let applied = try await buttons.closed(id)
      #expect(applied.run["status"] == "SUCCESS" && applied.run["externalRunId"] == .string(plan), "\(applied)")
      #expect(applied.run["link"][0].string?.hasSuffix("/runs/\(plan)") == true)
      #expect(
        applied.log.first == "alice@example.com asked for the plan for 'pressed' to be applied (\(run), \(plan)).")
      #expect(applied.log.last?.hasPrefix("Applied.") == true)
    }
    // What PORC wrote of the instance meanwhile belongs to the press.
    var caused: [JSON] = []
    for id in [first, second] { caused.append(try await buttons.closed(id).run["entities"][0]["identifier"]) }
    #expect(caused.contains("pressed"))
    try await dev.shows("pressed", ["terraform_status": "applied"], within: .seconds(1))
    #expect(try await dev.events(run).filter { $0 == "apply_confirmed" }.count == 1)
    #expect(try await dev.tfe.requests().confirmations.filter { $0 == plan }.count == 1)

    let asked = try await buttons.closed(try await buttons.press("porc_destroy", "pressed"))
    #expect(asked.run["status"] == "SUCCESS" && asked.log.last?.contains("Press 'Confirm destroy'") == true)
    try await dev.shows("pressed", ["terraform_status": "planned", "operation": "destroy"])
    // "Apply now" never confirms a destroy.
    let wrong = try await buttons.closed(try await buttons.press("shown_apply", "pressed"))
    #expect(wrong.run["status"] == "FAILURE" && wrong.log.joined().contains("destroys 'pressed'"), "\(wrong)")
    try await dev.shows("pressed", ["terraform_status": "planned"])
    let destroyed = try await buttons.closed(try await buttons.press("porc_confirm_destroy", "pressed"))
    #expect(destroyed.run["status"] == "SUCCESS" && destroyed.log.last == "Destroyed.", "\(destroyed)")
    try await dev.shows("pressed", ["terraform_status": "destroyed"], within: .seconds(1))
  }

  @Test func whoMayNotIsToldWhyInPort() async throws {
    let (dev, buttons) = try await setUp()
    let run = try await dev.submit(Blueprint.service(named: "guarded"))
    try await dev.plan(run)
    try await dev.shows("guarded", ["terraform_status": "planned"])
    let refused = try await buttons.closed(try await buttons.press("weak_apply", "guarded"))
    #expect(refused.run["status"] == "FAILURE")
    #expect(refused.log.joined().contains("lacks the scope 'apply'"), "\(refused)")
    #expect(try await dev.status(run)["status"] == "planned")
  }

  /// What Port signed, in the hands of somebody else.
  @Test func aReplayedPressAppliesOnceAndAForgedOneNever() async throws {
    let dev = try DevServer.current()
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

/// What must be so though PORC and Port are killed.
struct ButtonCrashTests {
  @Test(.timeLimit(.minutes(2)))
  func aPressIsDoneAndClosedThoughPORCAndPortAreKilled() async throws {
    try await Installation.run { place in
      try await place.startPort()
      try await place.startTFE()
      try await place.startPORC(isTold: true)
      let buttons = Buttons(port: try await place.port(), porc: try await place.porc())
      let gate = try Gate("pressed", in: place.folder, closed: [.apply])
      let run: String = try #require(
        try await buttons.porc.post("/runs", Blueprint.gated(named: "survivor", gate)).expecting(201).json["run_id"]
          .string)
      try await buttons.porc.post("/runs/\(run)/plan").expecting(202)
      try await buttons.port.shows("survivor", ["terraform_status": "planned"], within: .seconds(20))
      let id = try await buttons.press("porc_apply", "survivor")
      try await gate.reached(.apply)

      try await place.killPORC()
      try await place.startPORC(isTold: true)
      try await place.killPort()
      try gate.open(.apply)
      try await DevServer.until(run, "applied", on: buttons.porc) { $0["status"] == "applied" }
      try await place.killPORC()
      try await place.startPORC(isTold: true)
      try await place.startPort()
      let after = Buttons(port: try await place.port(), porc: buttons.porc)
      let told = try await after.closed(id)
      #expect(told.run["status"] == "SUCCESS", "\(told)")
      #expect(Set(told.log).count == told.log.count, "each line once: \(told.log)")
      #expect(told.log.first?.hasPrefix("alice@example.com asked for the plan") == true)
      #expect(told.log.dropFirst().first == "The plan is confirmed." && told.log.last?.hasPrefix("Applied.") == true)
    }
  }
}

/// The buttons of instances in Port, as PORC has them, and somebody who presses them.
private struct Buttons {
  let port: API
  let porc: API

  /// Adds buttons that PORC does not have: "Apply now" without the condition that hides it, and one with the token of
  /// somebody who may not apply.
  func add(weak: API) async throws {
    let secret: JSON = ["secretName": "WEAK_TOKEN", "secretValue": .string(weak.token ?? "")]
    #expect([201, 409].contains(try await port.post("/v1/organization/secrets", secret).status))
    try await add("shown_apply", secret: "PORC_TOKEN")
    try await add("weak_apply", secret: "WEAK_TOKEN")
  }

  private func add(_ identifier: String, secret: String) async throws {
    let seen: JSON = "{{ .entity.properties.run_id }}"
    let action: JSON = [
      "identifier": .string(identifier), "title": .string(identifier),
      "trigger": [
        "type": "self-service", "operation": "DAY-2", "blueprintIdentifier": "blueprint_instance",
        "userInputs": ["properties": [:], "required": []],
      ],
      "invocationMethod": [
        "type": "WEBHOOK", "url": .string("\(porc.base)/runs/{{ .entity.properties.run_id }}/apply"), "method": "POST",
        "synchronized": false, "agent": false,
        "headers": ["Authorization": .string("Bearer {{ .secrets.\(secret) }}"), "Content-Type": "application/json"],
        "body": [
          "action": "apply", "run_id": seen, "operation": "apply",
          "port_context": ["runId": "{{ .run.id }}", "actor": "{{ .trigger.by.user.email }}"],
        ],
      ],
    ]
    let answer = try await port.post("/v1/actions", action)
    #expect([201, 409].contains(answer.status), "\(answer)")
  }

  /// Alice presses a button of an instance.
  func press(_ action: String, _ instance: String) async throws -> String {
    let answer = try await port.post(
      "/v1/actions/\(action)/runs?run_as=alice@example.com", ["entity": .string(instance), "properties": [:]]
    ).expecting(202)
    return try #require(answer.json["run"]["id"].string)
  }

  /// Waits until PORC has closed an action run.
  func closed(_ id: String) async throws -> (run: JSON, log: [String]) {
    try await eventually("the action run \(id) is closed", within: .seconds(40)) {
      let run = try await port.get("/v1/actions/runs/\(id)?version=v2").expecting(200).json["run"]
      guard run["status"] == "SUCCESS" || run["status"] == "FAILURE" else { return nil }
      let logs = try await port.get("/v1/actions/runs/\(id)/logs").expecting(200).json["runLogs"].array
      return (run, logs.compactMap { $0["message"].string })
    }
  }
}
