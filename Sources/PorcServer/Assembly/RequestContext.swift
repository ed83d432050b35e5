import Hummingbird
import Logging
import PorcStore

/// What a request carries on its way through the middleware to its handler.
struct PorcContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Named in every log line and every problem document.
  let requestID: String
  /// The token it came with, once it was checked.
  var token: TokenRecord?

  init(source: Source) {
    coreContext = CoreRequestContextStorage(source: source)
    var random = SystemRandomNumberGenerator()
    requestID = String(random.next(), radix: 36)
  }
}
