import Synchronization

/// Counts the requests of each token in windows of a second, and those for lists of runs in windows of a minute.
final class RateLimits: Sendable {
  /// Where a token stands after a request.
  struct Standing: Sendable {
    let limit: Int
    let remaining: Int
    /// Until the window ends.
    let reset: Duration
    let isOver: Bool
  }

  private struct Window {
    var began: ContinuousClock.Instant
    var count = 0
  }

  private let limits: FaultPlan.Limits
  private let windows = Mutex<[String: Window]>([:])
  /// Whoever tries many tokens must not fill the memory.
  private static let maximumWindows = 10_000

  init(_ limits: FaultPlan.Limits) { self.limits = limits }

  /// Counts a request to the API; nil for what is not counted, as what goes to object storage.
  func count(method: String, path: String, token: String, now: ContinuousClock.Instant = .now) -> Standing? {
    guard path.hasPrefix("/api/v2/") else { return nil }
    let second = limits.requestsPerSecond.map { count("\(token) second", $0, .seconds(1), now) }
    let parts = path.split(separator: "/")
    let isRunList =
      method == "GET" && parts.count == 5 && parts[4] == "runs" && ["workspaces", "organizations"].contains(parts[2])
    let minute =
      isRunList
      ? limits.runListsPerMinute.map { count("\(token) \(parts[2])", $0, .seconds(60), now) } : nil
    if let second, second.isOver { return second }
    return minute ?? second
  }

  private func count(
    _ key: String, _ limit: Int, _ length: Duration, _ now: ContinuousClock.Instant
  ) -> Standing {
    windows.withLock { windows in
      if windows.count > Self.maximumWindows { windows = windows.filter { now - $0.value.began < .seconds(60) } }
      var window = windows[key] ?? Window(began: now)
      if now - window.began >= length { window = Window(began: now) }
      window.count += 1
      windows[key] = window
      return Standing(
        limit: limit, remaining: max(0, limit - window.count), reset: length - (now - window.began),
        isOver: window.count > limit)
    }
  }
}
