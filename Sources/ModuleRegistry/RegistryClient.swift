public import AsyncHTTPClient
public import FoundationEssentials
public import HTTPExchange
public import Logging
import NIOCore
public import NIOHTTP1
public import Retry

/// A client of one host that speaks Terraform's module registry protocol: the public registry, a Terraform Enterprise,
/// GitLab, Artifactory and others.
///
/// Every call throws ``RegistryError`` or `CancellationError`, and nothing else. All of them are GETs, sent again after
/// a lost connection, a 429 or a 5xx.
///
/// - The token goes to ``Configuration/host`` and nowhere else: not to a registry that discovery finds on another host,
///   not along redirects to one, and not to archives, whatever their host, since Terraform sends archives none either.
/// - Only https is spoken, and http within this machine where ``Configuration/allowsPlainHTTP`` says so.
/// - Whether an address leads into the operator's own network is not judged here: registries live there.
///
/// Copies share what was learned and the connections.
///
/// Documented at developer.hashicorp.com, "Module Registry Protocol" and "Remote Service Discovery".
public struct RegistryClient: Sendable {
  /// What a client needs to know.
  public struct Configuration: Sendable {
    /// The host whose registry is asked.
    public var host: RegistryHost
    /// What the registry knows the caller by, where it wants that.
    public var token: BearerToken?
    /// What the client calls itself.
    public var userAgent: String
    /// Whether http is spoken where a host is this machine (`localhost`, `127.…`), as tests need it.
    public var allowsPlainHTTP = false
    /// Lets in each request to ``host`` itself, where they are limited: returns when it may be sent. What it returns is
    /// called once, with the answer if there was one. Without it requests are sent at once.
    public var admit: (@Sendable () async throws -> @Sendable (_ answer: (status: Int, headers: HTTPHeaders)?) -> Void)?
    /// How often and how fast a failed call is sent again.
    public var retryPolicy = RetryPolicy()
    /// How long one attempt may take, the answer's body included.
    public var requestTimeout: Duration = .seconds(30)
    /// The same for an archive.
    public var downloadTimeout: Duration = .seconds(300)
    /// A larger answer is refused. Registries may list what every version of a module consists of.
    public var maximumAnswerBytes = 8 << 20
    /// A larger archive is refused.
    public var maximumArchiveBytes = 64 << 20
    /// How long what discovery found is kept.
    public var discoveryLifetime: TimeInterval = 3600
    /// Waits between attempts.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Where the jitter of those waits comes from.
    public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    /// The time, for ``discoveryLifetime``.
    public var now: @Sendable () -> Date = { Date() }

    /// A configuration with defaults for everything but the host.
    public init(host: RegistryHost, token: BearerToken? = nil, userAgent: String = "swift-module-registry") {
      self.host = host
      self.token = token
      self.userAgent = userAgent
    }
  }

  let configuration: Configuration
  let httpClient: HTTPClient
  let logger: Logger
  let memory = RegistryMemory()

  /// A client that sends through `httpClient`, which the caller made and shuts down, and which must be configured by
  /// `HTTPClient.Configuration.plain`.
  public init(_ configuration: Configuration, httpClient: HTTPClient, logger: Logger) {
    self.configuration = configuration
    self.httpClient = httpClient
    self.logger = logger
  }

  /// An address on the host itself.
  func home(_ path: String) -> WebAddress {
    let https = WebAddress(scheme: "https", host: configuration.host, path: path)
    guard configuration.allowsPlainHTTP, https.isLoopback else { return https }
    return WebAddress(scheme: "http", host: configuration.host, path: path)
  }

  func isAllowed(_ address: WebAddress) -> Bool { address.isAllowed(plainHTTP: configuration.allowsPlainHTTP) }
}
