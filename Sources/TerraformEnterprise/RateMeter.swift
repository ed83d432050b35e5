/// Counts the calls under one of TFE's limits: so many in a window. A pure value; times are counted from any fixed moment.
///
/// Two rules, and both must allow a call:
///
/// - **The pace**: a token bucket that refills at two thirds of the limit and holds a third of it, as HashiCorp's own Go
///   client paces itself (`client.go`, `configureLimiter`): whichever way TFE counts, it takes what that client sends.
/// - **The window**: the calls under way, and those that ended less than a window ago, are never more than the limit. TFE
///   sees a call between its beginning and its end. So of the calls that it sees in any window of its own, the one that
///   began last found all others under way or ended less than a window before: they are no more than the limit, however
///   long each was on its way.
struct RateMeter: Sendable {
  /// How many calls TFE allows in a window; `nil` for any number: then only a refusal stops calls.
  var limit: Int?
  let window: Duration
  /// When the bucket will be full, if nothing more is taken.
  private var full: Duration = .zero
  /// Nothing is allowed before.
  private(set) var stoppedUntil: Duration = .zero
  private var underWay = 0
  /// When the calls of the last window ended, the earliest first.
  private var ended: ArraySlice<Duration> = []

  init(limit: Int?, window: Duration) {
    self.limit = limit
    self.window = window
  }

  /// Between two calls at the pace.
  var interval: Duration { limit.map { window * 3 / ($0 * 2) } ?? .zero }
  /// How many calls may be made at once after a rest.
  var burst: Int { limit.map { max(1, $0 / 3) } ?? .max }

  /// When the next call is allowed if none is made before; `nil` if not before one of those under way has ended.
  mutating func next(at now: Duration) -> Duration? {
    guard let limit else { return max(now, stoppedUntil) }
    while let first = ended.first, first + window <= now { ended.removeFirst() }
    let paced = max(now, stoppedUntil, full - interval * (burst - 1))
    let over = underWay + ended.count - limit
    if over < 0 { return paced }
    guard over < ended.count else { return nil }
    return max(paced, ended[ended.startIndex + over] + window)
  }

  /// A call begins.
  mutating func begin(at now: Duration) {
    underWay += 1
    full = max(full, now) + interval
  }

  /// A call has ended.
  mutating func end(at now: Duration) {
    underWay -= 1
    if limit != nil { ended.append(now) }
  }

  /// A call that had begun was not made after all.
  mutating func giveBack() { underWay -= 1 }

  /// Nothing is allowed for a while, and then no burst.
  mutating func stop(until time: Duration) {
    stoppedUntil = max(stoppedUntil, time)
    if limit != nil { full = max(full, stoppedUntil + interval * (burst - 1)) }
  }

  /// How many calls may be made now.
  mutating func remaining(at now: Duration) -> Int? {
    guard let limit else { return nil }
    guard let next = next(at: now), next <= now else { return 0 }
    // At least one: what is missing from the bucket is not more than all of it but one.
    let missing = full > now ? Int(((full - now) / interval).rounded(.up)) : 0
    return max(1, min(burst - missing, limit - underWay - ended.count))
  }

  /// How long a call waits that has `ahead` others before it, as far as can be told.
  mutating func delay(behind ahead: Int, at now: Duration) -> Duration {
    guard limit != nil else { return max(.zero, stoppedUntil - now) }
    let paced = max(full, now) + interval * (ahead - burst + 1)
    return max(.zero, (next(at: now) ?? now) - now, paced - now)
  }
}
