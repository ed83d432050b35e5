public import Foundation
public import PorcCore

/// What the portal should show of each entity, and what it last acknowledged. Not a queue: the newest wins.
public protocol PortalState: Sendable {
  /// Entities of a kind that the portal should show otherwise than it last acknowledged and whose next attempt is due;
  /// longest behind first.
  func differences(_ kind: PortalEntity.Kind, limit: Int) async throws -> [PortalDifference]

  /// Entities of a kind that should go from the portal and whose next attempt is due; longest behind first.
  ///
  /// - Parameter confirmed: only those whose removal somebody has confirmed.
  func removals(_ kind: PortalEntity.Kind, confirmed: Bool, limit: Int) async throws -> [PortalDifference]

  /// All entities of a kind that should go from the portal and have not, whenever their next attempt is; longest behind
  /// first.
  func outstandingRemovals(_ kind: PortalEntity.Kind, limit: Int) async throws -> [PortalDifference]

  /// How much of what the portal shows of a kind should go.
  func removalShare(_ kind: PortalEntity.Kind) async throws -> RemovalShare

  /// Everything that should go from the portal now may go, however much it is.
  ///
  /// - Returns: how many those are that nobody had confirmed before.
  @discardableResult
  func confirmRemovals() async throws -> Int

  /// How long until the next difference may be tried, in seconds; `nil` if there is none. Removals do not count.
  func untilNextDifference() async throws -> TimeInterval?

  /// The portal has taken these. A newer desired state stays a difference.
  func acknowledge(_ differences: [PortalDifference]) async throws

  /// The portal did not take it: try again after `delay`. A newer desired state is tried at once.
  ///
  /// - Parameter rejection: the portal's reason, if it refused this very entity (rather than being away); `nil` leaves
  ///   the one it gave for this version before.
  func postpone(_ difference: PortalDifference, for delay: TimeInterval, rejection: String?) async throws

  /// What was postponed is tried at once: the reason may have gone.
  func retryPostponed() async throws

  /// Whether the portal shows what it should; `nil` for an entity that PORC never wanted there.
  func portalStatus(_ kind: PortalEntity.Kind, _ identifier: String) async throws -> PortalStatus?

  /// Templates that the portal refuses as they are, a hundred at most.
  func refusedTemplates() async throws -> [RefusedTemplate]

  /// Entities that the portal refuses as they are, longest behind first.
  func parkedEntities(limit: Int) async throws -> [ParkedEntity]

  /// Everything of a kind that PORC wants to be there, ordered by identifier.
  func desiredEntities(_ kind: PortalEntity.Kind) async throws -> [PortalEntity]

  /// Those of `identifiers` that PORC wants to be there.
  func desiredEntities(_ kind: PortalEntity.Kind, among identifiers: [String]) async throws -> [PortalEntity]

  /// How far everything of a kind that PORC wants to be there has come, by identifier.
  func portalVersions(_ kind: PortalEntity.Kind) async throws -> [String: PortalVersion]

  /// The portal turned out to show something else: each counts as acknowledged in what it shows, and is a difference. One
  /// that has changed since the portal was asked, here or there, stays as it is.
  func markDifferent(_ sights: [PortalSight]) async throws

  /// The portal may show anything: whatever PORC wants there is a difference.
  func markAllDifferent() async throws

  /// Thinks over what the portal should show of everything there is: another version of PORC, or other settings, may
  /// show it otherwise.
  func redrawPortal() async throws

  /// The time since which the longest waiting entity is behind, and how many are behind.
  func portalBacklog() async throws -> PortalBacklog
}

/// One entity that the portal does not show as it should.
public struct PortalDifference: Sendable, Equatable {
  public var kind: PortalEntity.Kind
  public var identifier: String
  /// `nil`: it should not be there any more.
  public var desired: PortalEntity?
  /// What the portal last acknowledged; `nil` if nothing.
  public var acknowledged: PortalEntity?
  /// Counts the changes of the desired state.
  public var version: Int64
  /// How often this version was tried in vain.
  public var attempts: Int
  public var behindSince: Date
  /// The portal's action run that caused the change, while it goes on.
  public var actionRun: String?

  public init(
    kind: PortalEntity.Kind, identifier: String, desired: PortalEntity?, acknowledged: PortalEntity?, version: Int64,
    attempts: Int, behindSince: Date, actionRun: String? = nil
  ) {
    self.actionRun = actionRun
    self.kind = kind
    self.identifier = identifier
    self.desired = desired
    self.acknowledged = acknowledged
    self.version = version
    self.attempts = attempts
    self.behindSince = behindSince
  }
}

public struct PortalStatus: Sendable, Equatable {
  /// `nil` when the portal shows what it should.
  public var behindSince: Date?
  /// The portal's reason, if it refused the entity as it is wanted now.
  public var rejection: String?
  public init(behindSince: Date?, rejection: String?) {
    self.behindSince = behindSince
    self.rejection = rejection
  }
}

/// A template that the portal does not take.
public struct RefusedTemplate: Sendable, Equatable {
  public var id: Template.ID
  /// The name of its source.
  public var source: String
  /// The portal's words.
  public var reason: String
  public init(id: Template.ID, source: String, reason: String) {
    self.id = id
    self.source = source
    self.reason = reason
  }
}

public struct PortalBacklog: Sendable, Equatable {
  public var count: Int
  public var behindSince: Date?
  /// Those among them that the portal refuses as they are.
  public var parked: Int
  /// Those among them that should go.
  public var removals: Int

  public init(count: Int, behindSince: Date?, parked: Int = 0, removals: Int = 0) {
    self.count = count
    self.behindSince = behindSince
    self.parked = parked
    self.removals = removals
  }
}

/// How far an entity has come: both count the changes of the desired state.
public struct PortalVersion: Sendable, Equatable {
  public var desired: Int64
  /// `nil` if the portal has acknowledged nothing.
  public var acknowledged: Int64?

  public init(desired: Int64, acknowledged: Int64?) {
    self.desired = desired
    self.acknowledged = acknowledged
  }
}

/// What the portal was seen to show of an entity.
public struct PortalSight: Sendable, Equatable {
  public var kind: PortalEntity.Kind
  public var identifier: String
  /// What it shows of that which is PORC's; `nil` where the entity is not there, or nobody looked closely.
  public var shown: PortalEntity?
  /// How far the entity had come before the portal was asked.
  public var version: PortalVersion

  public init(kind: PortalEntity.Kind, identifier: String, shown: PortalEntity?, version: PortalVersion) {
    self.kind = kind
    self.identifier = identifier
    self.shown = shown
    self.version = version
  }
}

/// An entity that the portal does not take as it is.
public struct ParkedEntity: Sendable, Equatable {
  public var kind: PortalEntity.Kind
  public var identifier: String
  /// The portal's words.
  public var reason: String
  public var behindSince: Date

  public init(kind: PortalEntity.Kind, identifier: String, reason: String, behindSince: Date) {
    self.kind = kind
    self.identifier = identifier
    self.reason = reason
    self.behindSince = behindSince
  }
}

/// How many entities of a kind should go from the portal, of how many that it shows.
public struct RemovalShare: Sendable, Equatable {
  /// Those whose removal nobody has confirmed.
  public var removals: Int
  /// All that the portal has acknowledged, with those that should go.
  public var shown: Int

  public init(removals: Int, shown: Int) {
    self.removals = removals
    self.shown = shown
  }
}
