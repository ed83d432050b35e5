import Foundation
import Hummingbird

extension Request {
  /// The path as it may be logged, and told to whoever asked: a token in it is neither. Whatever follows `/backstage/` may
  /// be one, in whatever way it is written, and so may what looks like one anywhere.
  var shownPath: String { Self.shown(uri.path) }

  static func shown(_ path: String) -> String {
    guard path.contains("%") || path.lowercased().contains("backstage") || path.contains("porc_") else { return path }
    var follows = false
    return path.split(separator: "/", omittingEmptySubsequences: false).map { part in
      let text = part.removingPercentEncoding ?? String(part)
      let isSecret = (follows && !part.isEmpty && !text.hasPrefix("catalog-info.")) || text.contains("porc_")
      if !part.isEmpty { follows = text.lowercased() == "backstage" }
      return isSecret ? "•••" : String(part)
    }.joined(separator: "/")
  }
}
