import Foundation
import HCL
import HTTPTypes
import Synchronization
import TestKit

/// A small Terraform Enterprise: workspaces, variables and runs as far as PORC needs them, each call noted. Plans and
/// applies are over as soon as they are asked for, unless a test says otherwise; there are ten of each thing at most.
final class FakeTFE: Sendable {
  static let token = "tfe-token-never-shown"
  static let organization = "acme"

  struct RemoteRun: Sendable {
    var id: String
    var workspace: String
    var status: String
    var hasChanges: Bool
    var message: String
    var version: String
    var isDestroy: Bool
    var autoApply: Bool
    var variables: Value
    /// Somebody's own, made in TFE's pages.
    static func foreign(_ id: String, in workspace: String, _ status: String = "planning") -> RemoteRun {
      RemoteRun(
        id: id, workspace: workspace, status: status, hasChanges: true, message: "by hand", version: "cv-1",
        isDestroy: false, autoApply: false, variables: .null)
    }
    var isFinal: Bool {
      ["applied", "planned_and_finished", "discarded", "errored", "canceled"].contains(status)
    }
    var gates = Gates()
    /// It was told to end, and takes its time.
    var isCanceling = false
    var isPlanned: Bool { ["planned", "policy_override", "post_plan_awaiting_decision"].contains(status) }
  }

  struct Variable: Sendable {
    var id: String
    var attributes: [String: Value]
  }

  struct Notification: Sendable {
    var id: String
    var owner: String
    var attributes: [String: Value]
    var token: String { attributes["token"]?.stringValue ?? "" }
  }

  struct State: Sendable {
    /// By name: the tags.
    var workspaces: [String: [String: String]] = [:]
    /// By name: how often it was deleted. What is made anew has another id.
    var deletions: [String: Int] = [:]
    /// By workspace, in the order of their making.
    var variables: [String: [Variable]] = [:]
    var variablesMade = 0
    var versions = 0
    var uploads: [String: [UInt8]] = [:]
    /// How often an uploaded version is still said to be pending; a run of it is refused until then.
    var pendingReads = 0
    /// What is wrong with what was uploaded.
    var uploadError: String?
    /// The next run is refused for a reason of its own.
    var refusesRuns = false
    var runs: [RemoteRun] = []
    /// By workspace: the run that is the current one although others were made later.
    var currentRuns: [String: String] = [:]
    /// By workspace: who locked it, and why.
    var locks: [String: (by: String, reason: String)] = [:]
    /// By workspace: what it is called since somebody renamed it.
    var newNames: [String: String] = [:]
    var isAway = false
    /// The status of its errors while it is away; `nil` for a connection that is dropped.
    var errorStatus: Int? = 503
    var knowsToken = true
    /// The next call is refused, since there were too many, and the next one is to come after so many seconds.
    var refusal: Double?
    /// The status that a new run has at once.
    var planned = "planned"
    /// The status that a confirmed run has at once.
    var confirmed = "applied"
    var hasChanges = true
    /// The next run is made, but nobody hears of it.
    var losesAnswer = false
    var outputs: [(name: String, value: Value, isSensitive: Bool)] = []
    /// What new runs have to pass.
    var gates = Gates()
    /// Whether Terraform takes its time to end when canceled.
    var cancelsSlowly = false
    /// What a forced cancel is answered with.
    var forceStatus = 202
    /// Why it deletes no workspace.
    var refusesDeletion: String?
    /// By workspace: its settings.
    var settings: [String: [String: Value]] = [:]
    /// By `run-1/plan`.
    var logs: [String: String] = [:]
    /// By `ws-web` or `prj-1`, in the order of their making.
    var notifications: [Notification] = []
    /// The status with which it refuses to make or change one.
    var refusesNotifications: Int?
    /// Whether it has them for projects.
    var hasProjectNotifications = false
    /// Whether the workspaces are in the project `prj-1`, named `platform`.
    var hasProject = false
  }

