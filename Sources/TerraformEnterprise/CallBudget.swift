public import NIOHTTP1

/// Whose turn it is where calls must wait: the first here goes first.
public enum CallPriority: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Somebody decided to apply.
  case apply
  /// Somebody wants something stopped.
  case cancel
  /// What leads to a plan.
  case plan
  /// Reading how far something has come.
  case poll
  /// What nobody waits for.
  case background

  /// Whether `lhs` goes first.
  public static func < (lhs: CallPriority, rhs: CallPriority) -> Bool { lhs.rank < rhs.rank }

  var rank: Int {
    switch self {
    case .apply: 0
    case .cancel: 1
    case .plan: 2
    case .poll: 3
    case .background: 4
    }
  }
}

/// Which of TFE's limits a call is under.
public enum CallScope: String, Sendable, Hashable, CaseIterable {
  /// The one for all calls: 30 a second for each user, and a team token is one user.
  case general
  /// The lists of runs, of a workspace or an organization: 30 a minute, and they count as calls too. Whether TFE counts
  /// the two lists together is not documented: here they are.
  case runLists = "run_lists"
}

/// Says when a call may be made, for everybody who calls with the same token.
///
/// ``Client`` asks before each attempt, retries included, and tells what became of it.
public protocol CallBudget: Sendable {
  /// Returns as soon as the call may be made; in the meantime others of a higher priority, or of the same and earlier, go first.
  ///
  /// - Throws: `CancellationError` in a canceled task, and nothing else; then the call was not taken.
  func take(_ scope: CallScope, priority: CallPriority) async throws

  /// What became of a call that was taken: exactly once for each, also if there was no answer.
  func hear(_ word: RateLimitWord, of scope: CallScope)
}

/// What an answer says about TFE's limits.
public struct RateLimitWord: Sendable, Hashable {
  /// How many calls a second are allowed (`X-RateLimit-Limit`).
  public var limit: Int?
  /// How many are left of them (`X-RateLimit-Remaining`).
  public var remaining: Int?
  /// How long to wait: the longer of `X-RateLimit-Reset` and `Retry-After`.
  public var reset: Duration?
  /// Whether the call was refused because of a limit (429).
  public var isRefusal: Bool

  /// What an answer says, as far as it does.
  public init(limit: Int? = nil, remaining: Int? = nil, reset: Duration? = nil, isRefusal: Bool = false) {
    self.limit = limit
    self.remaining = remaining
    self.reset = reset
    self.isRefusal = isRefusal
  }

  /// Nothing, as where there is no answer.
  public static let nothing = RateLimitWord()

  init(status: Int, headers: HTTPHeaders) {
    func number(_ name: String) -> Int? { headers.first(name: name).flatMap { Int($0) } }
    self.init(
      limit: number("X-RateLimit-Limit"), remaining: number("X-RateLimit-Remaining"),
      reset: TFEError.advisedWait(headers), isRefusal: status == 429)
  }
}

extension Client {
  /// Waits for the budget on behalf of a call that somebody else makes of the same host with the same token, such as one
  /// of the module registry protocol.
  ///
  /// - Returns: what must be told the answer, or `nil` if there was none, exactly once.
  /// - Throws: `CancellationError`.
  public func admit() async throws -> @Sendable (_ answer: (status: Int, headers: HTTPHeaders)?) -> Void {
    guard let budget = configuration.budget else { return { _ in } }
    try await budget.take(.general, priority: priority)
    return { answer in
      budget.hear(
        answer.map { RateLimitWord(status: $0.status, headers: $0.headers) } ?? .nothing, of: .general)
    }
  }
}
