import Crypto
import Foundation
import HCL
import HTTPTypes
import Hummingbird
import Logging
import PorcCore
import PorcStore

/// TFE's notifications, signed with the secret of the workspace or project that they are about. Each only wakes the job
/// that follows the run: what became of it is read from TFE.
struct TFEWebhook: Sendable {
  let store: any Store
  /// `nil` where TFE does not reach this PORC.
  let notifications: Notifications?
  let logger: Logger
  private let bodies: UnprovenBodies

  init(store: any Store, notifications: Notifications?, logger: Logger) {
    self.store = store
    self.notifications = notifications
    self.logger = logger
    // A payload has a few hundred bytes, and the message of a run, which for PORC's own is short.
    bodies = UnprovenBodies(
      "notification", small: .init(256, upTo: 16 << 10, within: .seconds(5)),
      large: .init(16, upTo: 256 << 10, within: .seconds(5)), logger: logger)
  }

  func register(in routes: Routes) {
    routes.post("/webhooks/tfe/{workspace}", needs: nil, receive)
  }

  @Sendable private func receive(_ request: Request, _ context: PorcContext) async throws -> Response {
    guard let notifications else {
      throw Fault(
        .forbidden, "This PORC takes no notifications: it has not asked for any.",
        fix: "Set PORC_PUBLIC_URL to the URL at which Terraform Enterprise reaches it.")
    }
    let owner = try context.parameters.require("workspace")
    // Nothing is read for somebody who does not even seem to be TFE.
    guard try await store.notification(of: owner) != nil else { throw Self.notSigned }
    guard let code = Self.code(request.headers[.notificationSignature]) else {
      try await notifications.suspect(owner)
      throw Self.notSigned
    }
    let bytes = try await bodies.body(of: request)
    // Compared in constant time.
    guard
      HMAC<SHA512>.isValidAuthenticationCode(
        code, authenticating: bytes, using: SymmetricKey(data: Data(notifications.secret(of: owner).utf8)))
    else {
      try await notifications.suspect(owner)
      throw Self.notSigned
    }
    guard let payload = try? JSONText.parse(bytes).value else {
      throw Fault(.unsupportedMediaType, "The notification is not JSON.", fix: "Send what Terraform Enterprise sends.")
    }
    guard payload.objectValue != nil else {
      throw Fault(
        .malformedRequest, "The notification is no JSON object.", fix: "Send what Terraform Enterprise sends.")
    }
    guard let tfeRunID = payload["run_id"]?.stringValue else {
      // A verification; or about something else that a workspace tells.
      try await store.noteDelivery(of: owner)
      return try .json(Received(isTaken: false))
    }
    let located = try await store.locate(tfeRunID)
    guard try await isAbout(owner, located) else { return try .json(Received(isTaken: false)) }
    if located?.run.state == .applying, Self.onlySays("run:applying", payload) {
      try await store.noteDelivery(of: owner)
      return try .json(Received(isTaken: false))
    }
    // The same bytes are the same delivery: nobody who saw one can have PORC read the run again and again.
    let delivery = Digest.sha256(Data(bytes))
    let isNew = try await store.noteDelivery("\(owner)/\(delivery)", of: owner, about: tfeRunID)
    logger.debug("TFE told about a run", metadata: ["tfe.run.id": "\(tfeRunID)", "is_new": "\(isNew)"])
    return try .json(Received(isTaken: isNew), status: .accepted)
  }

  private static let notSigned = Fault(
    .notSignedIn, "The notification's signature is missing or wrong, or PORC asked for none here.",
    fix: "Nothing is to be done: PORC has Terraform Enterprise sign anew what it asked for.")

  /// What a signature's header holds.
  private static func code(_ header: String?) -> Data? {
    guard let header, header.utf8.count == 2 * SHA512.byteCount else { return nil }
    return Data(hex: header)
  }

  /// Whether the run is of the workspace or project that signs. One that PORC does not know may be one that it makes now.
  private func isAbout(_ owner: String, _ located: Located?) async throws -> Bool {
    guard let workspace = located?.situation.instance.workspace else { return true }
    if workspace.id == owner { return true }
    return try await store.notification(of: workspace.id)?.project == owner
  }

  private static func onlySays(_ trigger: String, _ payload: Value) -> Bool {
    let told = payload["notifications"]?.arrayValue ?? []
    return !told.isEmpty && told.allSatisfy { $0["trigger"]?.stringValue == trigger }
  }

  private struct Received: Codable {
    /// Whether it is new, and about a run that may be PORC's.
    var isTaken: Bool
    enum CodingKeys: String, CodingKey { case isTaken = "taken" }
  }
}

extension HTTPField.Name {
  // A token by RFC 9110, section 5.6.2.
  fileprivate static let notificationSignature = Self("X-TFE-Notification-Signature")!
}
