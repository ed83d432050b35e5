import Crypto
import Foundation
import HTTPTypes
import Sandbox
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct NotificationTests {
  static let triggers: JSONValue = [
    "run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed", "run:errored",
  ]

  @Test func theLifeOfARunIsToldAndSigned() async throws {
    let receiver = Receiver()
    try await TFE.run { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        let made = try await tfe.configure(
          "/workspaces/\(workspace)", url: url + "/hook?key=1", ["token": "quiet", "triggers": Self.triggers])
        #expect(made.status == 201 && made.attributes["enabled"] == true && made.attributes["token"].isNull)
        #expect(made.data["type"] == "notification-configurations")
        #expect(made.data["relationships"]["subscribable"]["data"]["id"].string == workspace)
        let response = made.attributes["delivery-responses"][0]
        #expect(response["code"] == "200" && response["successful"] == "true" && response["body"] == "taken")
        #expect(response["headers"]["x-receiver"] == ["yes"])
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one), ["message": "porc-1/1"])
        try await receiver.wait(for: "run:needs_attention")
        #expect(try await tfe.post("/runs/\(run)/actions/apply").status == 202)
        try await receiver.wait(for: "run:completed")

        let sent = receiver.notifications
        #expect(
          sent.map(\.trigger) == [
            "verification", "run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed",
          ])
        let names: Set = [
          "payload_version", "notification_configuration_id", "run_url", "run_id", "run_message", "run_created_at",
          "run_created_by", "workspace_id", "workspace_name", "organization_name", "notifications",
        ]
        for notification in sent {
          let code = HMAC<SHA512>.authenticationCode(
            for: notification.body, using: SymmetricKey(data: Data("quiet".utf8)))
          #expect(notification.signature == code.map { String(format: "%02x", $0) }.joined())
          #expect(Set(notification.json.object?.keys ?? [:].keys) == names)
          #expect(notification.json["payload_version"] == 1)
          #expect(notification.json["notification_configuration_id"].string == made.id)
          #expect(notification.path == "/hook" && notification.query == "key=1")
          #expect(notification.type == "application/json")
        }
        let verification = sent[0].json
        #expect(verification["run_id"].isNull && verification["workspace_name"].isNull)
        #expect(verification["organization_name"].isNull && verification["notifications"][0]["run_status"].isNull)
        #expect(verification["notifications"][0]["message"] == "Verification of hook")
        let attention = sent[3].json
        #expect(attention["run_id"].string == run && attention["run_message"] == "porc-1/1")
        #expect(attention["workspace_id"].string == workspace && attention["workspace_name"] == "demo")
        #expect(attention["run_url"].string == "\(tfe.url)/app/acme/demo/runs/\(run)")
        #expect(attention["notifications"][0]["run_status"] == "planned")
        #expect(attention["notifications"][0]["trigger_type"] == "run:pending_apply_approval")
        #expect(sent[5].json["notifications"][0]["run_status"] == "applied")
        #expect(sent[5].json["notifications"][0]["trigger_type"].isNull)
      }
    }
  }

  @Test func whoHearsOfAStatusReadsItOrALaterOne() async throws {
    let seen = Mutex<[(told: String, read: String)]>([])
    let token = TFE.token
    try await TFE.run { tfe in
      let receiver = Receiver { notification in
        guard let run = notification.json["run_id"].string else { return }
        let read = try? await tfe.send("GET", "/runs/\(run)", token: token)
        let told = notification.json["notifications"][0]["run_status"].string ?? ""
        seen.withLock { $0.append((told, read?.attributes["status"].string ?? "")) }
      }
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": Self.triggers])
        for _ in 0..<3 { try await tfe.apply(workspace, Configuration.one, ["message": "again"]) }
        try await receiver.wait(for: "run:completed", count: 3)
      }
    }
    let order = ["pending", "plan_queued", "planning", "planned", "apply_queued", "applying", "applied"]
    func rank(_ status: String) -> Int {
      order.firstIndex(of: status == "planned_and_finished" ? "applied" : status) ?? -1
    }
    let pairs = seen.withLock(\.self)
    #expect(pairs.count >= 9)
    for (told, read) in pairs { #expect(rank(read) >= rank(told), "told \(told), read \(read)") }
  }

  @Test func aProjectsConfigurationHearsOfAllItsWorkspaces() async throws {
    let receiver = Receiver()
    try await TFE.run { tfe in
      try await receiver.serve { url in
        let project = try await tfe.get("/organizations/acme/projects").data[0]["id"].string ?? ""
        let made = try await tfe.configure("/projects/\(project)", url: url, ["triggers": ["run:completed"]])
        #expect(made.status == 201)
        #expect(made.data["relationships"]["subscribable"]["data"]["type"] == "projects")
        #expect(receiver.notifications[0].signature == nil)
        for name in ["one", "two"] { try await tfe.apply(tfe.createWorkspace(name), Configuration.one) }
        try await receiver.wait(for: "run:completed", count: 2)
        let names = receiver.notifications.compactMap { $0.json["workspace_name"].string }
        #expect(names == ["one", "two"])
        let listed = try await tfe.get("/projects/\(project)/notification-configurations")
        #expect(listed.data.array?.count == 1)
        #expect(listed.data[0]["attributes"]["delivery-responses"].array?.count == 1)
      }
    }
  }

  @Test func anOlderReleaseKnowsNoConfigurationsOfProjects() async throws {
    let receiver = Receiver()
    try await TFE.run(features: .init(projectNotifications: false)) { tfe in
      try await receiver.serve { url in
        let project = try await tfe.get("/organizations/acme/projects").data[0]["id"].string ?? ""
        #expect(try await tfe.configure("/projects/\(project)", url: url).status == 404)
        #expect(try await tfe.get("/projects/\(project)/notification-configurations").status == 404)
        let workspace = try await tfe.createWorkspace("demo")
        _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": Self.triggers])
        _ = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
        try await receiver.wait(for: "run:needs_attention")
        #expect(receiver.notifications.allSatisfy { $0.json["notifications"][0]["trigger_type"].isNull })
      }
    }
  }

  @Test func finerTriggersAreHeardToo() async throws {
    let receiver = Receiver()
    try await TFE.run { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": ["run:run_canceled"]])
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
        try await tfe.wait(for: run, ["planned"])
        #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
        try await receiver.wait(for: "run:errored")
        let canceled = receiver.notifications.last?.json["notifications"][0] ?? .null
        #expect(canceled["message"] == "Run Canceled" && canceled["run_status"] == "canceled")
        #expect(canceled["trigger_type"] == "run:run_canceled")
        #expect(receiver.notifications.count == 2)
      }
    }
  }

  @Test func receiversHearOfPolicies() async throws {
    let receiver = Receiver()
    try await TFE.run { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": Self.triggers])
        try tfe.writePolicies(Policies.soft)
        let run = try await tfe.startRun(workspace, tfe.upload(workspace, Configuration.one))
        try await tfe.wait(for: run, ["policy_override"])
        let check = try await tfe.get("/runs/\(run)/policy-checks").data[0]["id"].string ?? ""
        #expect(try await tfe.post("/policy-checks/\(check)/actions/override").status == 200)
        try await receiver.wait(for: "run:needs_attention", count: 2)
        let told = receiver.notifications.filter { $0.trigger == "run:needs_attention" }
          .map { $0.json["notifications"][0] }
        #expect(told.map { $0["run_status"].string } == ["policy_override", "policy_checked"])
        #expect(
          told.map { $0["trigger_type"].string } == ["run:policy_override_required", "run:policies_checked"])
      }
    }
  }

  @Test func planOnlyRunsAndWhatNobodyAskedForAreNotTold() async throws {
    let receiver = Receiver()
    try await TFE.run { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        let all = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": Self.triggers])
        let version = try await tfe.upload(workspace, Configuration.one)
        let planOnly = try await tfe.startRun(workspace, version, ["plan-only": true])
        try await tfe.wait(for: planOnly, ["planned_and_finished"])
        #expect(
          try await tfe.send(
            "PATCH", "/notification-configurations/\(all.id)", ["data": ["attributes": ["triggers": ["run:errored"]]]]
          ).status == 200)
        let run = try await tfe.startRun(workspace, version)
        try await tfe.wait(for: run, ["planned"])
        #expect(try await tfe.post("/runs/\(run)/actions/cancel").status == 202)
        try await receiver.wait(for: "run:errored")
        // Two verifications: one for each saving.
        #expect(receiver.notifications.map(\.trigger) == ["verification", "verification", "run:errored"])
        #expect(receiver.notifications.last?.json["run_id"].string == run)
      }
    }
  }

  @Test func nothingIsSavedWhereTheReceiverRefuses() async throws {
    let receiver = ScriptedServer()
    receiver.always("POST /no") { _ in .status(503) }
    receiver.always("POST /moved") { _ in .status(302, headers: [.location: "/yes"]) }
    receiver.always("POST /silent") { _ in .silence }
    receiver.always("POST /yes") { _ in .status(204) }
    try await TFE.run(features: .init(notificationTimeout: .milliseconds(300))) { tfe in
      try await receiver.serve { url in
        let workspace = try await tfe.createWorkspace("demo")
        for (path, reason) in [("/no", "503"), ("/moved", "302"), ("/silent", "did not answer in time")] {
          let refused = try await tfe.configure("/workspaces/\(workspace)", url: url + path)
          #expect(refused.status == 400 && refused.detail.contains(reason), "\(refused.text)")
        }
        let dead = try await tfe.configure("/workspaces/\(workspace)", url: "http://127.0.0.1:1/")
        #expect(dead.status == 400)
        let list = "/workspaces/\(workspace)/notification-configurations"
        #expect(try await tfe.get(list).data.array?.isEmpty == true)

        // Not enabled, nobody is asked; enabled later, it is.
        let off = try await tfe.configure("/workspaces/\(workspace)", url: url + "/no", ["enabled": false])
        #expect(off.status == 201 && off.attributes["delivery-responses"].array?.isEmpty == true)
        let path = "/notification-configurations/\(off.id)"
        let on = try await tfe.send("PATCH", path, ["data": ["attributes": ["enabled": true]]])
        #expect(on.status == 400)
        #expect(try await tfe.get(path).attributes["enabled"] == false)
        let failed = try await tfe.post("\(path)/actions/verify")
        #expect(failed.status == 400)
        let kept = try await tfe.get(path).attributes["delivery-responses"][0]
        #expect(kept["code"] == "503" && kept["successful"] == "false")
        let moved = try await tfe.send(
          "PATCH", path, ["data": ["attributes": ["enabled": true, "url": .string(url + "/yes")]]])
        #expect(moved.status == 200 && moved.attributes["enabled"] == true)
        #expect(try await tfe.post("\(path)/actions/verify").status == 200)
        #expect(try await tfe.send("DELETE", path).status == 204)
        #expect(try await tfe.get(path).status == 404)
      }
    }
  }

  @Test func aDeadReceiverHoldsUpNeitherRunsNorOtherReceivers() async throws {
    let receiver = Receiver()
    let dead = ScriptedServer()
    dead.on("POST /", .status(200))
    dead.always("POST /") { _ in .silence }
    try await TFE.run(features: .init(notificationTimeout: .seconds(60))) { tfe in
      try await dead.serve { silent in
        try await receiver.serve { url in
          let workspace = try await tfe.createWorkspace("demo")
          _ = try await tfe.configure("/workspaces/\(workspace)", url: silent, ["triggers": Self.triggers])
          _ = try await tfe.configure("/workspaces/\(workspace)", url: url, ["triggers": Self.triggers])
          for _ in 0..<2 { try await tfe.apply(workspace, Configuration.one) }
          try await receiver.wait(for: "run:completed", count: 2)
          // One hangs, and the rest waits for it.
          #expect(dead.requests.count == 2)
        }
      }
    }
  }

  @Test func whatIsWrongIsRefused() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let path = "/workspaces/\(workspace)"
      func refused(_ attributes: JSONValue, at name: String) async throws {
        let answer = try await tfe.configure(path, url: "http://127.0.0.1:1/", attributes)
        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer.json["errors"][0]["source"]["pointer"].string == "/data/attributes/\(name)")
      }
      try await refused(["destination-type": "slack"], at: "destination-type")
      try await refused(["destination-type": nil], at: "destination-type")
      try await refused(["name": ""], at: "name")
      try await refused(["url": "ftp://x/"], at: "url")
      try await refused(["url": "nonsense"], at: "url")
      try await refused(["triggers": ["run:nonsense"]], at: "triggers")
      try await refused(["triggers": [1]], at: "triggers")
      try await refused(["token": 1], at: "token")
      try await refused(["enabled": "yes"], at: "enabled")
      #expect(try await tfe.configure("/workspaces/ws-none", url: "http://x/").status == 404)
      for index in 0..<20 {
        let made = try await tfe.configure(path, url: "http://x/\(index)", ["enabled": false])
        #expect(made.status == 201)
      }
      let one = try await tfe.configure(path, url: "http://x/", ["enabled": false])
      #expect(one.status == 422 && one.detail.contains("20"))
      #expect(try await tfe.get("\(path)/notification-configurations").data.array?.count == 20)
      #expect(try await tfe.send("DELETE", path).status == 204)
    }
  }

  @Test func configurationsSurviveARestartAndTheirTokensAreNotInTheRequestLog() async throws {
    let receiver = Receiver()
    try await withTemporaryFolder { folder in
      try await receiver.serve { url in
        try await TFE.run(in: folder) { tfe in
          let workspace = try await tfe.createWorkspace("demo")
          _ = try await tfe.configure(
            "/workspaces/\(workspace)", url: url, ["token": "very-quiet", "triggers": ["run:completed"]])
        }
        let log = try String(contentsOfFile: folder + "/data/requests.jsonl", encoding: .utf8)
        #expect(log.contains("notification-configurations") && !log.contains("very-quiet"))
        try await TFE.run(in: folder) { tfe in
          let workspace = try await tfe.get("/organizations/acme/workspaces/demo").id
          try await tfe.apply(workspace, Configuration.one)
          try await receiver.wait(for: "run:completed")
          let sent = try #require(receiver.notifications.last)
          let code = HMAC<SHA512>.authenticationCode(
            for: sent.body, using: SymmetricKey(data: Data("very-quiet".utf8)))
          #expect(sent.signature == code.map { String(format: "%02x", $0) }.joined())
        }
      }
    }
  }
}

