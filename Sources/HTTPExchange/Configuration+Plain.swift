public import AsyncHTTPClient
import NIOCore

extension HTTPClient.Configuration {
  /// For clients that follow redirects and try again by rules of their own: a redirect is an answer, since following it
  /// behind their back could carry a token elsewhere, and a refused connection is reported at once.
  public static var plain: HTTPClient.Configuration {
    var pool = ConnectionPool()
    pool.retryConnectionEstablishment = false
    return HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: .seconds(60)), connectionPool: pool)
  }
}
