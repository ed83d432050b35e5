import Foundation
import HTTPTypes
import PineCLI
import PorcCore
import Synchronization
import TestKit

/// A shell in a folder of its own, in front of a scripted PORC.
final class Shell: Sendable {
  let porc = ScriptedServer()
  let clock = TestClock()
  let folder: TemporaryFolder

  /// How a command ended and what it said.
  struct Ending: Sendable {
    var status: Int32
    var output: String
    var error: String
  }

  static let now = Timestamp.date("2026-11-23T10:20:00.000Z") ?? .distantPast

  init() throws { folder = try TemporaryFolder() }

  /// Runs `pine` against the scripted PORC, with a token.
  ///
  /// - Parameters:
  ///   - answers: what a person types, line by line; `nil` for no terminal.
  ///   - interrupts: presses of Ctrl-C.
  func pine(
    _ arguments: String..., answers: [String]? = nil, input: String = "", isTerminal: Bool = false,
    environment: [String: String] = [:], interrupts: AsyncStream<Void> = AsyncStream { $0.finish() }
  ) async throws -> Ending {
    try await porc.serve { url in
      let environment = environment.merging(["PORC_URL": url, "PORC_TOKEN": "secret"]) { own, _ in own }
      return await self.run(
        arguments, answers: answers, input: input, isTerminal: isTerminal, environment: environment,
        interrupts: interrupts)
    }
  }

  /// Runs `pine` in the folder with exactly this environment.
  func run(
    _ arguments: [String], answers: [String]? = nil, input: String = "", isTerminal: Bool = false,
    environment: [String: String] = [:], in workingDirectory: String? = nil,
    interrupts: AsyncStream<Void> = AsyncStream { $0.finish() }
  ) async -> Ending {
    let said = Said()
    let typed = Typed(answers ?? [])
    let status = await PineCLI.run(
      arguments: arguments, environment: environment, workingDirectory: workingDirectory ?? folder.path,
      standardInput: StandardInput(
        isTerminal: answers != nil, readLine: { typed.next() }, readAll: { Array(input.utf8) }),
      output: OutputStreams(isOutputTerminal: isTerminal, isErrorTerminal: isTerminal) { said.add($0, $1) },
      interrupts: interrupts, clock: clock, now: { Self.now })
    return Ending(status: status, output: said.text(.output), error: said.text(.error))
  }

  private final class Said: Sendable {
    private let texts = Mutex<(output: [UInt8], error: [UInt8])>(([], []))
    func add(_ stream: OutputStreams.Stream, _ bytes: [UInt8]) {
      texts.withLock { if stream == .output { $0.output += bytes } else { $0.error += bytes } }
    }
    func text(_ stream: OutputStreams.Stream) -> String {
      texts.withLock { String(decoding: stream == .output ? $0.output : $0.error, as: UTF8.self) }
    }
  }

  private final class Typed: Sendable {
    private let lines: Mutex<[String]>
    init(_ lines: [String]) { self.lines = Mutex(lines) }
    func next() -> String? { lines.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
  }

  // MARK: What PORC says

  /// Queues the states that a run's status goes through, the last of them for good.
  func statuses(_ states: Wire.Run...) {
    for state in states.dropLast() { porc.on("GET /run/porc-1/status", .json(state.status)) }
    guard let last = states.last else { return }
    porc.always("GET /run/porc-1/status") { _ in .json(last.status) }
  }

  func summary(_ run: Wire.Run) { porc.always("GET /run/porc-1/summary") { _ in .json(run.summary) } }

  /// Scripts a command's acceptance.
  func accepts(_ verb: String, _ run: Wire.Run) { porc.on("POST /runs/porc-1/\(verb)", .json(run.status, status: 202)) }

  /// Scripts Terraform's output as a stream of events.
  func log(_ phase: String, _ lines: String...) {
    porc.always("GET /runs/porc-1/logs") { request in
      guard request.query == "phase=\(phase)" else { return .json("{}", status: 501) }
      let data = lines.map { "data: \($0)\n" }.joined()
      let text = ": connected\n\nid: \(phase):1\nevent: log\n\(data)\nevent: end\ndata: {}\n\n"
      return .status(200, headers: [.contentType: "text/event-stream"], body: Array(text.utf8))
    }
  }

