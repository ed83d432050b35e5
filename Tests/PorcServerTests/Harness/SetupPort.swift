import Foundation
import PortPortal
import Synchronization
import TestKit

/// A small Port that keeps blueprints, actions and secrets, and takes them as Port does.
final class SetupPort: Sendable {
  struct State: Sendable {
    var blueprints: [String: JSON] = [:]
    var actions: [String: JSON] = [:]
    /// Values by name.
    var secrets: [String: String] = [:]
    var hidesSecrets = false
    /// Calls that are answered 503 before they are looked at.
    var failures: Set<String> = []
    /// Calls that are done, and whose answers a proxy replaces by a page of its own.
    var garbled: Set<String> = []
  }

  private let state = Mutex(State())
  let server: ScriptedServer

  init() {
    let answer = Mutex<(@Sendable (ScriptedServer.Request) -> ScriptedServer.Answer?)?>(nil)
    server = ScriptedServer { request in answer.withLock(\.self)?(request) }
    answer.withLock { $0 = { [unowned self] request in self.answer(request) } }
  }

  var now: State { state.withLock(\.self) }
  func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

  /// What was written, and not only read.
  var writes: [ScriptedServer.Request] {
    server.requests.filter { $0.method != "GET" && !$0.path.hasPrefix("/v1/auth/") }
  }

  private func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Answer? {
    let parts = request.path.split(separator: "/").dropFirst().map { String($0).removingPercentEncoding ?? "" }
    let body = (try? JSONDecoder().decode(JSON.self, from: Data(request.body))) ?? .null
    return state.withLock { state in
      if state.failures.contains(request.call) { return .status(503) }
      switch (request.method, parts.first, parts.count) {
      case (_, "auth", _): return .json(#"{"ok":true,"accessToken":"a","expiresIn":10800,"tokenType":"Bearer"}"#)
      case (_, "blueprints", 1), (_, "blueprints", 2):
        return Self.answer(request, parts, body, "blueprint", "identifier", &state.blueprints)
      case (_, "actions", 1), (_, "actions", 2):
        return Self.answer(request, parts, body, "action", "identifier", &state.actions)
      case (_, "organization", 2), (_, "organization", 3):
        if state.hidesSecrets { return Self.refusal(403, "forbidden") }
        let answer = Self.secret(request, parts, body, &state.secrets)
        return state.garbled.contains(request.call) ? .json("<html>") : answer
      default: return nil
      }
    }
  }

  private static func answer(
    _ request: ScriptedServer.Request, _ parts: [String], _ body: JSON, _ noun: String, _ key: String,
    _ all: inout [String: JSON]
  ) -> ScriptedServer.Answer? {
    let name = parts.count > 1 ? parts[1] : body[key]?.string ?? ""
    switch request.method {
    case "GET" where parts.count == 1: return ok([noun + "s": .array(Array(all.values))])
    case "POST":
      guard all[name] == nil else { return refusal(409, "conflict") }
      all[name] = body
      return ok([noun: body], status: 201)
    default: break
    }
    guard let existing = all[name]?.object else { return refusal(404, "not_found") }
    switch request.method {
    case "PATCH": all[name] = .object(existing.merging(body.object ?? [:]) { $1 })
    case "PUT": all[name] = body
    case "GET": break
    default: return nil
    }
    return ok([noun: all[name] ?? .null])
  }

  private static func secret(
    _ request: ScriptedServer.Request, _ parts: [String], _ body: JSON, _ all: inout [String: String]
  ) -> ScriptedServer.Answer? {
    let name = parts.count > 2 ? parts[2] : body["secretName"]?.string ?? ""
    switch (request.method, all[name] != nil) {
    case ("POST", true): return refusal(409, "conflict")
    case ("POST", false), ("PATCH", true): all[name] = body["secretValue"]?.string
    case (_, false): return refusal(404, "not_found")
    default: break
    }
    return ok(["secret": ["secretName": .string(name)]], status: request.method == "POST" ? 201 : 200)
  }

  private static func ok(_ members: [String: JSON], status: Int = 200) -> ScriptedServer.Answer {
    let document = JSON.object(members.merging(["ok": true]) { own, _ in own })
    // What was decoded can be encoded.
    let text = (try? JSONEncoder().encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return .json(text, status: status)
  }

  private static func refusal(_ status: Int, _ code: String) -> ScriptedServer.Answer {
    .json(#"{"ok":false,"error":"\#(code)","message":"because"}"#, status: status)
  }
}
