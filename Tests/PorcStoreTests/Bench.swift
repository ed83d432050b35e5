import Foundation
import HCL
import PorcCore
import PorcStore
import Synchronization
import TestKit

/// A store of a test's own, with a clock that only the test moves, and short words for what tests do with it.
final class Bench: Sendable {
  static let retention: TimeInterval = 3600
  static let start = Date(timeIntervalSince1970: 1_800_000_000)

  let store: any Store
  let clock: Clock
  private let folder: TemporaryFolder

  private init(_ store: any Store, _ folder: TemporaryFolder, _ clock: Clock) {
    self.store = store
    self.folder = folder
    self.clock = clock
  }

  /// The time that the store sees.
  final class Clock: Sendable {
    private let time = Mutex(Bench.start)
    var now: Date { time.withLock { $0 } }
    func advance(by seconds: TimeInterval) { time.withLock { $0 += seconds } }
  }

  convenience init(_ kind: StoreKind) async throws {
    let folder = try TemporaryFolder()
    let clock = Clock()
    self.init(try await kind.open(folder, Self.settings(clock)), folder, clock)
  }

  static func settings(_ clock: Clock) -> SQLiteStore.Settings {
    SQLiteStore.Settings(
      retention: retention,
      entity: { PortalEntity($0, waitingFor: nil) { workspace, run in "https://tfe/\(workspace.name)/\(run)" } },
      now: { clock.now })
  }

  /// What the portal should be told next, of all kinds: templates first, removals last.
  func differences(limit: Int) async throws -> [PortalDifference] {
    var found: [PortalDifference] = []
    for kind in [PortalEntity.Kind.template, .instance] { found += try await store.differences(kind, limit: limit) }
    for kind in PortalEntity.Kind.allCases { found += try await store.removals(kind, confirmed: false, limit: limit) }
    return Array(found.prefix(limit))
  }

  // MARK: What happens to runs

  @discardableResult
  func submit(
    _ instance: String, as run: String, template: String = "bucket", version: String = "1.0.0",
    recording record: Record = Record()
  ) async throws -> Recorded {
    try await store.submit(instance, as: run, template: template, version: version, recording: record)
  }

  @discardableResult
  func command(_ run: String, _ command: RunCommand, recording record: Record = Record()) async throws -> Recorded {
    try await store.decide(about: .run(run), recording: record) { situation, now in
      guard let situation else { throw StoreError.notFound }
      let id = situation.runs.values.first { $0.id.rawValue == run || $0.plan(tfeRunID: run) != nil }?.id
      return try RunMachine.decide(command, for: id ?? Run.ID(run), in: situation, at: now)
    }
  }

  @discardableResult
  func hear(_ run: String, _ report: RunReport, recording record: Record = Record()) async throws -> Recorded {
    try await store.decide(about: .run(run), recording: record) { situation, now in
      guard let situation else { throw StoreError.notFound }
      return RunMachine.hear(report, about: Run.ID(run), in: situation, at: now)
    }
  }

  /// Takes a submitted run to a plan in TFE that is being followed.
  func plan(_ run: String, tfeRunID: String) async throws {
    try await command(run, .plan(PlanRequest(by: .anna)))
    try await hear(run, .built(bundle: "bundle-\(run)"))
    try await hear(run, .workspaceReady(Workspace(id: "ws-1", name: "porc-x")))
    try await hear(run, .tfeRunCreated(plan: 1, tfeRunID: tfeRunID, configurationVersionID: "cv-\(run)"))
  }

  /// Takes a submitted run to its end, applied.
  func apply(_ run: String, tfeRunID: String) async throws {
    try await plan(run, tfeRunID: tfeRunID)
    try await hear(run, .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(additions: 1)))
    try await command(run, .apply(tfeRunID: tfeRunID, by: .anna))
    try await hear(run, .applyFinished(plan: 1, outputs: ["url": Output(value: "https://x", isSensitive: false)]))
  }

  /// Destroys an applied instance; its jobs are done but for the removal.
  func destroy(_ instance: String, as run: String, tfeRunID: String) async throws {
    try await store.decide(about: .instance(Instance.ID(instance)), recording: Record()) { situation, now in
      guard let situation, let applied = situation.currentRun else { throw StoreError.notFound }
      var submission = applied.submission
      submission.operation = .destroy
      return try RunMachine.destroy(
        submission, as: Run.ID(run), in: situation, request: PlanRequest(by: .anna), at: now)
    }
    try await hear(run, .tfeRunCreated(plan: 1, tfeRunID: tfeRunID, configurationVersionID: "cv-\(run)"))
    try await hear(run, .planFinished(plan: 1, hasChanges: true, summary: PlanSummary(destructions: 1)))
    try await command(run, .apply(tfeRunID: tfeRunID, by: .anna))
    try await hear(run, .applyFinished(plan: 1, outputs: [:]))
  }

  // MARK: Looking

  /// Every due job of `kind`, all others finished.
  func claimOnly(_ kind: RunJob.Kind, worker: String = "w", for duration: TimeInterval = 60) async throws -> Lease? {
    while let lease = try await claim(worker, for: duration) {
      if lease.kind == kind { return lease }
      try await store.finish(lease)
    }
    return nil
  }

  func claim(_ worker: String = "w", for duration: TimeInterval = 60) async throws -> Lease? {
    try await store.claim(worker: worker, for: duration, limit: 1).first
  }

  func events(of run: String? = nil) async throws -> [String] {
    try await store.events(after: 0, of: run.map { .run(Run.ID($0)) } ?? EventFilter(subject: .run), limit: 1000).map(
      \.name)
  }
}

extension Store {
  @discardableResult
  func submit(
    _ instance: String, as run: String, template: String = "bucket", version: String = "1.0.0",
    inputs: [String: Value] = ["region": "us-west1"], recording record: Record = Record()
  ) async throws -> Recorded {
    let submission = Submission.sample(instance, template: template, version: version, inputs: inputs)
    return try await decide(about: .instance(Instance.ID(instance)), recording: record) { situation, now in
      try RunMachine.submit(submission, as: Run.ID(run), for: Instance.ID(instance), in: situation, at: now)
    }
  }
}

extension Caller {
  static let anna = Caller(id: "tok-a", name: "Anna")
}

extension Submission {
  static func sample(
    _ instance: String, template: String = "bucket", version: String = "1.0.0", inputs: [String: Value] = [:]
  ) -> Submission {
    let reference = TemplateReference(
      id: Template.ID(modulePath: "\(template)/\(version)"), name: template, version: version, repoURL: nil,
      commit: "c0ffee", archive: "archive-\(template)-\(version)")
    return Submission(
      operation: .apply, template: reference, submitter: .anna, metadata: BlueprintMetadata(name: instance),
      inputs: inputs, sensitiveInputs: [], region: "us-west1", requiresApproval: false, blueprintDigest: "digest",
      sensitiveDigest: nil)
  }
}

extension Template {
  static func sample(_ name: String, _ version: Version, source: String, title: String? = nil) -> Template {
    var template = Template(name: name, version: version, inputs: [], archive: "archive-\(name)", source: source)
    template.title = title
    return template
  }

  /// What goes with it.
  static func archive(of name: String) -> [String: Data] { ["archive-\(name)": Data(name.utf8)] }
}

extension Version {
  static let one = Version(major: 1, minor: 0, patch: 0)
  static let two = Version(major: 2, minor: 0, patch: 0)
  static let ten = Version(major: 10, minor: 0, patch: 0)
}
