/// Thrown where something took longer than it was given.
public struct DeadlineExceeded: Error, Sendable, Hashable, CustomStringConvertible {
  /// The time that was given.
  public let limit: Duration

  /// The failure to be done within `limit`.
  public init(limit: Duration) {
    self.limit = limit
  }

  /// One sentence for logs.
  public var description: String { "It took longer than \(limit)." }
}

/// Runs `operation`, and cancels it when it takes longer than `limit`.
///
/// Returns only when `operation` has ended: one that ignores cancellation holds the caller up.
///
/// - Parameters:
///   - limit: how long the operation may take.
///   - clock: measures `limit`.
/// - Throws: ``DeadlineExceeded`` when time was up first, otherwise what `operation` throws.
public func withDeadline<Value: Sendable>(
  _ limit: Duration, clock: any Clock<Duration> = ContinuousClock(),
  operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await operation() }
    group.addTask {
      try await clock.sleep(for: limit)
      return nil
    }
    guard let first = try await group.next(), let value = first else { throw DeadlineExceeded(limit: limit) }
    return value
  }
}
