import Synchronization

/// The registry, kept across restarts: what a change has answered is on the disk.
final class PortStore: Sendable {
  private let registry: Mutex<PortRegistry>
  private let journal: Journal

  /// Reads what was kept in `journal`.
  init(journal: Journal) throws {
    var registry = PortRegistry()
    for document in journal.documents("blueprint") {
      registry.apply(.putBlueprint(try PortBlueprint(JSONValue(parsing: document))))
    }
    for document in journal.documents("entity") {
      if let entity = PortEntity(try JSONValue(parsing: document)) { registry.apply(.put(entity)) }
    }
    for document in journal.documents("action") {
      registry.apply(.putAction(try PortAction(JSONValue(parsing: document))))
    }
    for document in journal.documents("run") {
      if let run = PortActionRun(try JSONValue(parsing: document)) { registry.apply(.putRun(run)) }
    }
    let logs = try journal.documents("log").compactMap { PortRunLog(try JSONValue(parsing: $0)) }
    for log in logs.sorted(by: { $0.number < $1.number }) { registry.apply(.addLog(log)) }
    for document in journal.documents("secret") {
      if let secret = PortSecret(try JSONValue(parsing: document)) { registry.apply(.putSecret(secret)) }
    }
    for document in journal.documents("integration") {
      registry.apply(.putIntegration(try PortIntegration(JSONValue(parsing: document))))
    }
    for name in journal.documents("agent-streamer") {
      if let streamer = PortAgentStreamer(rawValue: String(decoding: name, as: UTF8.self)) {
        registry.apply(.setAgentStreamer(streamer))
      }
    }
    self.registry = Mutex(registry)
    self.journal = journal
  }

  func read<Value: Sendable>(_ body: (PortRegistry) throws -> Value) rethrows -> Value {
    try registry.withLock { try body($0) }
  }

  /// Decides on the present registry and changes it, both before anybody else does; returns once the changes are on the
  /// disk.
  func change<Value: Sendable>(_ body: (inout Transaction) throws -> Value) async throws -> Value {
    let value = try registry.withLock { registry in
      var transaction = Transaction(registry: registry, journal: journal)
      // Two holders of it would have every change copy all of it.
      registry = PortRegistry()
      defer { registry = transaction.registry }
      return try body(&transaction)
    }
    try await journal.settle()
    return value
  }

  /// The registry while nobody else sees it.
  struct Transaction {
    private(set) var registry: PortRegistry
    fileprivate let journal: Journal

    mutating func apply(_ changes: [PortRegistry.Change]) {
      for change in changes {
        journal.store(change, logsOf: registry.runLogs)
        registry.apply(change)
      }
    }
  }
}

extension Journal {
  /// Identifiers have no white space in them, so a space keeps the two apart.
  fileprivate func store(_ change: PortRegistry.Change, logsOf logs: [String: [PortRunLog]]) {
    switch change {
    case .putBlueprint(let blueprint): put("blueprint", blueprint.identifier, blueprint.document.bytes)
    case .removeBlueprint(let identifier): remove("blueprint", identifier)
    case .put(let entity): put("entity", "\(entity.blueprint) \(entity.identifier)", entity.stored.bytes)
    case .remove(let blueprint, let identifier): remove("entity", "\(blueprint) \(identifier)")
    case .putAction(let action): put("action", action.identifier, action.document.bytes)
    case .removeAction(let identifier): remove("action", identifier)
    case .putRun(let run): put("run", run.id, run.stored.bytes)
    case .removeRun(let id):
      remove("run", id)
      for log in logs[id] ?? [] { remove("log", log.id) }
    case .addLog(let log): put("log", log.id, log.stored.bytes)
    case .putSecret(let secret): put("secret", secret.name, secret.stored.bytes)
    case .removeSecret(let name): remove("secret", name)
    case .putIntegration(let integration): put("integration", integration.identifier, integration.document.bytes)
    case .removeIntegration(let identifier): remove("integration", identifier)
    case .setAgentStreamer(let streamer): put("agent-streamer", "current", Array(streamer.rawValue.utf8))
    }
  }
}
