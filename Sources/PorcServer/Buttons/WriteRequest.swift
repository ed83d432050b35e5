import Foundation
import HCL
import PorcCore
import PorcStore

/// A write that was asked for, and who asks: the owner of a token, or somebody who pressed a button in the portal.
struct WriteRequest: Sendable {
  let bytes: [UInt8]
  let caller: Caller
  /// Whose right it is, for messages: `The token 'ci'`.
  let right: String
  let scopes: Set<Scope>
  let key: IdempotencyKey?
  let press: Press?
  /// Whether the body may have members beside those that the write takes.
  let isOfPort: Bool
  /// What is wrong with the body of a press, whoever may press.
  let objection: Fault?

  /// - Throws: a fault if whoever asks may not.
  func require(_ scope: Scope) throws {
    guard scope.isGranted(by: scopes) else {
      throw Fault(
        .forbidden, "\(right) lacks the scope '\(scope.rawValue)'.",
        fix: press != nil && caller.id == Press.portal.id
          ? "Have it added to port.button_scopes, or send a token that has it."
          : "Use a token that has it: porc token create NAME --scope \(scope.rawValue).")
    }
  }

  /// The JSON body; an empty one counts as `{}`. A member that is none of `known` is refused: it may have been meant to
  /// name the plan that was seen. Only Port's actions send others of their own.
  ///
  /// - Throws: a fault for such a member, and for what is no such body.
  func body<Body: Decodable, Key: CodingKey & CaseIterable>(_: Body.Type, _ known: Key.Type) throws -> Body {
    let isBlank = bytes.allSatisfy { " \t\r\n".utf8.contains($0) }
    let names = Key.allCases.map(\.stringValue)
    let given = (isBlank ? nil : try? JSONText.parse(bytes).value.objectValue)?.keys.sorted() ?? []
    for name in given where !isOfPort && !names.contains(name) {
      throw Fault(
        .malformedRequest, "The body's '\(name)' is unknown.",
        fix: Suggestion.closest(to: name, among: names).map { "Did you mean '\($0)'?" }
          ?? "Known here: \(names.joined(separator: ", ")).")
    }
    return try JSONDecoder.porc.decode(Body.self, from: isBlank ? Data("{}".utf8) : Data(bytes))
  }

  /// What is recorded with the decision: the press, and the answer.
  ///
  /// - Parameter answer: made inside the transaction; gets the fingerprint of this request.
  func record(
    for run: Run.ID,
    _ answer: @escaping @Sendable (Situation, _ now: Date, _ fingerprint: String) throws -> StoredAnswer
  ) -> Record {
    Record(
      answer: key.map { key in
        Record.PendingAnswer(key: key) { try answer($0, $1, key.fingerprint) }
      },
      actionRun: press.map { press in
        Record.PendingActionRun(id: press.id, isVouched: press.isVouched) { press.taken(for: run, in: $0, at: $1) }
      })
  }
}

/// A press of a button in the portal.
struct Press: Sendable {
  /// The portal's id of its action run.
  let id: String
  /// The last part of the path, such as `apply`.
  let verb: String
  let subject: PressBody.Subject
  let actor: Caller
  /// The identifier of the entity that it was pressed on, where the call says so.
  var entity: String?
  /// Whether Port's signature, or a token that may speak for Port's users, says that this is a press.
  var isVouched = true

  /// Who presses where the portal names nobody.
  static let portal = Caller(id: "port", name: "Port")

  /// A user of the portal. Never the same caller as a token's, nor as another user who is only spelled alike.
  static func user(_ name: String) -> Caller { Caller(id: "port:\(name.lowercased())", name: name) }

  /// What is kept of it once it was decided on.
  func taken(for run: Run.ID, in situation: Situation, at now: Date) -> ActionRun {
    // The plan that a press asks for is yet to be made.
    let plan = ["plan", "destroy", "build"].contains(verb) ? nil : situation.runs[run]?.currentPlan
    var opening = [ActionReport.opening(self, plan: plan, run, of: situation.instance.id)]
    if let asked = situation.runs[run], let waiting = situation.waiting(asked) {
      switch waiting.wait {
      case .anotherRun, .turn: opening.append("It waits for \(waiting.sentence).")
      default: break
      }
    }
    var taken = ActionRun(
      id: id, verb: verb, actor: actor, run: run, instance: situation.instance.id, plan: plan?.number,
      opening: opening, createdAt: now)
    taken.isVouched = isVouched
    return taken
  }
}
