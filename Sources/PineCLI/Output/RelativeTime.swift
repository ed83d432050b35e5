import FoundationEssentials
import PorcCore

/// Times as people say them.
enum RelativeTime {
  /// `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `2 d ago`; the date once that is longer than a month.
  static func text(_ date: Date, now: Date) -> String {
    let seconds = Int(now.timeIntervalSince(date))
    return switch seconds {
    case ..<5: "just now"  // clocks differ: a time just ahead of ours is now, too
    case ..<60: "\(seconds) s ago"
    case ..<3600: "\(seconds / 60) min ago"
    case ..<86_400: "\(seconds / 3600) h ago"
    case ..<2_678_400: "\(seconds / 86_400) d ago"
    default: String(Timestamp.text(date).prefix(10))
    }
  }
}
