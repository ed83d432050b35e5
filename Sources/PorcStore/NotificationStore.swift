public import Foundation
public import PorcCore

/// What TFE was asked to tell by itself, and what it told.
public protocol NotificationStore: Sendable {
  /// - Parameter owner: the id of a workspace or of a project.
  func notification(of owner: String) async throws -> NotificationRecord?

  /// Keeps what is known of an owner in place of what was; ``NotificationRecord/heardAt`` stays as it is.
  func putNotification(_ record: NotificationRecord) async throws

  /// Notes that TFE told something about an owner.
  func noteDelivery(of owner: String) async throws

  /// Notes that TFE told something about one of its runs, once for each `delivery`, and wakes the job that follows it.
  /// Where nobody follows it yet, that is remembered for whoever will; see ``takeEarlyNotice(of:)``.
  ///
  /// - Parameter delivery: names what was sent; the same again does nothing.
  /// - Returns: whether it is new.
  @discardableResult
  func noteDelivery(_ delivery: String, of owner: String, about tfeRunID: String) async throws -> Bool

  /// - Returns: whether TFE had told something about its run before anybody followed it. Only the first who asks is told.
  func takeEarlyNotice(of tfeRunID: String) async throws -> Bool

  /// The TFE runs that jobs follow.
  func followedPlans() async throws -> [FollowedPlan]

  /// Those that have a problem and were not tried since a time, the longest waiting first.
  func failedNotifications(until time: Date, limit: Int) async throws -> [NotificationRecord]

  /// Forgets what is known of an owner, since it is gone.
  func forgetNotification(of owner: String) async throws

  /// - Parameters:
  ///   - base: where deliveries are expected, without the owner at its end; `nil` where that is not known.
  ///   - keyID: which key signs them; `nil` where that is not known.
  func notificationReport(sentTo base: String?, keyID: String?) async throws -> NotificationReport
}

/// A notification configuration in TFE, or why there is none.
public struct NotificationRecord: Sendable, Equatable {
  /// The workspace or project that it is about.
  public var owner: String
  public var isProject: Bool
  /// TFE's id of the configuration; `nil` where there is none.
  public var configuration: String?
  /// Of a workspace: the project whose configuration tells about it.
  public var project: String?
  /// Where TFE sends.
  public var url: String
  /// Which key the secret was made from.
  public var keyID: String
  /// When PORC last wrote it, or tried to.
  public var writtenAt: Date
  /// When TFE last told something, signed.
  public var heardAt: Date?
  /// Why it does not work.
  public var problem: String?

  public init(
    owner: String, isProject: Bool = false, configuration: String? = nil, project: String? = nil, url: String,
    keyID: String, writtenAt: Date, heardAt: Date? = nil, problem: String? = nil
  ) {
    self.owner = owner
    self.isProject = isProject
    self.configuration = configuration
    self.project = project
    self.url = url
    self.keyID = keyID
    self.writtenAt = writtenAt
    self.heardAt = heardAt
    self.problem = problem
  }
}

/// A plan whose TFE run a job follows.
public struct FollowedPlan: Sendable, Hashable {
  public var run: Run.ID
  public var plan: Int
  public var tfeRunID: String

  public init(run: Run.ID, plan: Int, tfeRunID: String) {
    self.run = run
    self.plan = plan
    self.tfeRunID = tfeRunID
  }
}

/// How notifications do, all together.
public struct NotificationReport: Sendable, Equatable {
  /// Configurations that are in TFE, had no problem when they were last written, and send to where they should.
  public var working: Int
  /// Workspaces and projects for which there is none that works.
  public var failing: Int
  /// Configurations without a problem that send elsewhere, or sign with another key.
  public var outdated: Int
  /// When the one that waits longest failed.
  public var failedAt: Date?
  /// When TFE last told something.
  public var heardAt: Date?
  /// Why the one that failed last does not work.
  public var problem: String?

  public init(
    working: Int, failing: Int, outdated: Int = 0, failedAt: Date? = nil, heardAt: Date?, problem: String?
  ) {
    self.working = working
    self.failing = failing
    self.outdated = outdated
    self.failedAt = failedAt
    self.heardAt = heardAt
    self.problem = problem
  }
}
