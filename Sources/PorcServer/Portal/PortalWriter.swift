import Foundation
import Logging
import PorcCore
import PorcStore
import PortPortal
import Retry

/// Makes the calls that bring the portal nearer to what it should show, and records what came of them.
struct PortalWriter: Sendable {
  let store: any Store
  let client: PortClient
  let names: PortNames
  /// Whether the portal speaks the plain dialect, which takes a null for the clearing of a property.
  let isPlain: Bool
  let health: PortalHealth
  let logger: Logger

  /// A refusal mends itself only when somebody changes something.
  private static let refused = Backoff(base: .seconds(1), ceiling: .seconds(60))
  /// What an entity relates to is on its way, or PORC hopes so.
  private static let waiting = Backoff(base: .milliseconds(100), ceiling: .seconds(60))

  /// - Throws: `CancellationError`, or what keeps the database from recording it; then the differences are still there.
  func make(_ call: PortalCall) async throws {
    switch call {
    case .upsert(let differences): try await upsert(differences)
    case .patch(let difference, let keys): try await patch(difference, clearing: keys)
    case .remove(let differences): try await remove(differences)
    }
  }

  private func upsert(_ differences: [PortalDifference]) async throws {
    guard let kind = differences.first?.kind else { return }
    let entities = differences.compactMap { $0.desired.map { Entity($0, keepingNulls: isPlain) } }
    var options = UpsertOptions.merging
    options.runID = differences.count == 1 ? differences[0].actionRun : nil
    var results = try await client.entities.upsert(all: entities, in: names.blueprint(kind), options)
    if options.runID != nil, results.contains(where: { $0.error?.isAboutTheActionRun == true }) {
      // It is closed there already, say: what the entity shows matters more than whose doing it was.
      options.runID = nil
      results = try await client.entities.upsert(all: entities, in: names.blueprint(kind), options)
    }
    let lack = results.lazy.compactMap(\.error).first { $0.kind == .notFound && !$0.isOfItem }
    if let lack, try await isLacking(kind) { return tellOfLack(health.lacks(kind, lack), kind, lack) }
    var taken: [PortalDifference] = []
    var failures: [PortalFailure] = []
    for (difference, result) in zip(differences, results) {
      do {
        if let error = result.error { throw error }
        // What the portal has just made holds nothing but what it was given.
        if result.outcome != .created, difference.acknowledged == nil { try await clearLeftOvers(difference) }
        taken.append(difference)
      } catch let error as PortError {
        failures.append(PortalFailure(difference, error))
      }
    }
    try await acknowledge(taken)
    if kind == .template, results.contains(where: { $0.outcome == .created }), health.isWaitedFor {
      try await store.retryPostponed()
    }
    try await postpone(failures, of: differences.count)
  }

  /// Whether the blueprint of a kind is not there, by the portal's own word.
  private func isLacking(_ kind: PortalEntity.Kind) async throws -> Bool {
    guard !isPlain else { return false }
    do {
      return try await client.blueprints.get(names.blueprint(kind)) == nil
    } catch is PortError {
      return false
    }
  }

  /// Without its blueprint no entity of a kind can be written: that is nobody's failure among them.
  private func tellOfLack(_ isNews: Bool, _ kind: PortalEntity.Kind, _ error: PortError) {
    guard isNews else { return }
    logger.warning(
      "the portal lacks the blueprint of what it should show",
      metadata: [
        "blueprint": "\(names.blueprint(kind))", "error": "\(error)", "fix": "set it up: porc port setup",
      ])
  }

  /// Somebody's entity became PORC's, or one that PORC had forgotten: what PORC shows no value for is cleared there.
  private func clearLeftOvers(_ difference: PortalDifference) async throws {
    guard !isPlain, let desired = difference.desired else { return }
    let remote = try await client.entities.get(desired.identifier, in: names.blueprint(desired.kind))
    let present = desired.cleared(since: nil).filter { (remote?.properties[$0] ?? .null) != .null }
    guard !present.isEmpty else { return }
    try await change(desired, EntityPatch(clearing: present), runID: difference.actionRun)
  }

  private func patch(_ difference: PortalDifference, clearing keys: [String]) async throws {
    guard let desired = difference.desired else { return }
    do {
      try await change(desired, EntityPatch(desired, clearing: keys), runID: difference.actionRun)
      try await acknowledge([difference])
    } catch let error as PortError where error.kind == .notFound {
      // It is gone from there, or what it relates to is: the answer to a write says which. What it shows now nobody knows.
      var whole = difference
      whole.acknowledged = nil
      try await upsert([whole])
    } catch let error as PortError {
      try await postpone([PortalFailure(difference, error)], of: 1)
    }
  }

