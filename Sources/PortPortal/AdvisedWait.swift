import Foundation
import NIOHTTP1

/// How long a failed answer asks its sender to wait.
enum AdvisedWait {
  /// - Returns: nil where the answer says nothing usable, or names a moment that has passed.
  static func read(_ headers: HTTPHeaders, status: Int, now: Date) -> Duration? {
    if let wait = headers.first(name: "retry-after").flatMap({ retryAfter($0, now: now) }) { return wait }
    // The rate-limit headers come with every answer, but only a 429 is about the limit.
    guard status == 429, let reset = headers.first(name: "x-ratelimit-reset").flatMap({ Double($0) }) else {
      return nil
    }
    // Port documents epoch seconds, its own Terraform provider reads seconds from now; Ocean takes a number above
    // 10,000 for an epoch.
    return positive(reset > 10_000 ? reset - now.timeIntervalSince1970 : reset)
  }

  /// RFC 9110, 10.2.3: seconds, or a date such as `Fri, 31 Dec 1999 23:59:59 GMT`.
  private static func retryAfter(_ text: String, now: Date) -> Duration? {
    if let seconds = Double(text) { return positive(seconds) }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = .gmt
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text).flatMap { positive($0.timeIntervalSince(now)) }
  }

  /// At most a day, which no retry policy waits for: absurd numbers must not overflow.
  private static func positive(_ seconds: Double) -> Duration? {
    seconds > 0 ? .seconds(min(seconds, 86_400)) : nil
  }
}
