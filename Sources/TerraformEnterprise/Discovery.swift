import AsyncHTTPClient
import FoundationEssentials
import NIOHTTP1
import Retry
import Synchronization

/// What a server says about itself in the headers of every answer.
public struct ServerIdentity: Sendable, Hashable {
  /// The level of the API, such as `2.6` (`TFP-API-Version`).
  public var apiVersion: String?
  /// `HCP Terraform` or `Terraform Enterprise` (`TFP-AppName`).
  public var applicationName: String?
  /// The release, such as `v202506-1` (`X-TFE-Version`); absent on HCP Terraform.
  public var release: String?
  /// Requests a second that this caller may make (`X-RateLimit-Limit`).
  public var requestsPerSecond: Int?
}

/// Finding the API, and asking whether it is there.
public struct DiscoveryService: Sendable {
  let client: Client

  /// The API's path below the host, with slashes around it: the one that `/.well-known/terraform.json` advertises as
  /// `tfe.v2`, or `/api/v2/` where no such document is to be had.
  ///
  /// Asked once; kept unless the server could not be reached.
  public func apiPath() async throws -> String { try await client.apiRoot.path(for: client) }

  /// Asks for nothing but the headers: `GET ping`.
  public func ping() async throws -> ServerIdentity {
    let headers = try await client.send(Call(.get, "ping")).headers
    return ServerIdentity(
      apiVersion: headers.first(name: "TFP-API-Version"), applicationName: headers.first(name: "TFP-AppName"),
      release: headers.first(name: "X-TFE-Version"),
      requestsPerSecond: headers.first(name: "X-RateLimit-Limit").flatMap(Int.init))
  }
}

extension Client {
  /// Finding the API, and asking whether it is there.
  public var discovery: DiscoveryService { DiscoveryService(client: self) }
}

/// Where the API lives on the configured host, found out once.
final class APIRoot: Sendable {
  static let usual = "/api/v2/"
  private let found = Mutex<String?>(nil)

  var known: String? { found.withLock { $0 } }

  /// Callers that arrive before the first answer each ask for themselves; they learn the same.
  func path(for client: Client) async throws -> String {
    if let known { return known }
    let name = "/.well-known/terraform.json"
    let origin = try client.origin(method: .get, name: name)
    // Public, so it is asked without the token. Documented at developer.hashicorp.com, "Remote Service Discovery".
    var request = HTTPClientRequest(url: origin + name)
    request.headers.add(name: "User-Agent", value: client.configuration.userAgent)
    request.headers.add(name: "Accept", value: "application/json")
    let answer: Answer
    do {
      answer = try await client.sendOnce(request, Call(.get, name), name: name)
    } catch let error as TFEError where error.isRetryable {
      // Not kept: the call that comes next fails the same way or finds the server back, and says so better.
      return Self.usual
    }
    let path = try Self.path(advertisedBy: answer, origin: origin)
    if answer.status < 500, answer.status != 429 { found.withLock { $0 = path } }
    return path
  }

  private static func path(advertisedBy answer: Answer, origin: String) throws -> String {
    guard answer.status == 200,
      let services = try? JSONDecoder().decode([String: JSONValue].self, from: answer.data),
      case .string(var path)? = services["tfe.v2"]
    else { return usual }
    if path.hasPrefix(origin + "/") { path.removeFirst(origin.count) }
    guard path.hasPrefix("/"), !path.hasPrefix("//") else {
      throw TFEError(
        .protocolViolation, method: "GET", path: "/.well-known/terraform.json",
        explanation: "It advertises its API on another host, where the token would be sent; configure that address.")
    }
    return path.hasSuffix("/") ? path : path + "/"
  }
}