extension TFE {
  /// Makes an enabled configuration named `hook`, unless the attributes say otherwise.
  func configure(_ owner: String, url: String, _ attributes: JSONValue = [:]) async throws -> Answer {
    var all: JSONValue = [
      "destination-type": "generic", "name": "hook", "enabled": true, "url": .string(url),
      "triggers": ["run:created"],
    ]
    for (name, value) in attributes.object ?? [:] { all[name] = value }
    return try await post(
      "\(owner)/notification-configurations", ["data": ["type": "notification-configuration", "attributes": all]])
  }
}

/// Takes notifications, and remembers them.
final class Receiver: Sendable {
  struct Received: Sendable {
    let path: String
    let query: String
    let body: [UInt8]
    let signature: String?
    let type: String?

    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    var trigger: String { json["notifications"][0]["trigger"].string ?? "" }
  }

  private let received = Mutex<[Received]>([])
  private let arrivals: AsyncStream<Void>
  private let server: ScriptedServer

  /// - Parameter onArrival: what is done before the notification is answered.
  init(onArrival: @escaping @Sendable (Received) async -> Void = { _ in }) {
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    self.arrivals = arrivals
    let add = Mutex<(@Sendable (Received) -> Void)?>(nil)
    server = ScriptedServer { request in
      let notification = Received(
        path: request.path, query: request.query, body: request.body,
        signature: HTTPField.Name("X-TFE-Notification-Signature").flatMap { request.headers[$0] },
        type: request.headers[.contentType])
      await onArrival(notification)
      add.withLock(\.self)?(notification)
      arrived.yield()
      let headers = HTTPField.Name("X-Receiver").map { HTTPFields([HTTPField(name: $0, value: "yes")]) }
      return .status(200, headers: headers ?? [:], body: Array("taken".utf8))
    }
    add.withLock { $0 = { [weak self] notification in self?.received.withLock { $0.append(notification) } } }
  }

  var notifications: [Received] { received.withLock(\.self) }

  func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    try await server.serve(body)
  }

  /// Returns when as many with this trigger have come.
  func wait(for trigger: String, count: Int = 1) async throws {
    if notifications.count(where: { $0.trigger == trigger }) >= count { return }
    for await _ in arrivals where notifications.count(where: { $0.trigger == trigger }) >= count { return }
    throw CancellationError()
  }
}
