import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry
import ServiceLifecycle

/// Closes the difference between what the portal should show and what it last acknowledged: newest state first, in bulk,
/// for as long as it takes. An entity that the portal refuses holds up no other.
struct PortalSync: Service {
  let store: any Store
  let client: PortClient
  /// Whether the portal speaks Port's own API, which clears a property by PATCH.
  let dialect: PortClient.Dialect
  /// Whether the blueprints are made first where they are missing.
  let makesBlueprints: Bool
  let doorbell: Doorbell
  let logger: Logger

  /// While the portal is away it is asked every two seconds at least: it should be right soon after it is back.
  private static let awayBackoff = Backoff(base: .milliseconds(200), ceiling: .seconds(2))
  /// A refusal mends itself only when somebody changes something.
  private static let rejectedBackoff = Backoff(base: .seconds(1), ceiling: .seconds(60))
  private static let batch = 200
  /// How long a pass waits for the one before: what changes meanwhile goes in one call.
  private static let pause = Duration.milliseconds(20)

  func run() async throws {
    if makesBlueprints { await makeBlueprints() }
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      let seen = doorbell.count
      do {
        if try await pass() {
          try await Task.sleep(for: Self.pause)
          continue
        }
        let due = min(try await store.untilNextDifference() ?? 1, 1)
        await doorbell.wait(since: seen, upTo: .seconds(max(due, 0.01)))
      } catch is CancellationError {
        return
      } catch {
        logger.error("the portal's backlog cannot be read", metadata: ["error": "\(error)"])
        await doorbell.wait(since: seen, upTo: .seconds(1))
      }
    }
  }

  /// Tries until the portal answers: without its blueprints it would refuse every entity.
  private func makeBlueprints() async {
    var random = SystemRandomNumberGenerator()
    var attempt = 1
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      do {
        for made in try await PortBlueprints.ensure(with: client) {
          logger.info("a blueprint was made in the portal", metadata: ["blueprint": "\(made)"])
        }
        return
      } catch {
        logger.warning("the portal's blueprints cannot be looked at", metadata: ["error": "\(error)"])
        let delay = Self.awayBackoff.delay(attempt: attempt, using: &random)
        await doorbell.wait(since: doorbell.count, upTo: delay)
        attempt += 1
      }
    }
  }

  /// One pass over what is due.
  ///
  /// - Returns: whether anything was.
  func pass() async throws -> Bool {
    let differences = try await store.differences(limit: Self.batch)
    await close(differences)
    return !differences.isEmpty
  }

  /// Templates before instances, which relate to them.
  private func close(_ differences: [PortalDifference]) async {
    for kind in PortalEntity.Kind.allCases {
      let ofKind = differences.filter { $0.kind == kind }
      await write(ofKind.filter { $0.desired != nil }, kind)
      for difference in ofKind where difference.desired == nil { await delete(difference) }
    }
  }

  private func write(_ differences: [PortalDifference], _ kind: PortalEntity.Kind) async {
    guard !differences.isEmpty else { return }
    let entities = differences.compactMap { $0.desired.map { Entity($0, keepingNulls: dialect == .entities) } }
    do {
      let results = try await client.entities.upsert(all: entities, in: kind.rawValue)
      var taken: [PortalDifference] = []
      for (difference, result) in zip(differences, results) {
        do {
          if let error = result.error { throw error }
          // What the portal has just made holds nothing but what it was given.
          if result.outcome != .created { try await clear(difference) }
          taken.append(difference)
        } catch let error as PortError {
          await postpone(difference, error)
        }
      }
      if !taken.isEmpty { try await store.acknowledge(taken) }
    } catch {
      // Canceled, or the database is away: the differences are still there.
      logger.debug("a portal pass ended early", metadata: ["error": "\(error)"])
    }
  }

  /// Takes values away that should not be there any more; a merge leaves what it does not name.
  private func clear(_ difference: PortalDifference) async throws {
    guard dialect == .api, let desired = difference.desired else { return }
    let keys = desired.cleared(since: difference.acknowledged)
    guard !keys.isEmpty else { return }
    if difference.acknowledged == nil {
      // First write of ours, or somebody changed it there: only what is really there needs clearing.
      let remote = try await client.entities.get(desired.identifier, in: desired.kind.rawValue)
      let present = keys.filter { (remote?.properties[$0] ?? .null) != .null }
      guard !present.isEmpty else { return }
      return try await null(present, desired)
    }
    try await null(keys, desired)
  }

  private func null(_ keys: [String], _ entity: PortalEntity) async throws {
    let patch = EntityPatch(properties: Dictionary(uniqueKeysWithValues: keys.map { ($0, JSON.null) }))
    _ = try await client.entities.patch(entity.identifier, in: entity.kind.rawValue, patch)
  }

  private func delete(_ difference: PortalDifference) async {
    do {
      // Answers the same whether it was there or not.
      try await client.entities.delete(difference.identifier, in: difference.kind.rawValue)
      try await store.acknowledge([difference])
    } catch let error as PortError {
      await postpone(difference, error)
    } catch {
      logger.debug("a portal deletion ended early", metadata: ["error": "\(error)"])
    }
  }

  private func postpone(_ difference: PortalDifference, _ error: PortError) async {
    let isRejected: Bool
    switch error.kind {
    case .unprocessable, .badRequest, .tooLarge, .conflict, .notFound: isRejected = true
    default: isRejected = false
    }
    var random = SystemRandomNumberGenerator()
    let backoff = isRejected ? Self.rejectedBackoff : Self.awayBackoff
    let delay = max(backoff.delay(attempt: difference.attempts + 1, using: &random), error.retryAfter ?? .zero)
    logger.log(
      level: isRejected ? .warning : .info, isRejected ? "the portal refused an entity" : "the portal is behind",
      metadata: [
        "entity": "\(difference.kind.rawValue)/\(difference.identifier)", "error": "\(error)",
        "delay_ms": "\(delay.milliseconds)",
      ])
    do {
      try await store.postpone(
        difference, for: Double(delay.milliseconds) / 1000, rejection: isRejected ? error.message : nil)
    } catch {
      logger.error("a portal difference cannot be postponed", metadata: ["error": "\(error)"])
    }
  }
}

/// Compares what the portal should show with what it really has, and marks what differs: an entity that was edited or
/// deleted there comes back.
struct PortalReconciler: Sendable {
  let store: any Store
  let client: PortClient
  let logger: Logger

  func reconcile() async throws {
    for kind in PortalEntity.Kind.allCases {
      let desired = try await store.desiredEntities(kind)
      guard !desired.isEmpty else { continue }
      var remote: [String: Entity] = [:]
      for try await entity in client.entities.search(in: kind.rawValue) { remote[entity.identifier] = entity }
      for entity in desired {
        if let shown = remote[entity.identifier], entity.isShown(by: shown) { continue }
        // Written in this very moment, perhaps: then it differs from what was read a while ago, and is written once more.
        try await store.markDifferent(kind, entity.identifier)
        logger.info(
          "the portal shows something else", metadata: ["entity": "\(kind.rawValue)/\(entity.identifier)"])
      }
    }
  }
}
