public import Foundation

/// What a run waits for, for programs.
public struct WaitBody: Codable, Sendable, Equatable {
  /// One of ``Wait/allNames``.
  public var reason: String
  /// Absent where it is told by the run's own state.
  @ExplicitNull public var since: Date?
  /// When it ends by itself, where that is known.
  @ExplicitNull public var until: Date?
  /// What clears it.
  public var clearedBy: String
  /// Where to look, or to clear it: a page in TFE.
  @ExplicitNull public var link: String?
  /// PORC's run that is in the way.
  @ExplicitNull public var runID: String?
  /// The TFE run that is in the way.
  @ExplicitNull public var tfeRunID: String?
  @ExplicitNull public var lockedBy: String?
  @ExplicitNull public var lockReason: String?

  enum CodingKeys: String, CodingKey {
    case reason, since, until, link
    case clearedBy = "cleared_by"
    case runID = "run_id"
    case tfeRunID = "tfe_run_id"
    case lockedBy = "locked_by"
    case lockReason = "lock_reason"
  }

  public init(_ waiting: Waiting) {
    reason = waiting.wait.name
    clearedBy = waiting.clearedBy
    var (run, tfeRun, person, lockReason, until): (Run.ID?, String?, String?, String?, Date?)
    switch waiting.wait {
    case .anotherRun(let id, _, _): run = id
    case .tfeRunAhead(let tfeRunID, let id): (tfeRun, run) = (tfeRunID, id)
    case .workspaceLocked(_, let by, let reason): (person, lockReason) = (by, reason)
    case .rateLimited(let date): until = date
    default: break
    }
    _since = ExplicitNull(wrappedValue: waiting.since)
    _until = ExplicitNull(wrappedValue: until)
    _link = ExplicitNull(wrappedValue: nil)
    _runID = ExplicitNull(wrappedValue: run?.rawValue)
    _tfeRunID = ExplicitNull(wrappedValue: tfeRun)
    _lockedBy = ExplicitNull(wrappedValue: person)
    _lockReason = ExplicitNull(wrappedValue: lockReason)
  }
}
