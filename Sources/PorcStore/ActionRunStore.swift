public import Foundation
public import PorcCore

/// Presses of buttons in the portal, and how far the portal was told what became of each.
///
/// Level-triggered like the entities: a press is due whenever its instance has changed since the portal was told, for as
/// long as it takes. A press that was taken is recorded with its decision (``Record/actionRun``).
public protocol ActionRunStore: Sendable {
  /// Records a press that was refused, and the answer it got. Whoever was to be told of a run is told of the refusal.
  ///
  /// - Throws: ``StoreError/alreadyAnswered(_:)`` if there is an answer under `key`; ``StoreError/alreadyPressed`` if the
  ///   portal's run was taken before under another key, unless that one was not vouched for and this one is.
  func refuse(_ press: ActionRun, because reason: String, answer: StoredAnswer, under key: IdempotencyKey) async throws

  /// By the portal's id.
  func actionRun(_ id: String) async throws -> ActionRun?

  /// Those of which the portal can be told something now, oldest first: their instance has changed since it was told last;
  /// or they have ended, and the portal has acknowledged the instance's entity, or `patience` seconds are over.
  func dueActionRuns(patience: TimeInterval, limit: Int) async throws -> [ActionRun]

  /// The portal was told this.
  ///
  /// - Parameters:
  ///   - version: of the instance that it was told up to; `nil` where more is to be told.
  ///   - end: how it ended, once nothing but that is left to be told.
  func note(
    _ reported: ActionRun.Reported, of id: String, upTo version: Int64?, ending end: ActionRun.End?
  ) async throws

  /// Try again after `delay`.
  func postponeActionRun(_ id: String, for delay: TimeInterval) async throws

  /// The portal was told the end, or wants to hear no more. A press that took the place of this one stays open.
  func close(_ press: ActionRun) async throws

  /// How many are open, and since when the oldest is.
  func actionRunBacklog() async throws -> ActionRunBacklog

  /// Forgets those that were closed more than this many seconds ago.
  func forgetActionRuns(closedFor age: TimeInterval) async throws
}

/// A press of a button in the portal: an action run there, of which PORC tells how it goes until it has closed it.
public struct ActionRun: Sendable, Equatable {
  /// The portal's id of it, such as `r_…`.
  public var id: String
  /// What was asked, as in the path of the API: `apply`.
  public var verb: String
  /// Who pressed, as far as somebody vouches for it.
  public var actor: Caller
  /// Whether Port's signature, or a token that may speak for Port's users, says that this is a press.
  public var isVouched = true
  public var run: Run.ID?
  public var instance: Instance.ID?
  /// The number of the plan it is about; `nil` where that plan is yet to be made, or there is none.
  public var plan: Int?
  /// Of the newest event before the press; what follows is what came of it.
  public var position: Int64
  /// The first lines of its log: who pressed, and what it waits for.
  public var opening: [String]
  public var isRefused: Bool
  public var createdAt: Date
  public var reported: Reported
  /// Known once nothing but that is left to be told.
  public var end: End?
  /// How often the portal could not be told.
  public var attempts: Int
  public var closedAt: Date?

  /// How it ended, and why.
  public struct End: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable { case success, failure }
    public var outcome: Outcome
    public var reason: String
    public init(_ outcome: Outcome, because reason: String) {
      self.outcome = outcome
      self.reason = reason
    }
  }

  /// What the portal was told so far.
  public struct Reported: Codable, Sendable, Equatable {
    public var label: String?
    public var links: [String]
    public var externalID: String?
    /// How many lines of the log.
    public var lines: Int
    public init(label: String? = nil, links: [String] = [], externalID: String? = nil, lines: Int = 0) {
      self.label = label
      self.links = links
      self.externalID = externalID
      self.lines = lines
    }
    enum CodingKeys: String, CodingKey {
      case label, links, lines
      case externalID = "external_id"
    }
  }

  public init(
    id: String, verb: String, actor: Caller, run: Run.ID? = nil, instance: Instance.ID? = nil, plan: Int? = nil,
    position: Int64 = 0, opening: [String], isRefused: Bool = false, createdAt: Date
  ) {
    self.id = id
    self.verb = verb
    self.actor = actor
    self.run = run
    self.instance = instance
    self.plan = plan
    self.position = position
    self.opening = opening
    self.isRefused = isRefused
    self.createdAt = createdAt
    reported = Reported()
    attempts = 0
  }
}

public struct ActionRunBacklog: Sendable, Equatable {
  public var count: Int
  public var openSince: Date?
  public init(count: Int, openSince: Date?) {
    self.count = count
    self.openSince = openSince
  }
}