  /// The body of the only request of this kind.
  func body(_ call: String) -> String? { porc.requests.first { $0.call == call }?.text }
}

/// Documents as PORC sends them.
enum Wire {
  /// A run at one moment.
  struct Run: Sendable {
    var state: RunState
    var tfeRunID: String? = nil
    var hasChanges: Bool? = nil
    var waitingFor: String? = nil
    var next: [String] = []
    var operation = "apply"
    var supersededBy: String? = nil
    var isPartial = false
    var isInSync = true
    var rejection: String? = nil
    var error: String? = nil
    var additions = 1
    var cost = "null"
    var policies = "null"
    var tasks = "[]"
    var wait = "null"
    /// Further members of the summary, or others in place of the usual ones.
    var extra: [String: String] = [:]

    static func planned(changes: Bool = true, next: [String] = ["plan", "apply", "discard"]) -> Run {
      Run(
        state: .planned, tfeRunID: "run-7", hasChanges: changes, waitingFor: "somebody to apply or discard the plan",
        next: next)
    }

    private var members: [String: String] {
      [
        "run_id": quote("porc-1"), "instance_id": quote("web-dev"), "status": quote(state.rawValue),
        "terraform_status": quote(operation == "destroy" && state == .applied ? "destroyed" : state.rawValue),
        "operation": quote(operation), "has_changes": hasChanges.map { "\($0)" } ?? "null",
        "tfe_run_id": tfeRunID.map(quote) ?? "null", "superseded_by": supersededBy.map(quote) ?? "null",
        "is_final": "\(state.isFinal && waitingFor == nil)", "partial": "\(isPartial)",
        "waiting_for": waitingFor.map(quote) ?? "null", "next_actions": "[\(next.map(quote).joined(separator: ","))]",
        "wait": wait, "last_updated": quote("2026-11-23T10:18:00.000Z"),
      ]
    }

    var status: String { object(members) }

    var summary: String {
      let plan = """
        {"number":1,"additions":\(additions),"changes":0,"destructions":0,"imports":0,\
        "resources":[{"address":"terraform_data.web","action":"create"}],\
        "tfe_status":null,"cost_estimate":\(cost),"policies":\(policies),"tasks":\(tasks)}
        """
      let rest = [
        "instance": #"{"identifier":"web-dev","title":"Web","environment":"dev","owner":"platform"}"#,
        "template":
          #"{"identifier":"web-1-0-0","name":"web","version":"1.0.0","repo_url":null,"commit":"0123456789abcdef"}"#,
        "workspace": #"{"id":"ws-1","name":"porc-web-dev"}"#,
        "tfe_link": quote("https://tfe.example/app/o/workspaces/porc-web-dev/runs/run-7"),
        "region": quote("us-west1"), "repo_url": "null",
        "inputs": #"{"region":"us-west1","size":3,"password":{"sensitive":true}}"#,
        "plan": tfeRunID == nil ? "null" : plan, "outputs": "{}", "error": error ?? "null",
        "phases": #"{"submitted_at":"2026-11-23T10:15:00.000Z","built_at":null,"planned_at":null,"applied_at":null}"#,
        "portal":
          #"{"in_sync":\#(isInSync),"behind_since":null\#(rejection.map { ",\"rejection\":" + quote($0) } ?? "")}"#,
        "approvals": "[]", "overrides": "[]",
      ]
      return object(members.merging(rest) { $1 }.merging(extra) { $1 })
    }

    private func object(_ members: [String: String]) -> String {
      "{" + members.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }
  }

  /// What a run waits for.
  static func wait(
    _ reason: String, _ clearedBy: String = "it goes on by itself", since: String = "null", link: String = "null"
  ) -> String {
    """
    {"reason":"\(reason)","since":\(since),"until":null,"cleared_by":"\(clearedBy)","link":\(link),"run_id":null,\
    "tfe_run_id":null,"locked_by":null,"lock_reason":null}
    """
  }

  static func problem(_ code: Fault.Code, _ detail: String = "It is so.", extra: String = "") -> ScriptedServer.Answer {
    .json(
      #"{"type":"https://porc.dev/problems/\#(code.rawValue)","title":"\#(code.rawValue)","status":\#(code.status),"#
        + #""detail":\#(quote(detail)),"fix":"Do that.","request_id":"r-1"\#(extra)}"#,
      status: code.status, headers: [.contentType: "application/problem+json"])
  }

  static func quote(_ text: String) -> String {
    String(decoding: (try? JSONEncoder.porc.encode(text)) ?? Data(), as: UTF8.self)
  }
}

private func quote(_ text: String) -> String { Wire.quote(text) }
