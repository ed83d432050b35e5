/// Why a command may not happen, and what to do instead. Nothing was changed.
public struct Refusal: Error, Sendable, Equatable {
  public enum Reason: String, Sendable, Equatable, CaseIterable {
    /// The run's state, or the instance's, forbids it.
    case wrongState
    /// The plan named is no longer the current one.
    case planSuperseded
    /// The plan needs an approval that it does not have.
    case approvalMissing
    /// The caller may not do this, whatever the state.
    case notAllowed
    /// There is no such thing to act on.
    case notFound
  }

  public var reason: Reason
  /// One sentence that names the thing it is about.
  public var message: String
  /// What to do.
  public var fix: String
  /// The current plan's TFE run, where another was named and this one exists already.
  public var supersededBy: String?

  public init(_ reason: Reason, _ message: String, fix: String, supersededBy: String? = nil) {
    self.reason = reason
    self.message = message
    self.fix = fix
    self.supersededBy = supersededBy
  }
}