  /// Where Port does not take a null, what is there is written again without the keys.
  private func change(_ entity: PortalEntity, _ patch: EntityPatch, runID: String?) async throws {
    let (identifier, blueprint) = (entity.identifier, names.blueprint(entity.kind))
    do {
      try await client.entities.patch(identifier, in: blueprint, patch, runID: runID)
    } catch let error as PortError where runID != nil && error.isAboutTheActionRun {
      try await change(entity, patch, runID: nil)
    } catch let error as PortError where error.kind == .unprocessable {
      guard var whole = try await client.entities.get(identifier, in: blueprint) else { throw error }
      whole.take(patch)
      try await client.entities.put(identifier, in: blueprint, whole)
    }
  }

  private func remove(_ differences: [PortalDifference]) async throws {
    guard let kind = differences.first?.kind else { return }
    // A plain registry has no deletion: it keeps what it was last told, such as `destroyed`.
    if isPlain { return try await store.acknowledge(differences) }
    var gone: Set<String> = []
    if differences.count > 1 {
      let results = try await client.entities.delete(all: differences.map(\.identifier), in: names.blueprint(kind))
      if let error = results.first?.error, error.isAboutThePortal {
        return try await postpone(differences.map { PortalFailure($0, error) }, of: differences.count)
      }
      gone = Set(results.filter { $0.outcome == .deleted }.map(\.identifier))
    }
    // Those that the bulk call did not name: none of them where one has dependents.
    for difference in differences where !gone.contains(difference.identifier) {
      do {
        // Answers the same whether it was there or not.
        try await client.entities.delete(difference.identifier, in: names.blueprint(kind))
        gone.insert(difference.identifier)
      } catch let error as PortError {
        try await postpone([PortalFailure(difference, error)], of: 1)
        if health.isAway { break }
      }
    }
    try await acknowledge(differences.filter { gone.contains($0.identifier) })
  }

  private func acknowledge(_ differences: [PortalDifference]) async throws {
    guard !differences.isEmpty else { return }
    try await store.acknowledge(differences)
    if let away = health.took(differences) {
      logger.notice("the portal is back", metadata: ["away_s": "\(away.components.seconds)"])
    }
    for failure in health.released() { try await postpone(failure) }
  }

  /// What failures of a call mean: for the portal as a whole, or for each entity alone.
  ///
  /// - Parameter count: how many entities were in the call.
  private func postpone(_ failures: [PortalFailure], of count: Int) async throws {
    guard !failures.isEmpty else { return }
    let own = health.failed(failures, of: count)
    if own.count < failures.count, health.isToldAgain {
      logger.warning(
        "the portal is away, and what it shows gets old", metadata: ["error": "\(health.reading.reason ?? "")"])
    }
    for failure in own + health.released() { try await postpone(failure) }
  }

  private func postpone(_ failure: PortalFailure) async throws {
    let (difference, error) = (failure.difference, failure.error)
    let backoff = failure.isWaiting ? Self.waiting : Self.refused
    var random = SystemRandomNumberGenerator()
    let delay = max(backoff.delay(attempt: difference.attempts + 1, using: &random), error.retryAfter ?? .zero)
    logger.log(
      level: failure.isWaiting && difference.attempts != 5 ? .info : .warning, "the portal refused an entity",
      metadata: [
        "entity": "\(difference.kind.rawValue)/\(difference.identifier)", "error": "\(error)",
        "delay_ms": "\(delay.milliseconds)",
      ])
    try await store.postpone(
      difference, for: Double(delay.milliseconds) / 1000, rejection: error.status == 500 ? nil : error.message)
  }
}

extension PortError {
  /// Whether the reason may be the action run that a write was tied to. Which status Port has for that is not documented.
  fileprivate var isAboutTheActionRun: Bool {
    switch kind {
    case .badRequest, .notFound, .conflict, .unprocessable, .forbidden: true
    default: false
    }
  }
}

extension EntityPatch {
  fileprivate init(clearing keys: [String]) {
    self.init(properties: Dictionary(uniqueKeysWithValues: keys.map { ($0, .null) }))
  }

  /// Everything of an entity that has a value, and null for `keys`.
  fileprivate init(_ entity: PortalEntity, clearing keys: [String]) {
    let whole = Entity(entity)
    self.init(clearing: keys)
    title = whole.title.map(JSON.string)
    properties?.merge(whole.properties) { _, value in value }
    relations = whole.relations
  }
}

extension Entity {
  /// The same after a change that Port has not made.
  fileprivate mutating func take(_ patch: EntityPatch) {
    if let title = patch.title?.string { self.title = title }
    properties = properties.merging(patch.properties ?? [:]) { $1 }.filter { $0.value != .null }
    relations = relations.merging(patch.relations ?? [:]) { $1 }.filter { $0.value != .null }
  }
}