  let server = ScriptedServer()
  let state = Mutex(State())

  /// - Parameter names: the instances that may get a workspace.
  init(instances names: [String] = ["web", "db"]) {
    server.always("GET /.well-known/terraform.json") { _ in .json(#"{"tfe.v2": "/api/v2/"}"#) }
    for name in names { scriptWorkspace(name) }
    for number in 1...10 {
      scriptVersion("cv-\(number)")
      scriptRun("run-\(number)")
    }
    on("POST /api/v2/runs") { [self] request, state in create(request, &state) }
    on("GET /api/v2/organizations/\(Self.organization)/projects") { _, _ in
      Self.list([Self.resource("projects", "prj-1", ["name": "platform"])])
    }
    scriptNotifications("projects", "prj-1")
    for number in 1...10 {
      on("PATCH /api/v2/notification-configurations/nc-\(number)") { request, state in
        if let status = state.refusesNotifications { return .status(status) }
        guard let index = state.notifications.firstIndex(where: { $0.id == "nc-\(number)" }) else {
          return Self.notFound
        }
        let changes = request.value["data"]?["attributes"]?.objectValue ?? [:]
        state.notifications[index].attributes.merge(changes) { $1 }
        return Self.document("notification-configurations", "nc-\(number)", state.notifications[index].shown)
      }
    }
  }

  private func scriptNotifications(_ kind: String, _ owner: String) {
    let path = "/api/v2/\(kind)/\(owner)/notification-configurations"
    on("GET \(path)") { _, state in
      guard kind == "workspaces" || state.hasProjectNotifications else { return Self.notFound }
      return Self.list(
        state.notifications.filter { $0.owner == owner }.map {
          Self.resource("notification-configurations", $0.id, $0.shown)
        })
    }
    on("POST \(path)") { request, state in
      if let status = state.refusesNotifications { return .status(status) }
      let new = Notification(
        id: "nc-\(state.notifications.count + 1)", owner: owner,
        attributes: request.value["data"]?["attributes"]?.objectValue ?? [:])
      state.notifications.append(new)
      return Self.document("notification-configurations", new.id, new.shown, status: 201)
    }
  }

  func change(_ change: (inout State) -> Void) { state.withLock { state in change(&state) } }
  var runs: [RemoteRun] { state.withLock(\.runs) }

  /// The calls that count against TFE's rate limit, ids and all.
  var calls: [String] {
    server.calls.filter { $0.contains(" /api/v2/") }.map { $0.replacing("/api/v2/", with: "") }
  }

  // MARK: What it answers

  typealias Handler = @Sendable (ScriptedServer.Request, inout State) -> ScriptedServer.Answer

  /// Answers if it is there and knows the token.
  func on(_ call: String, _ handler: @escaping Handler) {
    server.always(call) { [self] request in
      state.withLock { state in
        if state.isAway { return state.errorStatus.map { .status($0, headers: [.retryAfter: "20"]) } ?? .dropped }
        if let seconds = state.refusal {
          state.refusal = nil
          return .status(429, headers: [.retryAfter: "\(seconds)"])
        }
        guard state.knowsToken, request.headers[.authorization] == "Bearer \(Self.token)" else { return .status(401) }
        return handler(request, &state)
      }
    }
  }

  private func scriptWorkspace(_ instance: String) {
    let name = "porc-\(instance)"
    // One path for all names: the last one scripted knows them all.
    on("POST /api/v2/organizations/\(Self.organization)/workspaces") { request, state in
      let data = request.value["data"]
      let name = data?["attributes"]?["name"]?.stringValue ?? ""
      guard state.workspaces[name] == nil else { return .json(#"{"errors":[{"title":"taken"}]}"#, status: 422) }
      state.settings[name] = data?["attributes"]?.objectValue ?? [:]
      let tags = data?["relationships"]?["tag-bindings"]?["data"]?.arrayValue ?? []
      state.workspaces[name] = Dictionary(
        tags.map { ($0["attributes"]?["key"]?.stringValue ?? "", $0["attributes"]?["value"]?.stringValue ?? "") }
      ) { $1 }
      return Self.document("workspaces", state.workspaceID(name), ["name": .string(name)], status: 201)
    }
    // As the sweeper asks: those of an installation whose current run goes on.
    on("GET /api/v2/organizations/\(Self.organization)/workspaces") { request, state in
      let query = request.query.removingPercentEncoding ?? ""
      let blocked = state.workspaces.filter { name, tags in
        query.contains("filter[tagged][0][value]=\(tags["porc-installation"] ?? "none")")
          && state.current(in: state.workspaceID(name)).map { query.contains($0.status) && !$0.isFinal } == true
      }
      let current = blocked.keys.compactMap { state.current(in: state.workspaceID($0)) }
      let data = blocked.keys.map { name in
        let id = state.workspaceID(name)
        return Self.resource(
          "workspaces", id, ["name": .string(name), "execution-mode": "remote"],
          related: ["current-run": ("runs", state.current(in: id)?.id ?? "")])
      }
      let included = current.flatMap { [Self.resource($0), Self.plan(of: $0)] }
      return .json(#"{"data": \#(Value.array(data).json()), "included": \#(Value.array(included).json())}"#)
    }
    on("GET /api/v2/organizations/\(Self.organization)/workspaces/\(name)") { _, state in
      Self.workspace(name, state.workspaceID(name), state)
    }
    for id in ["ws-\(instance)", "ws-\(instance)-2"] { scriptWorkspace(id, name) }
  }

  private static func workspace(_ name: String, _ id: String, _ state: State) -> ScriptedServer.Answer {
    guard state.has(name, id) else { return notFound }
    let current = state.current(in: id)
    let user = resource("users", "user-1", ["username": .string(state.locks[id]?.by ?? "")])
    let data = resource(workspace: id, name, state)
    let included = (current.map { [resource($0)] } ?? []) + [user]
    return .json(#"{"data": \#(data.json()), "included": \#(Value.array(included).json())}"#)
  }

  private static func resource(workspace id: String, _ name: String, _ state: State) -> Value {
    let (current, lock) = (state.current(in: id), state.locks[id])
    var related: [String: (type: String, id: String)] = [:]
    if let current { related["current-run"] = ("runs", current.id) }
    // A run that has begun locks its workspace, as somebody does.
    let holder = current.flatMap { ["planning", "planned", "applying"].contains($0.status) ? $0 : nil }
    if let holder { related["locked-by"] = ("runs", holder.id) }
    if state.hasProject { related["project"] = ("projects", "prj-1") }
    if lock != nil { related["locked-by"] = ("users", "user-1") }
    let settings: [String: Value] = [
      "name": .string(state.newNames[id] ?? name), "execution-mode": "remote",
      "locked": .bool(lock != nil || holder != nil),
      "locked-reason": lock.map { .string($0.reason) } ?? .null,
    ]
    return resource(
      "workspaces", id, settings.merging(state.settings[name] ?? [:]) { state.newNames[id] == nil ? $1 : $0 },
      related: related)
  }

  private func scriptWorkspace(_ id: String, _ name: String) {
    on("GET /api/v2/workspaces/\(id)") { _, state in Self.workspace(name, id, state) }
    on("PATCH /api/v2/workspaces/\(id)") { request, state in
      guard state.has(name, id) else { return Self.notFound }
      state.settings[name, default: [:]].merge(request.value["data"]?["attributes"]?.objectValue ?? [:]) { $1 }
      return Self.workspace(name, id, state)
    }
    on("GET /api/v2/workspaces/\(id)/tag-bindings") { _, state in
      Self.list(
        (state.workspaces[name] ?? [:]).map { key, value in
          Self.resource("tag-bindings", "tb-\(key)", ["key": .string(key), "value": .string(value)])
        })
    }
    on("GET /api/v2/workspaces/\(id)/runs") { request, state in
      let wanted = request.query.removingPercentEncoding ?? ""
      return Self.list(
        state.runs.reversed().filter { $0.workspace == id && wanted.contains("search[basic]=\($0.message)") }
          .map(Self.resource))
    }
    on("POST /api/v2/workspaces/\(id)/configuration-versions") { _, state in
      guard state.has(name, id) else { return Self.notFound }
      state.versions += 1
      let version = "cv-\(state.versions)"
      return Self.document(
        "configuration-versions", version,
        ["status": "pending", "upload-url": .string("/upload/\(version)?key=signed")],
        status: 201)
    }
    on("GET /api/v2/workspaces/\(id)/current-state-version-outputs") { _, state in
      Self.list(
        state.outputs.map {
          Self.resource(
            "state-version-outputs", "wsout-\($0.name)",
            ["name": .string($0.name), "sensitive": .bool($0.isSensitive), "value": $0.isSensitive ? .null : $0.value])
        })
    }
    on("POST /api/v2/workspaces/\(id)/actions/safe-delete") { _, state in
      if let why = state.refusesDeletion {
        return .json(#"{"errors":[{"title":"conflict","detail":"\#(why)"}]}"#, status: 409)
      }
      state.delete(name)
      return .status(204)
    }
    scriptVariables(id)
    scriptNotifications("workspaces", id)
  }

  private func scriptVariables(_ workspace: String) {
    on("GET /api/v2/workspaces/\(workspace)/vars") { _, state in
      Self.list(
        (state.variables[workspace] ?? []).map { variable in
          var attributes = variable.attributes
          if attributes["sensitive"] == true { attributes["value"] = .null }
          return Self.resource("vars", variable.id, attributes)
        })
    }
    on("POST /api/v2/workspaces/\(workspace)/vars") { request, state in
      state.variablesMade += 1
      let id = "var-\(state.variablesMade)"
      let attributes = request.value["data"]?["attributes"]?.objectValue ?? [:]
      state.variables[workspace, default: []].append(Variable(id: id, attributes: attributes))
      return Self.document("vars", id, attributes, status: 201)
    }
    for number in 1...10 {
      on("PATCH /api/v2/workspaces/\(workspace)/vars/var-\(number)") { request, state in
        guard let index = state.variables[workspace]?.firstIndex(where: { $0.id == "var-\(number)" }) else {
          return Self.notFound
        }
        let changes = request.value["data"]?["attributes"]?.objectValue ?? [:]
        state.variables[workspace]?[index].attributes.merge(changes) { $1 }
        return Self.document("vars", "var-\(number)", state.variables[workspace]?[index].attributes ?? [:])
      }
      on("DELETE /api/v2/workspaces/\(workspace)/vars/var-\(number)") { _, state in
        state.variables[workspace]?.removeAll { $0.id == "var-\(number)" }
        return .status(204)
      }
    }
  }

  private func scriptVersion(_ id: String) {
    on("GET /api/v2/configuration-versions/\(id)") { _, state in
      if let error = state.uploadError {
        return Self.document("configuration-versions", id, ["status": "errored", "error-message": .string(error)])
      }
      let isPending = state.uploads[id] == nil || state.pendingReads > 0
      state.pendingReads -= 1
      return Self.document("configuration-versions", id, ["status": isPending ? "pending" : "uploaded"])
    }
    server.always("PUT /upload/\(id)") { [self] request in
      guard request.headers[.authorization] == nil else { return .status(400) }  // it carries a secret of its own
      state.withLock { $0.uploads[id] = request.body }
      return .status(200)
    }
  }

  private func create(_ request: ScriptedServer.Request, _ state: inout State) -> ScriptedServer.Answer {
    let data = request.value["data"]
    let attributes = data?["attributes"]
    func related(_ name: String) -> String {
      data?["relationships"]?[name]?["data"]?["id"]?.stringValue ?? ""
    }
    if state.refusesRuns || state.pendingReads > 0 || state.uploadError != nil {
      return .json(#"{"errors":[{"title":"invalid attribute","detail":"not now"}]}"#, status: 422)
    }
    var run = RemoteRun(
      id: "run-\(state.runs.count + 1)", workspace: related("workspace"), status: state.planned,
      hasChanges: state.hasChanges, message: attributes?["message"]?.stringValue ?? "",
      version: related("configuration-version"), isDestroy: attributes?["is-destroy"]?.boolValue ?? false,
      autoApply: attributes?["auto-apply"]?.boolValue ?? true, variables: attributes?["variables"] ?? .null)
    if run.status == "planned", !run.hasChanges { run.status = "planned_and_finished" }
    if run.status == "planned", run.autoApply { run.status = state.confirmed }
    run.gates = state.gates
    state.runs.append(run)
    if state.losesAnswer {
      state.losesAnswer = false
      return .brokenOff
    }
    return .json(#"{"data": \#(Self.resource(run).json())}"#, status: 201)
  }

  private func scriptRun(_ id: String) {
    on("GET /api/v2/runs/\(id)") { _, state in
      guard let run = state.runs.first(where: { $0.id == id }) else { return Self.notFound }
      let name = state.workspaces.keys.first { state.workspaceID($0) == run.workspace } ?? ""
      let included = [
        Self.resource(workspace: run.workspace, name, state),
        Self.plan(of: run),
        Self.resource(
          "applies", "apply-\(id)",
          [
            "status": .string(
              ["applied": "finished", "applying": "running", "errored": "errored"][run.status] ?? "pending"),
            "log-read-url": .string("/logs/\(id)/apply"),
          ]),
      ]
      let all = included + run.gates.costEstimate(of: id)
      return .json(#"{"data": \#(Self.resource(run).json()), "included": \#(Value.array(all).json())}"#)
    }
    scriptGates(id)
    on("GET /api/v2/plans/plan-\(id)/json-output-redacted") { _, _ in
      .json(
        #"{"resource_changes": [{"address": "random_pet.a", "change": {"actions": ["create"]}}, {"address": "random_pet.b", "change": {"actions": ["create"]}}]}"#
      )
    }
    act("apply", id, from: ["planned"]) { run, state in run.status = state.confirmed }
    act("discard", id, from: ["planned", "pending", "policy_override", "post_plan_awaiting_decision"]) { run, _ in
      run.status = "discarded"
    }
    act("cancel", id, from: ["planning", "applying"]) { run, state in
      if state.cancelsSlowly { run.isCanceling = true } else { run.status = "canceled" }
    }
    on("POST /api/v2/runs/\(id)/actions/force-cancel") { _, state in
      guard let index = state.runs.firstIndex(where: { $0.id == id }), state.forceStatus == 202 else {
        return .status(state.forceStatus)
      }
      state.runs[index].status = "force_canceled"
      return .status(202)
    }
    for phase in ["plan", "apply"] {
      server.always("GET /logs/\(id)/\(phase)") { [self] request in
        let text = Array((state.withLock { $0.logs["\(id)/\(phase)"] } ?? "\u{2}nothing\n\u{3}").utf8)
        let offset = Int(request.query.split(separator: "offset=").last ?? "0") ?? 0
        return .status(200, body: Array(text.dropFirst(offset)))
      }
    }
  }

  private func act(
    _ action: String, _ id: String, from statuses: Set<String>,
    _ change: @escaping @Sendable (inout RemoteRun, State) -> Void
  ) {
    on("POST /api/v2/runs/\(id)/actions/\(action)") { _, state in
      guard let index = state.runs.firstIndex(where: { $0.id == id }) else { return Self.notFound }
      guard statuses.contains(state.runs[index].status) else {
        return .json(#"{"errors":[{"title":"transition not allowed"}]}"#, status: 409)
      }
      let before = state
      change(&state.runs[index], before)
      return .status(202)
    }
  }

  // MARK: Documents

  static let notFound = ScriptedServer.Answer.json(#"{"errors":[{"title":"not found"}]}"#, status: 404)

  private static func plan(of run: RemoteRun) -> Value {
    resource(
      "plans", "plan-\(run.id)",
      [
        "status": run.status == "planning" ? "running" : "finished", "has-changes": .bool(run.hasChanges),
        "resource-additions": run.hasChanges ? 2 : 0, "log-read-url": .string("/logs/\(run.id)/plan"),
      ])
  }

  private static func resource(_ run: RemoteRun) -> Value {
    resource(
      "runs", run.id,
      [
        "status": .string(run.status), "has-changes": .bool(run.hasChanges), "message": .string(run.message),
        "is-destroy": .bool(run.isDestroy), "auto-apply": .bool(run.autoApply),
        "actions": [
          "is-confirmable": .bool(run.status == "planned"), "is-discardable": .bool(run.isPlanned),
          "is-cancelable": .bool(["planning", "applying"].contains(run.status) && !run.isCanceling),
          "is-force-cancelable": .bool(run.isCanceling && run.gates.offersForce),
        ],
        "force-cancel-available-at": run.isCanceling ? "2026-01-01T00:05:00+00:00" : .null,
        "permissions": ["can-override-policy-check": .bool(run.gates.mayOverride)],
        "status-timestamps": ["applied", "applying", "force_canceled"].contains(run.status)
          ? ["applying-at": "2026-01-01T00:00:00+00:00"] : [:],
      ],
      related: [
        "configuration-version": ("configuration-versions", run.version), "workspace": ("workspaces", run.workspace),
        "plan": ("plans", "plan-\(run.id)"), "apply": ("applies", "apply-\(run.id)"),
      ].merging(run.gates.cost == nil ? [:] : ["cost-estimate": ("cost-estimates", "ce-\(run.id)")]) { $1 },
      lists: run.gates.lists(of: run.id))
  }

  static func resource(
    _ type: String, _ id: String, _ attributes: [String: Value], related: [String: (type: String, id: String)] = [:],
    lists: [String: (type: String, ids: [String])] = [:]
  ) -> Value {
    let one = related.mapValues { ["data": ["type": .string($0.type), "id": .string($0.id)]] as Value }
    let many = lists.mapValues { list in
      ["data": .array(list.ids.map { ["type": .string(list.type), "id": .string($0)] })] as Value
    }
    return [
      "type": .string(type), "id": .string(id), "attributes": .object(attributes),
      "relationships": .object(one.merging(many) { $1 }),
    ]
  }

  static func document(
    _ type: String, _ id: String, _ attributes: [String: Value], related: [String: (type: String, id: String)] = [:],
    included: [Value] = [], status: Int = 200
  ) -> ScriptedServer.Answer {
    let data = resource(type, id, attributes, related: related)
    return .json(#"{"data": \#(data.json()), "included": \#(Value.array(included).json())}"#, status: status)
  }

  static func list(_ resources: [Value]) -> ScriptedServer.Answer {
    .json(#"{"data": \#(Value.array(resources).json())}"#)
  }
}

extension FakeTFE.Notification {
  /// Without the secret, which TFE never shows.
  fileprivate var shown: [String: Value] { attributes.merging(["token": .null]) { $1 } }
}

extension FakeTFE.State {
  func current(in workspace: String) -> FakeTFE.RemoteRun? {
    runs.last { $0.id == currentRuns[workspace] } ?? runs.last { $0.workspace == workspace }
  }

  func workspaceID(_ name: String) -> String {
    "ws-" + name.dropFirst("porc-".count) + (deletions[name] == nil ? "" : "-2")
  }

  func has(_ name: String, _ id: String) -> Bool { workspaces[name] != nil && workspaceID(name) == id }

  mutating func delete(_ name: String) {
    workspaces[name] = nil
    deletions[name, default: 0] += 1
  }
}

extension ScriptedServer.Request {
  /// The body as JSON; null where it is none.
  var value: Value { (try? JSONText.parse(body).value) ?? .null }
}
