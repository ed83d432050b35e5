import Foundation
import HTTPTypes
import Hummingbird
import Logging
import PorcCore
import PorcStore

/// The door of the writes that the portal's buttons ask for as well as people and pipelines. Whoever comes is known by a
/// token, by Port's signature of the body, or by both; whoever sends an id of an action run presses a button: that id is
/// the idempotency key, and the action run is told what becomes of it, a refusal too.
///
/// A signature covers the body alone. So it counts only where the body says what the path asks for: whoever saw one body
/// cannot send it to another path.
struct Buttons: Sendable {
  let store: any Store
  let idempotency: Idempotency
  let settings: ButtonSettings
  /// What signatures are checked with.
  let secrets: [String]
  /// Whether Port's agent may bring the calls, which signs another form of a body than it sends.
  let acceptsAgent: Bool
  let logger: Logger
  let now: @Sendable () -> Date
  private let bodies: UnprovenBodies

  init(
    store: any Store, idempotency: Idempotency, settings: PortalSettings, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.idempotency = idempotency
    self.settings = settings.buttons
    secrets = settings.signingSecrets
    acceptsAgent = settings.usesAgent
    self.logger = logger
    self.now = now
    bodies = UnprovenBodies(
      "press", small: .init(64, upTo: 16 << 10, within: .seconds(5)),
      // An envelope holds the entity, with its inputs and outputs.
      large: .init(8, upTo: 1 << 20, within: .seconds(5)), logger: logger)
  }

  /// Answers a write: as it was answered before where it is the same again, else with what `work` does.
  func answer(
    _ request: Request, _ context: PorcContext, _ verb: String, _ subject: PressBody.Subject, needs scope: Scope,
    _ work: (WriteRequest) async throws -> Response
  ) async throws -> Response {
    let write = try await admit(request, context, verb, subject)
    guard let press = write.press, let key = write.key else {
      try write.require(scope)
      return try await idempotency.once(write.key) { try await work(write) }
    }
    return try await idempotency.once(key) {
      do {
        logger.info(
          "a button was pressed",
          metadata: ["port.action_run.id": "\(press.id)", "verb": "\(verb)", "caller": "\(write.caller.id)"])
        if let objection = write.objection { throw objection }
        try await checkEntity(of: press)
        try write.require(scope)
        return try await work(write)
      } catch {
        // Whoever has some token can name any action run, and must not have it ended.
        guard press.isVouched else { throw error }
        try await refuse(press, Faults.fault(from: error), error, key, context)
        throw error
      }
    }
  }

  // MARK: Who comes

  private func admit(
    _ request: Request, _ context: PorcContext, _ verb: String, _ subject: PressBody.Subject
  ) async throws -> WriteRequest {
    // Without secrets nobody can tell what Port's signature of a call with a token is worth.
    let isClaimed = PortSignature.isClaimed(by: request.headers) && !(secrets.isEmpty && context.token != nil)
    let signature = try isClaimed ? checked(request.headers) : nil
    // Nothing is read for somebody who has neither.
    guard context.token != nil || signature != nil else { throw Self.notSignedIn }
    let bytes = try await context.token == nil ? bodies.body(of: request) : request.bodyBytes()
    if let signature, !signature.signs(bytes, with: secrets, agent: acceptsAgent) { throw Self.wrongSignature }

    let body = try PressBody(bytes)
    let naming = body.naming(verb, subject)
    let isProven = signature != nil && naming == .same
    // A header is not signed.
    let named = try body.actionRun()
    let actionRun = try Self.checked(named ?? (context.token == nil ? nil : request.headers[.portRunID]))
    if context.token == nil || (settings.requiresSignature && (actionRun != nil || body.isOfPort)) {
      guard signature != nil else { throw Self.signatureMissing }
      guard context.token != nil || !settings.scopes.isEmpty else { throw Self.tokenMissing }
      guard isProven else { throw Self.signedForSomethingElse(verb, subject) }
      guard actionRun != nil else { throw Self.actionRunMissing }
    }

    let scopes = context.token.map { Set($0.scopes) } ?? settings.scopes
    let speaksForUsers = context.token != nil && Scope.impersonate.isGranted(by: scopes)
    let mayName = isProven || speaksForUsers
    var caller = context.token == nil ? Press.portal : context.caller
    var objection: Fault?
    if actionRun != nil {
      if naming == .other { objection = Self.contradiction(verb, subject) }
      do {
        if mayName, let actor = try body.actor() { caller = Press.user(actor) }
      } catch {
        objection = objection ?? error
      }
    }
    let isVouched = speaksForUsers || (signature != nil && named != nil && naming != .other)
    let press = actionRun.map {
      Press(id: $0, verb: verb, subject: subject, actor: caller, entity: body.entity, isVouched: isVouched)
    }
    return WriteRequest(
      bytes: bytes, caller: caller,
      right: context.token.map { "The token '\($0.name)'" } ?? "A button of the portal without a token",
      scopes: scopes, key: try key(press, request, context, bytes), press: press,
      isOfPort: press != nil || body.isOfPort, objection: objection)
  }

  /// - Throws: a fault for a signature that cannot be one, or is of another time.
  private func checked(_ headers: HTTPFields) throws -> PortSignature {
    guard !secrets.isEmpty, let signature = PortSignature(headers) else { throw Self.wrongSignature }
    guard signature.isFresh(at: now()) else {
      throw Fault(
        .notSignedIn, "The signature is of another time.",
        fix:
          "Send it within \(Int(PortSignature.tolerance)) seconds of x-port-timestamp, which counts seconds since 1970, and "
          + "let the clocks agree.")
    }
    return signature
  }

