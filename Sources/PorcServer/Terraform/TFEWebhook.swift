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
  /// Whoever sends is known only when all is read; so only some are read at once.
  private let reading = Limit(32, of: "notifications under way", setting: nil)

  /// A payload has a few hundred bytes, and the message of a run.
  private static let maximumSize = 256 << 10

  init(store: any Store, notifications: Notifications?, logger: Logger) {
    self.store = store
    self.notifications = notifications
    self.logger = logger
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
    let place = try reading.take()
    defer { withExtendedLifetime(place) {} }
    let bytes = try await request.bodyBytes(atMost: Self.maximumSize)
    guard let code = Data(hex: request.headers[.notificationSignature] ?? ""),
      // Compared in constant time.
      HMAC<SHA512>.isValidAuthenticationCode(
        code, authenticating: bytes, using: SymmetricKey(data: Data(notifications.secret(of: owner).utf8)))
    else {
      await notifications.suspect(owner)
      throw Fault(
        .notSignedIn, "The notification's signature is missing or wrong.",
        fix: "Nothing is to be done: PORC has Terraform Enterprise sign anew.")
    }
    guard let payload = try? JSONText.parse(bytes).value, payload.objectValue != nil else {
      throw Fault(.unsupportedMediaType, "The notification is not JSON.", fix: "Send what Terraform Enterprise sends.")
    }
    guard let tfeRunID = payload["run_id"]?.stringValue else {
      // A verification; or about something else that a workspace tells.
      try await store.noteDelivery(of: owner)
      return try .json(Received(isTaken: false))
    }
    guard try await isAbout(owner, tfeRunID, payload) else { return try .json(Received(isTaken: false)) }
    // The same bytes are the same delivery: nobody who saw one can have PORC read the run again and again.
    let delivery = Digest.sha256(Data(bytes))
    let isNew = try await store.noteDelivery("\(owner)/\(delivery)", of: owner, about: tfeRunID)
    logger.debug("TFE told about a run", metadata: ["tfe.run.id": "\(tfeRunID)", "is_new": "\(isNew)"])
    return try .json(Received(isTaken: isNew), status: .accepted)
  }

  /// Whether the run is of the workspace or project that signs. One that PORC does not know may be one that it makes now.
  private func isAbout(_ owner: String, _ tfeRunID: String, _ payload: Value) async throws -> Bool {
    guard let located = try await store.locate(tfeRunID), let workspace = located.situation.instance.workspace else {
      return true
    }
    if workspace.id == owner { return true }
    return try await store.notification(of: workspace.id)?.project == owner
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
