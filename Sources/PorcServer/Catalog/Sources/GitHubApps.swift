import AsyncHTTPClient
import Crypto
import CryptoExtras
import Foundation
import Git
import HCL
import NIOCore
import NIOHTTP1
import PorcCore

/// Tokens of GitHub Apps' installations, each good for an hour
/// (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app).
actor GitHubApps {
  private let http: HTTPClient
  private var tokens: [String: (token: String, until: Date)] = [:]
  /// A token this close to its end is not handed out: what begins with it should end with it.
  private static let margin: TimeInterval = 300

  init(http: HTTPClient) {
    self.http = http
  }

  func token(_ app: GitHubAppAccess, for remote: RemoteURL) async throws -> String {
    let api = Self.api(of: remote)
    let key = "\(api) \(app.app) \(app.installation)"
    if let known = tokens[key], known.until > Date().addingTimeInterval(Self.margin) { return known.token }
    var request = HTTPClientRequest(url: "\(api)/app/installations/\(app.installation)/access_tokens")
    request.method = .POST
    request.headers = [
      "Authorization": "Bearer \(try Self.assertion(app, at: Date()))", "Accept": "application/vnd.github+json",
      "User-Agent": "porc/\(PorcVersion.current)", "X-GitHub-Api-Version": "2022-11-28",
    ]
    let (status, body) = try await answer(request, from: api)
    guard status == 201, let token = body["token"]?.stringValue,
      let until = body["expires_at"]?.stringValue.flatMap(Timestamp.date)
    else {
      // GitHub's message is about the app, never about the key.
      let reason = body["message"]?.stringValue.map { " (\($0.prefix(200)))" } ?? ""
      throw Fault(
        status == 404 || status == 401 || status == 403 ? .forbidden : .upstreamFailed,
        "GitHub gives the app '\(app.app)' no token: \(status)\(reason).",
        fix: "Check the app's id, its installation's id and its key.")
    }
    tokens[key] = (token, until)
    return token
  }

  private func answer(_ request: HTTPClientRequest, from api: String) async throws -> (status: UInt, body: Value) {
    do {
      let response = try await http.execute(request, timeout: .seconds(20))
      let body = try await response.body.collect(upTo: 1 << 20)
      return (response.status.code, (try? JSONText.parse(Array(body.readableBytesView)).value) ?? .null)
    } catch let error where !(error is CancellationError) {
      throw Fault(
        .upstreamFailed, "GitHub cannot be reached at \(api).", fix: "Check the network and the proxy.", cause: error)
    }
  }

  /// github.com has a host of its own for its API; GitHub Enterprise Server has a path.
  private static func api(of remote: RemoteURL) -> String {
    let url = remote.publicURL
    guard !url.hasPrefix("https://github.com/"), let end = url.firstRange(of: "://") else {
      return "https://api.github.com"
    }
    return "\(url[..<end.upperBound])\(url[end.upperBound...].prefix { $0 != "/" })/api/v3"
  }

  /// A JSON Web Token (RFC 7519), signed with RS256, ten minutes at most.
  private static func assertion(_ app: GitHubAppAccess, at now: Date) throws -> String {
    let key: _RSA.Signing.PrivateKey
    do {
      key = try _RSA.Signing.PrivateKey(pemRepresentation: String(contentsOfFile: app.keyFile, encoding: .utf8))
    } catch {
      // The error may quote the file.
      throw Fault(
        .invalidInput, "The key file '\(app.keyFile)' of the GitHub app '\(app.app)' cannot be used.",
        fix: "Name the PEM file with the app's private key, readable for PORC's user.")
    }
    let seconds = Int(now.timeIntervalSince1970)
    let claims = Value.object([
      "iss": .string(app.app), "iat": .number(Number(seconds - 60)), "exp": .number(Number(seconds + 540)),
    ])
    let head = Value.object(["alg": "RS256", "typ": "JWT"])
    let text = "\(encoded(Data(head.json().utf8))).\(encoded(Data(claims.json().utf8)))"
    let signature = try key.signature(for: Data(text.utf8), padding: .insecurePKCS1v1_5)
    return "\(text).\(encoded(signature.rawRepresentation))"
  }

  private static func encoded(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
