/// Trouble to rehearse: what is to go wrong with requests and with notifications, how often, and the seed that decides
/// when. The same seed deals the same fault to the n-th request that a rule is about, however often it is tried.
///
/// ```json
/// { "seed": 42,
///   "limits": {"requests_per_second": 30, "run_lists_per_minute": 30},
///   "requests": [
///     {"fault": "error_after", "rate": 0.05, "method": "POST", "path": "/api/v2/runs*"},
///     {"fault": "slow", "rate": 0.1, "seconds": [0.5, 3]},
///     {"fault": "rate_limited", "rate": 1, "times": 1, "seconds": 1.5}],
///   "notifications": [{"fault": "lost", "rate": 0.1}] }
/// ```
public struct FaultPlan: Sendable {
  /// One kind of trouble, and whom it meets.
  struct Rule<Kind: FaultKind>: Sendable {
    let kind: Kind
    /// How likely it is, from 0 to 1.
    let rate: Double
    /// How often it is dealt at most; nil for no end.
    let times: Int?
    /// How long it takes, drawn anew each time.
    let seconds: ClosedRange<Double>
    /// nil for every method.
    let method: String?
    /// nil for every path.
    let path: Wildcard?
  }

  /// How many requests of one token are answered; nil for any number.
  struct Limits: Sendable {
    let requestsPerSecond: Int?
    /// Of each of the two lists of runs.
    let runListsPerMinute: Int?
  }

  let seed: UInt64
  let limits: Limits?
  let requests: [Rule<RequestFaultKind>]
  let notifications: [Rule<NotificationFaultKind>]
}

/// A word for a kind of trouble in the file.
protocol FaultKind: RawRepresentable<String>, CaseIterable, Sendable {
  /// How long it takes where the file does not say; nil for a kind to which time means nothing.
  var usualSeconds: ClosedRange<Double>? { get }
}

enum RequestFaultKind: String, FaultKind {
  /// 429, with the seconds to wait.
  case rateLimited = "rate_limited"
  /// 500, and nothing was done.
  case errorBefore = "error_before"
  /// 500, but what was asked is done.
  case errorAfter = "error_after"
  /// Done and answered, later.
  case slow
  /// The connection ends, and nothing was done.
  case droppedBefore = "dropped_before"
  /// The connection ends, but what was asked is done.
  case droppedAfter = "dropped_after"

  var usualSeconds: ClosedRange<Double>? {
    switch self {
    case .rateLimited: 1...1
    case .slow: 0.5...3
    default: nil
    }
  }
}

enum NotificationFaultKind: String, FaultKind {
  case lost, late
  /// Sent twice.
  case doubled
  /// Sent after the one that follows it.
  case reordered

  var usualSeconds: ClosedRange<Double>? {
    switch self {
    case .late: 1...30
    // How long it waits for one to follow.
    case .reordered: 10...10
    default: nil
    }
  }
}
