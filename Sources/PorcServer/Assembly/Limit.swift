import PorcCore
import Synchronization

/// Bounds how many of something there are at once, so that a server under load stays as it is: who comes over it is told
/// so, and when to come again.
final class Limit: Sendable {
  private let maximum: Int
  /// What there are too many of, for the message: `open streams`.
  private let what: String
  /// The setting that says how many may be, if there is one.
  private let setting: String?
  private let taken = Mutex(0)

  init(_ maximum: Int, of what: String, setting: String?) {
    self.maximum = maximum
    self.what = what
    self.setting = setting
  }

  /// How many there are.
  var count: Int { taken.withLock { $0 } }

  /// One more, for as long as what is returned is kept.
  ///
  /// - Throws: a fault if there are as many as may be.
  func take() throws -> Place {
    let isTaken = taken.withLock { taken in
      guard taken < maximum else { return false }
      taken += 1
      return true
    }
    guard isTaken else {
      throw Fault(
        .busy, "There are \(maximum) \(what) already, as many as this server takes.",
        fix: setting.map { "Try again later, or have \($0) raised." } ?? "Try again later.", retryAfter: 5)
    }
    return Place(limit: self)
  }

  /// As `take()`, but waits a while for a place: a hundred are looked for in that time.
  func take(within patience: Duration) async throws -> Place {
    let end = ContinuousClock.now + patience
    while true {
      do {
        return try take()
      } catch  where ContinuousClock.now < end {
        try await Task.sleep(for: patience / 100)
      }
    }
  }

  /// Held by whoever is counted; given back when nobody holds it any more, however that came about.
  final class Place: Sendable {
    private let limit: Limit
    fileprivate init(limit: Limit) { self.limit = limit }
    deinit { limit.taken.withLock { $0 -= 1 } }
  }
}
