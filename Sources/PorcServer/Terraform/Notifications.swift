import Foundation
import Logging
import PorcCore
import PorcStore
import TerraformEnterprise

/// Has TFE tell PORC when its runs get on, so that they need not be polled: makes notification configurations, of the
/// project where TFE has that, else of each workspace, and writes them anew where they do not work. Nothing depends on
/// them: a run about which TFE tells nothing is polled.
actor Notifications {
  private let store: any Store
  private let client: TerraformEnterprise.Client
  private let settings: TFESettings
  private let vault: InputVault
  /// Where TFE reaches PORC, once PORC listens.
  private let publicURL: @Sendable () async throws -> String
  private let logger: Logger
  private let now: @Sendable () -> Date
  /// Several plans begin at once, and must not make a configuration each.
  private let turn = AsyncTurn()
  /// Whose configuration seems not to work.
  private var suspects: [String: Suspicion] = [:]
  private var projectID: String?

  /// What a portal should show within a second. The start of an apply costs a read only where PORC did not confirm it.
  private static let triggers: [NotificationTrigger] = [.needsAttention, .applying, .completed, .errored]
  /// One that failed is not tried again before, in seconds: each plan that begins would ask for it.
  static let failureRest: TimeInterval = 600
  /// One that seems not to work is not written again before, in seconds. Anybody can send a delivery that is not signed.
  static let repairRest: TimeInterval = 300
  /// How many are written anew at most, each time PORC looks after them.
  static let repairsAtOnce = 5
  private static let maximumSuspects = 1000

  private struct Suspicion {
    var since: Date
    /// The run about which nothing was told, if that is why.
    var tfeRunID: String?
  }

  init(
    store: any Store, client: TerraformEnterprise.Client, settings: TFESettings, vault: InputVault,
    publicURL: @escaping @Sendable () async throws -> String, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.client = client
    self.settings = settings
    self.vault = vault
    self.publicURL = publicURL
    self.logger = logger
    self.now = now
  }

  /// What signs deliveries about a workspace or project. TFE never shows it again, so it is told anew from the key.
  nonisolated func secret(of owner: String) -> String { vault.derivedSecret("tfe-notification/\(owner)") }

  /// Whether TFE tells by itself how a workspace's runs get on.
  func cover(_ workspaceID: String) async throws -> Bool {
    guard let record = try await store.notification(of: workspaceID) else { return false }
    return try await works(record)
  }

  private func works(_ record: NotificationRecord) async throws -> Bool {
    var record = record
    if let project = record.project {
      guard let found = try await store.notification(of: project) else { return false }
      record = found
    }
    guard record.configuration != nil, record.problem == nil, record.keyID == vault.keyID else { return false }
    return record.url == (try await url(of: record.owner))
  }

  private func url(of owner: String) async throws -> String { try await publicURL() + Self.path + owner }

  /// Where TFE sends, below PORC's URL and before the owner.
  static let path = "/webhooks/tfe/"

  // MARK: Making them

  /// Sees to it that TFE tells about this workspace. Where that cannot be had its runs are polled, so no failure leaves
  /// this; it is kept for whoever asks how notifications do.
  func ensure(for workspace: PorcCore.Workspace) async {
    do {
      if try await needsNothing(workspace.id) { return }
      try await turn.take { try await self.make(for: workspace.id) }
    } catch is CancellationError {
      // Whoever asked is canceled too, and says so itself.
    } catch {
      logger.warning(
        "TFE could not be asked to tell about a workspace, so its runs are polled",
        metadata: ["workspace": "\(workspace.name)", "error": "\(error)"])
    }
  }

  private func needsNothing(_ workspaceID: String) async throws -> Bool {
    guard let record = try await store.notification(of: workspaceID) else { return false }
    if try await works(record) { return true }
    return try await isResting(record)
  }

  /// Whether it was tried a short while ago, and failed, as it would now.
  private func isResting(_ record: NotificationRecord) async throws -> Bool {
    guard record.configuration == nil || record.problem != nil, record.project == nil else { return false }
    guard record.keyID == vault.keyID, record.url == (try await url(of: record.owner)) else { return false }
    // A TFE that does not know of such configurations for projects will be updated some day, but not today.
    let rest = record.isProject && record.problem == nil ? 86_400 : Self.failureRest
    return now().timeIntervalSince(record.writtenAt) < rest
  }

  private func make(for workspaceID: String) async throws {
    if try await needsNothing(workspaceID) { return }
    if let project = try await projectThatTells(of: workspaceID) {
      try await store.putNotification(
        NotificationRecord(
          owner: workspaceID, project: project, url: try await url(of: project), keyID: vault.keyID, writtenAt: now()))
    } else {
      _ = try await write(workspaceID, isProject: false)
    }
  }

  /// The configured project, if the workspace is in it and TFE tells about projects.
  private func projectThatTells(of workspaceID: String) async throws -> String? {
    guard let projectID = try await configuredProject() else { return nil }
    if let record = try await store.notification(of: projectID), try await isResting(record) { return nil }
    guard try await client.workspaces.read(workspaceID).projectID == projectID else { return nil }
    if let record = try await store.notification(of: projectID), try await works(record) { return projectID }
    return try await write(projectID, isProject: true) ? projectID : nil
  }

  private func configuredProject() async throws -> String? {
    guard settings.project != nil else { return nil }
    if projectID == nil { projectID = try await Workspaces(client: client, settings: settings).projectID() }
    return projectID
  }

  /// Makes a configuration, or writes the one there is.
  ///
  /// - Returns: whether there is one now that works.
  private func write(_ owner: String, isProject: Bool) async throws -> Bool {
    let known = try await store.notification(of: owner)
    let url = try await url(of: owner)
    var record = NotificationRecord(
      owner: owner, isProject: isProject, configuration: known?.configuration, url: url, keyID: vault.keyID,
      writtenAt: now(), problem: "Terraform Enterprise has not answered yet.")
    // Before TFE answers it sends a delivery, which counts only if this is known.
    try await store.putNotification(record)
    let new = NotificationSettings(
      name: "PORC (\(settings.installation))", url: url, token: secret(of: owner), triggers: Self.triggers)
    do {
      record.configuration = try await put(
        new, for: isProject ? .project(owner) : .workspace(owner), record.configuration)
      record.problem = nil
    } catch let error as TFEError {
      record.configuration = nil
      // A project's workspaces are asked for one by one then: nothing fails.
      record.problem = isProject && error.kind == .notFound ? nil : error.message
    }
    try await store.putNotification(record)
    report(record, known)
    return record.configuration != nil
  }

  private func put(
    _ new: NotificationSettings, for subject: NotificationConfigurationsService.Subject, _ known: String?
  ) async throws -> String {
    let configurations = client.notificationConfigurations
    if let known {
      do {
        return try await configurations.update(known, new).id
      } catch let error as TFEError where error.kind == .notFound {
        // Deleted in TFE; or the token may not write it, and then not make one either.
      }
    }
    // One that an earlier database of this PORC knew, or of which no answer came.
    for try await found in configurations.list(of: subject) where found.name == new.name || found.url == new.url {
      return try await configurations.update(found.id, new).id
    }
    return try await configurations.create(for: subject, new).id
  }

  /// Each problem is said once.
  private func report(_ record: NotificationRecord, _ before: NotificationRecord?) {
    let metadata: Logger.Metadata = ["tfe.owner": "\(record.owner)"]
    if let problem = record.problem {
      guard before?.problem != problem else { return }
      logger.warning(
        "TFE does not tell about runs, so they are polled", metadata: metadata.merging(["error": "\(problem)"]) { $1 })
    } else if record.configuration != nil, before != nil {
      logger.notice("TFE was asked anew to tell about runs", metadata: metadata)
    } else if record.configuration == nil {
      logger.info("TFE does not tell about projects, so each workspace is asked for", metadata: metadata)
    }
  }

  // MARK: Mending them

  /// A delivery was not signed as it should be, or none came of something that should have been told: what tells about this
  /// workspace or project is written anew when its time comes. One that PORC never asked for is left alone.
  ///
  /// - Parameter tfeRunID: the run about which nothing was told.
  func suspect(_ owner: String, silentAbout tfeRunID: String? = nil) async throws {
    guard var record = try await store.notification(of: owner) else { return }
    if let project = record.project, let found = try await store.notification(of: project) { record = found }
    guard record.configuration != nil, suspects.count < Self.maximumSuspects || suspects[record.owner] != nil else {
      return
    }
    if suspects[record.owner]?.tfeRunID == nil {
      suspects[record.owner] = Suspicion(since: suspects[record.owner]?.since ?? now(), tfeRunID: tfeRunID)
    }
  }

  /// Writes the configurations anew that seem not to work, and those that could not be made: a few, and each only now and
  /// then.
  func mend() async throws {
    var left = Self.repairsAtOnce
    for (owner, suspicion) in suspects.sorted(by: { $0.value.since < $1.value.since }) where left > 0 {
      // One that could not be written is among those that failed.
      guard let record = try await store.notification(of: owner), record.configuration != nil, record.problem == nil,
        record.writtenAt <= suspicion.since  // else a plan had it written meanwhile
      else {
        suspects[owner] = nil
        continue
      }
      guard now().timeIntervalSince(record.writtenAt) >= Self.repairRest else { continue }
      left -= 1
      try await turn.take {
        guard try await self.write(owner, isProject: record.isProject), let run = suspicion.tfeRunID else { return }
        self.logger.warning(
          "TFE did not tell that a run got on, and was asked anew to tell",
          metadata: ["tfe.run.id": "\(run)", "tfe.owner": "\(owner)"])
      }
      suspects[owner] = nil
    }
    let failed = try await store.failedNotifications(
      until: now().addingTimeInterval(-Self.failureRest), limit: left)
    // Where one fails still, the next most likely would too; and plans that begin must not wait for them all.
    for record in failed {
      guard try await retry(record) else { break }
    }
  }

  /// - Returns: whether it has no problem any more.
  private func retry(_ record: NotificationRecord) async throws -> Bool {
    let owner = record.owner
    do {
      if record.isProject {
        guard try await configuredProject() == owner else {
          try await store.forgetNotification(of: owner)  // another is configured now
          return true
        }
        try await turn.take { _ = try await self.write(owner, isProject: true) }
      } else {
        try await turn.take { try await self.make(for: owner) }
      }
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      var record = record
      (record.writtenAt, record.problem) = (now(), (error as? TFEError)?.message ?? record.problem)
      try await store.putNotification(record)
    }
    guard try await store.notification(of: owner)?.problem != nil else { return true }
    guard !record.isProject, try await isGone(owner) else { return false }
    try await store.forgetNotification(of: owner)
    return true
  }

  private func isGone(_ workspaceID: String) async throws -> Bool {
    do {
      _ = try await client.workspaces.read(workspaceID)
      return false
    } catch let error as TFEError {
      return error.kind == .notFound
    }
  }

  /// How they do, of those that send to this PORC with this key.
  func report() async throws -> NotificationReport {
    try await store.notificationReport(sentTo: try await url(of: ""), keyID: vault.keyID)
  }

  /// When TFE last told something about a workspace.
  func heard(of workspaceID: String) async throws -> Date? {
    guard let record = try await store.notification(of: workspaceID) else { return nil }
    guard let project = record.project else { return record.heardAt }
    return try await store.notification(of: project)?.heardAt
  }
}