  private static func checked(_ actionRun: String?) throws -> String? {
    guard let actionRun, !actionRun.isEmpty else { return nil }
    guard actionRun.utf8.count <= 200, actionRun.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      ![".", ".."].contains(actionRun)
    else {
      throw Fault(
        .malformedRequest, "The id of the action run is not up to 200 visible ASCII characters.",
        fix: "Send {{ .run.id }}.")
    }
    return actionRun
  }

  /// Of a press, the portal's id, for whoever vouches for it: what one token was answered is no answer to another. A token's
  /// owner may choose another key. Without a token nobody vouches for a header.
  private func key(
    _ press: Press?, _ request: Request, _ context: PorcContext, _ bytes: [UInt8]
  ) throws -> IdempotencyKey? {
    if context.token != nil, let chosen = try idempotency.key(request, context, body: bytes) { return chosen }
    return press.map {
      IdempotencyKey(
        caller: context.token.map { "\(Press.portal.id)/\($0.id)" } ?? Press.portal.id, key: $0.id,
        fingerprint: Idempotency.fingerprint(of: request, body: bytes))
    }
  }

  // MARK: Refusing

  /// Records that a press was refused, and with what answer, so that its action run is closed with the reason.
  private func refuse(
    _ press: Press, _ fault: Fault, _ error: any Error, _ key: IdempotencyKey, _ context: PorcContext
  ) async throws {
    switch error {
    case StoreError.alreadyAnswered, StoreError.alreadyPressed: return
    default: break
    }
    // It may be taken in a moment.
    guard ![Fault.Code.busy, .rateLimited].contains(fault.code) else { return }
    var refused = ActionRun(id: press.id, verb: press.verb, actor: press.actor, opening: [], createdAt: now())
    (refused.run, refused.instance) = try await found(press.subject)
    if let entity = press.entity.map({ Instance.ID($0) }), entity != refused.instance {
      (refused.run, refused.instance) = (nil, entity)
    }
    refused.opening = [ActionReport.opening(press, plan: nil, refused.run, of: refused.instance)]
    let document = ProblemDocument(fault, requestID: context.requestID)
    try await store.refuse(
      refused, because: [fault.fullMessage, fault.fix].compactMap { $0 }.joined(separator: " "),
      answer: StoredAnswer(
        status: fault.code.status, body: try JSONEncoder.porc.encode(document), fingerprint: key.fingerprint),
      under: key)
  }

  /// What a press is about, as far as there is such a thing.
  private func found(_ subject: PressBody.Subject) async throws -> (run: PorcCore.Run.ID?, instance: Instance.ID?) {
    switch subject {
    case .run(let id):
      let located = try await store.locate(id)
      return (located?.run.id, located?.run.instance)
    case .instance(let id):
      let situation = try await store.situation(of: Instance.ID(id))
      return (situation?.currentRun?.id, situation?.instance.id)
    }
  }

  /// Whoever may edit an entity in the portal may have it name another's run: who may press its buttons may not therefore
  /// press those of the other.
  private func checkEntity(of press: Press) async throws {
    guard let entity = press.entity, let instance = try await found(press.subject).instance,
      instance.rawValue != entity
    else { return }
    throw Fault(
      .wrongState, "The button was pressed on '\(entity.prefix(100))', whose entity names what is of '\(instance)'.",
      fix: "Press it on '\(instance)'. PORC puts the entity right with its next comparison, or with porc port sync.")
  }

  private static let notSignedIn = Fault(
    .notSignedIn, "This needs a token.", fix: "Send 'Authorization: Bearer …' with a token of this PORC.")

  private static let wrongSignature = Fault(
    .notSignedIn, "Port's signature is wrong.",
    fix: "Give PORC the client secret that Port signs with: PORT_WEBHOOK_SECRETS, else PORT_CLIENT_SECRET.")

  private static let tokenMissing = Fault(
    .notSignedIn, "A button's press needs a token here beside Port's signature: port.button_scopes is 'none'.",
    fix: "Let Port's actions send one: porc port setup.")

  private static let signatureMissing = Fault(
    .notSignedIn, "A button's press needs Port's signature here.",
    fix: "Let Port send it: port.require_signature is on.")

  private static let actionRunMissing = Fault(
    .notSignedIn, "What is signed names no action run, so it could be sent again.",
    fix: "Let the action's body have \"port_context\": {\"runId\": \"{{ .run.id }}\"}, or send a token.")

  private static func members(_ verb: String, _ subject: PressBody.Subject) -> String {
    switch subject {
    case .run(let id): "\"action\": \"\(verb)\" and \"run_id\": \"\(id)\""
    case .instance(let id): "\"action\": \"\(verb)\" and \"instance\": \"\(id)\""
    }
  }

  private static func signedForSomethingElse(_ verb: String, _ subject: PressBody.Subject) -> Fault {
    Fault(
      .notSignedIn, "Port's signature covers the body alone, which does not say what the path asks for.",
      fix: "Let the action's body have \(members(verb, subject)).")
  }

  private static func contradiction(_ verb: String, _ subject: PressBody.Subject) -> Fault {
    Fault(
      .malformedRequest, "The body asks for something else than the path.",
      fix: "Let the action's body have \(members(verb, subject)).")
  }
}

extension HTTPField.Name {
  // A token by RFC 9110, section 5.6.2.
  fileprivate static let portRunID = Self("RUN_ID")!
}
