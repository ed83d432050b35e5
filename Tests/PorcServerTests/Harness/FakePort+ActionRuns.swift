import HCL
import Synchronization
import TestKit

extension FakePort {
  /// A press of a button.
  struct ActionRun: Sendable {
    var status = "IN_PROGRESS"
    /// What it was pressed on, of the instances' blueprint; nil for something else.
    var entity: String? = "web"
    /// The identifier of its action.
    var action = "porc_apply"
    var label: String?
    var links: [String] = []
    var externalID: String?
    var summary: String?
    var log: [String] = []
    /// What is answered once it has ended.
    var refusal = 409
    /// What is answered instead of doing the next things, one each.
    var failures: [ScriptedServer.Answer] = []
    /// What is answered to the next things though they are done.
    var lostAnswers: [ScriptedServer.Answer] = []
    /// Whether words are not taken, only an end.
    var isTerse = false

    var isEnded: Bool { status == "SUCCESS" || status == "FAILURE" }
  }

  /// Somebody presses a button.
  func press(_ id: String, _ change: (inout ActionRun) -> Void = { _ in }) {
    var run = ActionRun()
    change(&run)
    state.withLock { [run] in $0.actionRuns[id] = run }
    let path = "/v1/actions/runs/\(id)"
    let missing = ScriptedServer.Answer.json(#"{"ok":false,"error":"not_found","message":"No."}"#, status: 404)
    @Sendable func refusal(_ status: Int) -> ScriptedServer.Answer {
      .json(#"{"ok":false,"error":"run_ended","message":"No."}"#, status: status)
    }
    func on(_ call: String, _ work: @escaping @Sendable (Value, inout ActionRun) -> ScriptedServer.Answer) {
      self.on(call) { request, state in
        guard var run = state.actionRuns[id] else { return missing }
        defer { state.actionRuns[id] = run }
        if !run.failures.isEmpty { return run.failures.removeFirst() }
        if run.isEnded, request.method != "GET" { return refusal(run.refusal) }
        let answer = work(request.method == "GET" ? .null : request.value, &run)
        return run.lostAnswers.isEmpty || request.method == "GET" ? answer : run.lostAnswers.removeFirst()
      }
    }
    on("GET \(path)") { _, run in
      let place = run.entity.map {
        #","entity":{"identifier":"\#($0)"},"blueprint":{"identifier":"blueprint_instance"}"#
      }
      return .json(
        #"{"ok":true,"run":{"id":"\#(id)","status":"\#(run.status)","action":{"identifier":"\#(run.action)"}\#(place ?? "")}}"#
      )
    }
    on("PATCH \(path)") { update, run in
      if run.isTerse, update["statusLabel"] != nil { return refusal(422) }
      run.label = update["statusLabel"]?.stringValue ?? run.label
      run.links = update["link"]?.arrayValue?.compactMap(\.stringValue) ?? run.links
      run.externalID = update["externalRunId"]?.stringValue ?? run.externalID
      run.summary = update["summary"]?.stringValue ?? run.summary
      run.status = update["status"]?.stringValue ?? run.status
      return .json(#"{"ok":true,"run":{"id":"\#(id)","status":"\#(run.status)"}}"#)
    }
    on("POST \(path)/logs") { line, run in
      run.log.append(line["message"]?.stringValue ?? "")
      return .json(#"{"ok":true}"#, status: 201)
    }
    on("GET \(path)/logs") { _, run in
      let logs = run.log.reversed().map { Value.object(["id": "l", "message": .string($0)]) }
      return .json(Value.object(["ok": true, "runLogs": .array(Array(logs))]).json())
    }
  }

  func change(_ id: String, _ change: (inout ActionRun) -> Void) {
    state.withLock { state in
      guard var run = state.actionRuns[id] else { return }
      change(&run)
      state.actionRuns[id] = run
    }
  }

  /// An action run as it is there.
  func actionRun(_ id: String) -> ActionRun { state.withLock { $0.actionRuns[id] } ?? ActionRun(status: "ABSENT") }

  /// The calls about action runs, shortened: `PATCH r_1`, `POST r_1/logs`.
  var tellings: [String] {
    calls.filter { $0.contains("/v1/actions/runs/") && !$0.hasPrefix("GET") || $0.hasSuffix("/logs") }.map {
      $0.replacing("/v1/actions/runs/", with: "")
    }
  }
}
