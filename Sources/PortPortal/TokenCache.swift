import Foundation

/// Hands out an access token, fetching a new one once however many callers ask at the same moment.
///
/// Port keeps one token per pair of credentials and has no refresh token: the same call renews, and may answer with the
/// old token and what is left of its life. So the life in each answer counts, never a constant.
actor TokenCache {
  /// `{"accessToken": "…", "expiresIn": 10800, "tokenType": "Bearer"}`.
  struct Token: Decodable, Sendable {
    let accessToken: String
    /// Seconds.
    let expiresIn: Double
    let tokenType: String
  }

  private struct Flight {
    let number: Int
    let task: Task<Token, any Error>
    /// When it was asked for: a token's life is counted from here, so never too long.
    let asked: Date
    var waiting = 0
  }

  private let margin: TimeInterval
  private let now: @Sendable () -> Date
  private let fetch: @Sendable () async throws -> Token
  private var current: (authorization: String, renewal: Date)?
  private var flight: Flight?
  private var flights = 0

  /// - Parameters:
  ///   - margin: seconds before its end at which a token is no longer used, so that it does not end on the way.
  ///   - fetch: asks Port for a token, with retries.
  init(margin: TimeInterval, now: @escaping @Sendable () -> Date, fetch: @escaping @Sendable () async throws -> Token) {
    self.margin = margin
    self.now = now
    self.fetch = fetch
  }

  /// The `Authorization` header's value.
  ///
  /// - Parameter refused: a value that Port answered with 401. If it is still the current one it is dropped, and a new
  ///   token is fetched; if another caller has renewed it already, that one's token is returned.
  func authorization(insteadOf refused: String? = nil) async throws -> String {
    if let current {
      if current.authorization != refused, now() < current.renewal { return current.authorization }
      self.current = nil
    }
    var joined = flight ?? takeOff()
    joined.waiting += 1
    flight = joined
    let (number, task) = (joined.number, joined.task)
    return try await withTaskCancellationHandler {
      let result = await task.result
      land(number, result)
      return try Self.authorization(result.get())
    } onCancel: {
      Task { await self.leave(number) }
    }
  }

  /// How many wait for the fetch under way.
  var waiting: Int { flight?.waiting ?? 0 }

  private static func authorization(_ token: Token) -> String { "\(token.tokenType) \(token.accessToken)" }

  /// Starts a fetch, in a task of its own because it outlives the caller who happened to be first.
  private func takeOff() -> Flight {
    flights += 1
    return Flight(number: flights, task: Task { [fetch] in try await fetch() }, asked: now())
  }

  /// Keeps what a flight brought home. Each who waited for it comes here; the first one does the work.
  private func land(_ number: Int, _ result: Result<Token, any Error>) {
    guard let landed = flight, landed.number == number else { return }
    flight = nil
    guard case .success(let token) = result else { return }
    // Near its end Port hands out the same token again. Half of what is left, and at least a second, keeps a short life
    // from becoming a call to the token route (100 in 5 minutes) before each request.
    let usable = max(token.expiresIn - margin, token.expiresIn / 2, 1)
    current = (Self.authorization(token), landed.asked.addingTimeInterval(usable))
  }

  /// The fetch belongs to all who wait for it: it ends early only when every one of them was cancelled.
  private func leave(_ number: Int) {
    guard var left = flight, left.number == number else { return }
    left.waiting -= 1
    flight = left.waiting > 0 ? left : nil
    if left.waiting == 0 { left.task.cancel() }
  }
}
