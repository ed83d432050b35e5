public import Foundation
public import PorcCore

/// What the portal should show of each entity, and what it last acknowledged. Not a queue: the newest wins.
public protocol PortalState: Sendable {
  /// Entities whose desired state the portal has not acknowledged and whose next attempt is due; templates before
  /// instances, longest behind first.
  func differences(limit: Int) async throws -> [PortalDifference]

  /// How long until the next difference may be tried, in seconds; `nil` if there is none.
  func untilNextDifference() async throws -> TimeInterval?

  /// The portal has taken these. A newer desired state stays a difference.
  func acknowledge(_ differences: [PortalDifference]) async throws

  /// The portal did not take it: try again after `delay`. A newer desired state is tried at once.
  ///
  /// - Parameter rejection: the portal's reason, if it refused this very entity (rather than being away); `nil` leaves
  ///   the one it gave for this version before.
  func postpone(_ difference: PortalDifference, for delay: TimeInterval, rejection: String?) async throws

  /// Whether the portal shows what it should; `nil` for an entity that PORC never wanted there.
  func portalStatus(_ kind: PortalEntity.Kind, _ identifier: String) async throws -> PortalStatus?

  /// Templates that the portal refuses as they are, a hundred at most.
  func refusedTemplates() async throws -> [RefusedTemplate]

  /// Everything PORC wants to be there, for comparison with what is.
  func desiredEntities(_ kind: PortalEntity.Kind) async throws -> [PortalEntity]

  /// The portal turned out to show something else: the entity counts as not acknowledged, and is a difference.
  func markDifferent(_ kind: PortalEntity.Kind, _ identifier: String) async throws

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

  public init(
    kind: PortalEntity.Kind, identifier: String, desired: PortalEntity?, acknowledged: PortalEntity?, version: Int64,
    attempts: Int, behindSince: Date
  ) {
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
  public init(count: Int, behindSince: Date?) {
    self.count = count
    self.behindSince = behindSince
  }
}
