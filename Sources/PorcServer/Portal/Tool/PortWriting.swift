import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal

/// How far a sync has come.
public struct PortSyncProgress: Sendable, Equatable {
  /// Entities that Port has taken since it began.
  public var done: Int
  public var total: Int
}

/// What a sync came to.
public struct PortSyncReport: Sendable, Equatable {
  /// What a rebuild did first.
  public var setUp: PortSetup.Report?
  /// How many entities Port took.
  public var written = 0
  /// Those that Port refuses as they are.
  public var parked: [PortDifferences.Waiting] = []
  /// How many wait for somebody to confirm that they go.
  public var heldRemovals = 0
}

/// Makes Port right, and waits until it is.
struct PortWriting: Sendable {
  let settings: PortalSettings
  let store: any Store
  let client: PortClient
  /// Writes here; `nil` where a server has the database, and writes.
  let own: PortalSync?
  let limit: Duration
  let progress: @Sendable (PortSyncProgress) -> Void

  /// What differs is not told one by one: it is written, and counted.
  private static let quiet = Logger(label: "porc.port") { _ in SwiftLogNoOpLogHandler() }

  func run(isRebuild: Bool, confirmsRemovals: Bool) async throws -> PortSyncReport {
    var report = PortSyncReport()
    if confirmsRemovals { try await store.confirmRemovals() }
    if isRebuild {
      try await store.markAllDifferent()
    } else if settings.dialect == .api {
      try await PortalReconciler(store: store, client: client, names: settings.names, logger: Self.quiet).reconcile()
    }
    try await store.retryPostponed()
    try await wait(&report)
    report.parked = try await store.parkedEntities(limit: 1000).map { parked in
      let subject = PortDifferences.Subject(
        blueprint: settings.names.blueprint(parked.kind), identifier: parked.identifier)
      return PortDifferences.Waiting(subject: subject, reason: parked.reason, since: parked.behindSince)
    }
    return report
  }

  private func wait(_ report: inout PortSyncReport) async throws {
    let deadline = ContinuousClock.now + limit
    let total = try await store.portalBacklog().count
    while true {
      let rest = try await step()
      let backlog = try await store.portalBacklog()
      report.heldRemovals = try await heldRemovals()
      report.written = max(total - backlog.count, 0)
      progress(PortSyncProgress(done: report.written, total: total))
      // What Port refused before counts only once it was tried again.
      let isDue = try await store.untilNextDifference().map { $0 <= 0 } ?? false
      if !isDue, backlog.count <= backlog.parked + report.heldRemovals { return }
      guard ContinuousClock.now < deadline else {
        throw Fault(
          .upstreamFailed,
          "Port has not taken everything within \(limit.components.seconds) s: \(backlog.count) are left.",
          fix: "Look at what keeps it: porc doctor. A running server goes on by itself.")
      }
      if let rest { try await Task.sleep(for: min(rest, deadline - .now)) }
    }
  }

  /// - Returns: how long to wait before the next look; `nil` where there is more to do.
  private func step() async throws -> Duration? {
    guard let own else { return .milliseconds(100) }
    switch try await own.pass() {
    case .more, .short: return nil
    case .away(let rest): return rest
    case .untilChange: return .milliseconds(50)
    }
  }

  private func heldRemovals() async throws -> Int {
    var held = 0
    for kind in PortalEntity.Kind.allCases {
      let share = try await store.removalShare(kind)
      if share.isHeld(beyond: settings.removalLimit) { held += share.removals }
    }
    return held
  }
}
