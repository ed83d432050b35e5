/// What became of one entity of a bulk upsert.
public struct UpsertResult: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case created
    case updated
    case failed(PortError)
  }

  public let identifier: String
  public let outcome: Outcome

  /// Why it failed; nil where it did not.
  public var error: PortError? {
    if case .failed(let error) = outcome { error } else { nil }
  }
}

/// What became of one identifier of a bulk deletion.
public struct DeletionResult: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case deleted
    /// Port does not name it among the deleted ones: it did not exist, or an earlier attempt's answer was lost.
    case notDeleted
    case failed(PortError)
  }

  public let identifier: String
  public let outcome: Outcome

  /// Why it failed; nil where it did not.
  public var error: PortError? {
    if case .failed(let error) = outcome { error } else { nil }
  }
}
