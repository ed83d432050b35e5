import Hummingbird
import Logging
import NIOCore
import PorcStore

/// What a request carries on its way through the middleware to its handler.
struct PorcContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Named in every log line and every problem document.
  let requestID: String
  /// The token it came with, once it was checked.
  var token: TokenRecord?
  /// Whether that token is still good, for answers that go on.
  var isStillAllowed: @Sendable () async throws -> Bool = { true }
  /// The connection that it came by.
  let channel: any Channel

  init(source: Source) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
    var random = SystemRandomNumberGenerator()
    requestID = String(random.next(), radix: 36)
  }
}
