public import AsyncHTTPClient
public import FoundationEssentials
public import HTTPExchange
public import Logging
import NIOCore
public import Retry

/// A client of Terraform Enterprise, or HCP Terraform: both speak the same API, version 2.
///
/// Resources are properties, methods are named as HashiCorp names them: `client.runs.create(…)`. Every call throws
/// ``TFEError`` or `CancellationError`, and nothing else.
///
/// - Retries: GET, PUT, PATCH and DELETE are sent again after a lost connection or a 5xx. POST is sent again only where
///   it is known not to have been executed: 429, or no connection was made at all.
/// - The token goes to ``Configuration/address`` (scheme, host and port) and nowhere else. Upload and log addresses carry
///   a secret of their own and are never sent the token, whatever their host.
/// - The API's address below the host is discovered with the first call; see ``discovery``.
///
/// Copies share what was discovered and the connections.
public struct Client: Sendable {
  /// What a client needs to know.
  public struct Configuration: Sendable {
    /// `https://HOST`, with a port where it is not the scheme's own. A path is ignored: it is discovered.
    public var address: URL
    /// A user, team or organization token. An organization token cannot read or start runs.
    public var token: BearerToken
    /// What the client calls itself.
    public var userAgent: String
    /// How often and how fast a failed call is sent again.
    public var retryPolicy = RetryPolicy()
    /// How long one attempt may take, the answer's body included.
    public var requestTimeout: Duration = .seconds(30)
    /// The same for uploads, and for plan JSON, which can be large.
    public var transferTimeout: Duration = .seconds(300)
    /// A larger answer is refused.
    public var maximumAnswerBytes = 32 << 20
    /// A larger plan JSON is refused.
    public var maximumPlanBytes = 256 << 20
    /// Says when a call may be made; share it among all clients that use the same token. Without one they are made at once.
    ///
    /// What counts are attempts of calls of the API. Signed addresses do not, wherever they are: HashiCorp's own Go client
    /// sends those without asking its limiter.
    public var budget: (any CallBudget)?
    /// Waits between attempts.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Where the jitter of those waits comes from.
    public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

    /// A configuration with defaults for everything but the address and the token.
    public init(address: URL, token: BearerToken, userAgent: String = "swift-terraform-enterprise") {
      self.address = address
      self.token = token
      self.userAgent = userAgent
    }
  }

  private(set) var configuration: Configuration
  /// Whose turn it is where ``Configuration/budget`` has calls wait.
  private(set) var priority = CallPriority.plan
  let httpClient: HTTPClient
  let logger: Logger
  let apiRoot = APIRoot()

  /// A client that sends through `httpClient`, which the caller made and shuts down; see `HTTPClient.Configuration.plain`.
  public init(_ configuration: Configuration, httpClient: HTTPClient, logger: Logger) {
    self.configuration = configuration
    self.httpClient = httpClient
    self.logger = logger
  }

  /// The same client for calls of another priority; ``CallPriority/plan`` unless it is said.
  public func with(priority: CallPriority) -> Client {
    var copy = self
    copy.priority = priority
    return copy
  }

  /// The same client, which gives up sooner: for who only wants to know whether TFE answers.
  ///
  /// - Parameter timeout: how long an attempt may take; there are two at most.
  public func trying(for timeout: Duration) -> Client {
    var copy = self
    copy.configuration.retryPolicy.maximumAttempts = min(2, configuration.retryPolicy.maximumAttempts)
    copy.configuration.requestTimeout = timeout
    return copy
  }
}

/// An address that carries its own secret (uploads, logs): whoever knows it may use it, for 25 hours at most.
/// Never logged, and sent no token. Printing it shows `•••`.
public struct SignedURL: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// The address itself.
  public let value: String

  /// An address as the vendor gave it; one without a host is relative to the client's.
  public init(_ value: String) { self.value = value }
  /// Never the address.
  public var description: String { "•••" }
  /// Nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
