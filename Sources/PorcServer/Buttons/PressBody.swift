import Foundation
import HCL
import PorcCore

/// What the body of a write says of the press of a button that it comes from, whoever wrote it. Port's actions have a body
/// of the organization's making, with a `port_context`; those of the first version, and what Port's agent brings, have an
/// envelope of Port's own, `{"action", "context", "trigger", "payload"}`.
///
/// ```json
/// {"action": "apply", "run_id": "run-…", "operation": "apply",
///  "port_context": {"runId": "r_…", "entity": "gke-dev-west", "actor": "alice@example.com"}}
/// ```
struct PressBody: Sendable {
  private let body: Value

  /// What a path asks for.
  enum Subject: Sendable, Equatable {
    case run(String)
    case instance(String)
  }

  /// Whether it says what the path asks for.
  enum Naming: Equatable {
    case same
    /// It leaves something out.
    case silent
    case other
  }

  /// - Throws: a fault for what is no JSON, an empty body aside: what is done must be what was read here.
  init(_ bytes: [UInt8]) throws(Fault) {
    guard !bytes.allSatisfy({ " \t\r\n".utf8.contains($0) }) else {
      body = .object([:])
      return
    }
    do throws(ParseFailure) {
      let value = try JSONText.parse(bytes).value
      body = value.objectValue == nil ? .object([:]) : value
    } catch {
      throw Fault(
        .malformedRequest,
        "The body is no JSON: line \(error.position.line), column \(error.position.column): \(error.message)",
        fix: "Send a JSON object, or nothing.")
    }
  }

  /// The portal's id of its action run.
  ///
  /// - Throws: a fault for what is there and is no text: to take it for no press would be to forget the press.
  func actionRun() throws(Fault) -> String? {
    for path in [["port_context", "runId"], ["port_context", "run_id"], ["context", "runId"]] {
      guard let value = value(path), !value.isNull else { continue }
      guard let id = value.stringValue else {
        throw Fault(
          .malformedRequest, "The body's '\(path.joined(separator: "."))' is no text.", fix: "Send {{ .run.id }}.")
      }
      if !id.isEmpty { return id }
    }
    return nil
  }

  /// On which entity of the portal's the button was pressed.
  var entity: String? {
    text("port_context", "entity") ?? text("payload", "entity", "identifier") ?? text("context", "entity")
  }

  /// Who pressed, as the portal names its user; `nil` where it names nobody, such as for an automation.
  ///
  /// - Throws: a fault for what is there and is no name. Nobody else may count as the one who pressed then.
  func actor() throws(Fault) -> String? {
    for path in [["port_context", "actor"], ["trigger", "by", "user", "email"], ["trigger", "by", "userId"]] {
      guard let value = value(path), !value.isNull else { continue }
      let name = value.stringValue?.trimmingCharacters(in: .whitespacesAndNewlines)
      if name?.isEmpty == true { continue }
      guard let name, name.utf8.count <= 320, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
      else {
        throw Fault(
          .malformedRequest, "The body's '\(path.joined(separator: "."))' is no user of the portal.",
          fix: "Send {{ .trigger.by.user.email }}, which has at most 320 characters.")
      }
      return name
    }
    return nil
  }

  /// Whether it has the members of Port's own beside those that a write takes.
  var isOfPort: Bool { body["port_context"]?.objectValue != nil || isEnvelope }

  /// The agent puts one around bodies of the organization's making too.
  private var isEnvelope: Bool { body["context"]?.objectValue != nil && body["payload"]?.objectValue != nil }

  /// - Parameter verb: the last part of the path, such as `apply`.
  func naming(_ verb: String, _ subject: Subject) -> Naming {
    let action = text("action")
    let names: [String]
    let named: String
    switch subject {
    case .run(let id): (names, named) = ([text("run_id"), text("porc_run_id")].compactMap { $0 }, id)
    case .instance(let id): (names, named) = ([text("instance")].compactMap { $0 }, id)
    }
    if isEnvelope, names.isEmpty {
      // `action` is an identifier in Port here, and the entity says what it was pressed on.
      return action.map { Self.names($0, verb) } == true && ofEntity(subject).contains(named) ? .same : .silent
    }
    if let action, action != verb { return .other }
    if !names.isEmpty, !names.contains(named) { return .other }
    return action == nil || names.isEmpty ? .silent : .same
  }

  /// Whether an action's identifier, such as `porc_apply`, names a verb. "Confirm destroy" applies a plan.
  private static func names(_ identifier: String, _ verb: String) -> Bool {
    if identifier == "confirm_destroy" || identifier.hasSuffix("_confirm_destroy") { return verb == "apply" }
    return identifier == verb || identifier.hasSuffix("_\(verb)")
  }

  private func ofEntity(_ subject: Subject) -> [String] {
    switch subject {
    case .run:
      [text("payload", "entity", "properties", "run_id"), text("payload", "entity", "properties", "porc_run_id")]
        .compactMap { $0 }
    case .instance: [text("payload", "entity", "identifier"), text("context", "entity")].compactMap { $0 }
    }
  }

  /// A text that is not empty.
  private func text(_ path: String...) -> String? {
    let text = value(path)?.stringValue
    return text?.isEmpty == true ? nil : text
  }

  private func value(_ path: [String]) -> Value? { path.reduce(body as Value?) { $0?[$1] } }
}
