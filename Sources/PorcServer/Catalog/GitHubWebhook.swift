import Crypto
import Foundation
import HCL
import HTTPTypes
import Hummingbird
import Logging
import PorcCore
import PorcStore

/// GitHub's webhooks, signed by it: a hint that a repository is worth a look, and nothing more. Nothing is built from what
/// they say (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
struct GitHubWebhook: Sendable {
  let store: any Store
  let sync: CatalogSync
  let watch: CatalogWatch
  let secrets: [String]
  let logger: Logger
  private let bodies: UnprovenBodies

  /// The events that may say something of a repository's content or its place.
  private static let telling: Set<String> = ["push", "release", "create", "delete", "repository"]

  init(store: any Store, sync: CatalogSync, watch: CatalogWatch, secrets: [String], logger: Logger) {
    self.store = store
    self.sync = sync
    self.watch = watch
    self.secrets = secrets
    self.logger = logger
    bodies = UnprovenBodies(
      "webhook", small: .init(64, upTo: 1 << 20, within: .seconds(5)),
      // Few, since each may take that much memory. GitHub itself gives up after 10 seconds.
      large: .init(4, upTo: 25 << 20, within: .seconds(10)), logger: logger)
  }

  func register(in routes: Routes) {
    routes.post("/webhooks/github", needs: nil, receive)
  }

  @Sendable private func receive(_ request: Request, _ context: PorcContext) async throws -> Response {
    guard !secrets.isEmpty else {
      throw Fault(
        .forbidden, "This PORC takes no webhooks: it has no secret to check them with.",
        fix: "Set GITHUB_WEBHOOK_SECRET to the webhook's secret.")
    }
    // Nothing is read for somebody who does not even seem to be GitHub.
    guard let code = Self.code(request.headers[.hubSignature]) else { throw Self.notSigned }
    guard let event = request.headers[.gitHubEvent], let delivery = request.headers[.gitHubDelivery],
      (1...200).contains(delivery.utf8.count)
    else {
      throw Fault(
        .malformedRequest, "The headers X-GitHub-Event and X-GitHub-Delivery are missing.",
        fix: "Send what GitHub sends.")
    }
    let bytes = try await bodies.body(of: request)
    guard isSigned(bytes, code) else { throw Self.notSigned }
    guard let payload = try? JSONText.parse(bytes).value else {
      throw Fault(
        .unsupportedMediaType, "The webhook's body is not JSON.", fix: "Set its content type to application/json.")
    }
    guard payload.objectValue != nil else {
      throw Fault(.malformedRequest, "The webhook's body is no JSON object.", fix: "Send what GitHub sends.")
    }
    var logger = logger
    logger[metadataKey: "delivery"] = "\(delivery)"
    guard event != "ping" else {
      logger.info("GitHub has set up a webhook")
      return try .json(Received(sources: []))
    }
    guard Self.telling.contains(event) else { return try .json(Received(sources: []), status: .accepted) }
    let names = try await sources(of: payload["repository"] ?? .null)
    guard try await store.takeDelivery(delivery, from: "github") else {
      return try .json(Received(sources: names.sorted(), isRepeated: true), status: .accepted)
    }
    logger.info(
      "GitHub says that something has changed", metadata: ["event": "\(event)", "sources": "\(names.sorted())"])
    // Should PORC end before it looks, it looks at everything when it starts.
    watch.look(at: names)
    return try .json(Received(sources: names.sorted()), status: .accepted)
  }

  private static let notSigned = Fault(
    .notSignedIn, "The webhook's signature is missing or wrong.",
    fix: "Give GitHub and PORC the same secret; PORC's is GITHUB_WEBHOOK_SECRET.")

  /// What a signature's header holds.
  private static func code(_ header: String?) -> Data? {
    guard let header, header.hasPrefix("sha256="), header.utf8.count == 71 else { return nil }
    return Data(hex: header.dropFirst("sha256=".count))
  }

  /// Whether one of the secrets signs these bytes.
  private func isSigned(_ bytes: [UInt8], _ code: Data) -> Bool {
    // Compared in constant time.
    return secrets.contains { secret in
      HMAC<SHA256>.isValidAuthenticationCode(
        code, authenticating: bytes, using: SymmetricKey(data: Data(secret.utf8)))
    }
  }

  /// The sources that read this repository, whichever of its URLs they name.
  private func sources(of repository: Value) async throws -> Set<String> {
    let urls = Set(
      ["clone_url", "ssh_url", "git_url", "html_url", "svn_url"].compactMap { repository[$0]?.stringValue }
        .map(Self.plain))
    let sources = try await sync.configured().map(\.source)
    return Set(
      sources.filter { source in
        if case .git(let text) = source.place { urls.contains(Self.plain(text)) } else { false }
      }.map(\.name))
  }

  /// `github.com/acme/modules` of any spelling of its URL.
  private static func plain(_ url: String) -> String {
    var rest = url[...]
    if let mark = rest.firstRange(of: "://") { rest = rest[mark.upperBound...] }
    let isShell = !url.contains("://")
    if let at = rest.firstIndex(of: "@"), !rest[..<at].contains("/") { rest = rest[rest.index(after: at)...] }
    var plain = String(rest)
    if isShell, let colon = plain.firstIndex(of: ":") { plain.replaceSubrange(colon...colon, with: "/") }
    while plain.hasSuffix("/") { plain.removeLast() }
    if plain.hasSuffix(".git") { plain.removeLast(4) }
    // GitHub's names of owners and repositories have no case.
    return plain.lowercased()
  }

  private struct Received: Codable {
    var sources: [String]
    var isRepeated = false
    enum CodingKeys: String, CodingKey {
      case sources
      case isRepeated = "repeated"
    }
  }
}

extension HTTPField.Name {
  // Each is a token by RFC 9110, section 5.6.2.
  fileprivate static let hubSignature = Self("X-Hub-Signature-256")!
  fileprivate static let gitHubEvent = Self("X-GitHub-Event")!
  fileprivate static let gitHubDelivery = Self("X-GitHub-Delivery")!
}
