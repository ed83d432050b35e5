import Foundation
import HTTPTypes
import Hummingbird
import Logging
import PorcCore
import Synchronization

/// Reads bodies of requests that nobody has vouched for yet: who sends is known only when all is read, since that is what
/// is signed. So strangers may begin some too. Each must come to an end soon, and only some are read at once: small ones
/// have places of their own, as the true ones are nearly all small.
final class UnprovenBodies: Sendable {
  /// How many of a size may be read at once.
  struct Places: Sendable {
    let maximumSize: Int
    fileprivate let limit: Limit
    fileprivate let time: Duration

    init(_ count: Int, upTo maximumSize: Int, within time: Duration) {
      limit = Limit(count, of: "unproven bodies under way", setting: nil)
      (self.maximumSize, self.time) = (maximumSize, time)
    }
  }

  /// What is sent, for the messages: `webhook`.
  private let what: String
  private let small: Places
  private let large: Places
  private let logger: Logger
  private let warnedAt = Mutex<ContinuousClock.Instant?>(nil)

  /// How long a request waits for a place: none is held much longer.
  private static let patience = Duration.seconds(5)

  init(_ what: String, small: Places, large: Places, logger: Logger) {
    (self.what, self.small, self.large, self.logger) = (what, small, large, logger)
  }

  /// - Throws: a fault if it is too large or too slow, or if no place gets free in time.
  func body(of request: Request) async throws -> [UInt8] {
    let announced = request.headers[.contentLength].flatMap { Int($0) }
    let places = announced.map { $0 <= small.maximumSize } == true ? small : large
    let place = try await take(places)
    defer { withExtendedLifetime(place) {} }
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      defer { group.cancelAll() }
      group.addTask { try await request.bodyBytes(atMost: places.maximumSize) }
      group.addTask { [what] in
        try await Task.sleep(for: places.time)
        throw Fault(
          .malformedRequest, "The \(what)'s body took longer than \(places.time.components.seconds) seconds.",
          fix: "Send it again.")
      }
      guard let bytes = try await group.next() else { throw CancellationError() }
      return bytes
    }
  }

  private func take(_ places: Places) async throws -> Limit.Place {
    if let place = try? places.limit.take() { return place }
    warn(places)
    return try await places.limit.take(within: Self.patience)
  }

  /// Once a minute at most: strangers must not fill the log.
  private func warn(_ places: Places) {
    let isDue = warnedAt.withLock { warnedAt in
      let now = ContinuousClock.now
      if let last = warnedAt, now - last < .seconds(60) { return false }
      warnedAt = now
      return true
    }
    guard isDue else { return }
    logger.warning(
      "so many bodies of unproven senders are being read that others wait",
      metadata: ["what": "\(what)", "count": "\(places.limit.count)", "up_to_bytes": "\(places.maximumSize)"])
  }
}
