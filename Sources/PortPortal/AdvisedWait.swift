import Foundation
import NIOHTTP1

/// How long a failed answer asks its sender to wait.
enum AdvisedWait {
  /// Port's longest window of calls is five minutes: a wait that is longer cannot be meant.
  private static let longest = 300.0

  /// - Returns: nil where the answer says nothing usable, names a moment that has passed, or one that is too far away.
  static func read(_ headers: HTTPHeaders, status: Int, now: Date) -> Duration? {
    if let wait = headers.first(name: "retry-after").flatMap({ retryAfter($0, now: now) }) { return wait }
    // The rate-limit headers come with every answer, but only a 429 is about the limit.
    guard status == 429, let reset = headers.first(name: "x-ratelimit-reset").flatMap({ Double($0) }) else {
      return nil
    }
    // Port documents epoch seconds, its own Terraform provider reads seconds from now; Ocean takes a number above
    // 10,000 for an epoch.
    return meant(reset > 10_000 ? reset - now.timeIntervalSince1970 : reset)
  }

  /// RFC 9110, 10.2.3: seconds, or a date such as `Fri, 31 Dec 1999 23:59:59 GMT`.
  private static func retryAfter(_ text: String, now: Date) -> Duration? {
    if let seconds = Double(text) { return meant(seconds) }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = .gmt
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text).flatMap { meant($0.timeIntervalSince(now)) }
  }

  private static func meant(_ seconds: Double) -> Duration? {
    seconds > 0 && seconds <= longest ? .seconds(seconds) : nil
  }
}
