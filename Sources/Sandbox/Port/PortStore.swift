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
        registry.apply(change)
        journal.store(change)
      }
    }
  }
}

extension Journal {
  /// Identifiers have no white space in them, so a space keeps the two apart.
  fileprivate func store(_ change: PortRegistry.Change) {
    switch change {
    case .putBlueprint(let blueprint): put("blueprint", blueprint.identifier, blueprint.document.bytes)
    case .removeBlueprint(let identifier): remove("blueprint", identifier)
    case .put(let entity): put("entity", "\(entity.blueprint) \(entity.identifier)", entity.json.bytes)
    case .remove(let blueprint, let identifier): remove("entity", "\(blueprint) \(identifier)")
    }
  }
}
