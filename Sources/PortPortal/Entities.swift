/// Port's entities, one at a time. More at a time: ``upsert(all:in:_:)``, ``delete(all:in:deletingDependents:)``,
/// ``search(in:_:)``.
public struct Entities: Sendable {
  let session: Session
  let dialect: PortClient.Dialect

  private struct One: Decodable { let entity: Entity }

  /// One entity, or nil where Port has none with this identifier (or no such blueprint).
  /// `GET /v1/blueprints/{blueprint}/entities/{identifier}`
  public func get(_ identifier: String, in blueprint: String) async throws -> Entity? {
    do {
      return try await one(try Request(.get, path(blueprint, identifier)))
    } catch let error as PortError where isAbsence(error) {
      return nil
    }
  }

  /// Creates an entity, or changes it where it exists. A relation to an entity that does not exist is a 404.
  /// `POST /v1/blueprints/{blueprint}/entities?upsert=true`, in the plain dialect `POST /v1/entities`
  ///
  /// - Parameter options: not sent in the plain dialect, which has none.
  /// - Returns: the entity as Port has it now; in the plain dialect, where the answer does not say, as it was sent.
  @discardableResult
  public func upsert(
    _ entity: Entity, in blueprint: String, _ options: UpsertOptions = .merging
  ) async throws -> Entity {
    switch dialect {
    case .api:
      return try await one(
        try Request(.post, path(blueprint), query: options.query, json: EntityBody(entity: entity)))
    case .entities:
      return try await upsertPlainly(entity, in: blueprint).entity
    }
  }

  func upsertPlainly(_ entity: Entity, in blueprint: String) async throws -> (entity: Entity, created: Bool) {
    let body = EntityBody(entity: entity, plainBlueprint: blueprint)
    let answer = try await session.send(try Request(.post, ["entities"], json: body))
    try answer.acknowledge()
    let stored = (try? answer.decode(One.self))?.entity ?? entity
    return (stored, answer.status == 201)
  }

  /// Changes the parts of an entity that `patch` names; 404 where it is absent.
  /// `PATCH /v1/blueprints/{blueprint}/entities/{identifier}`
  ///
  /// - Parameter runID: ties the change to an action run that is in progress.
  @discardableResult
  public func patch(
    _ identifier: String, in blueprint: String, _ patch: EntityPatch, runID: String? = nil
  ) async throws -> Entity {
    try await one(try Request(.patch, path(blueprint, identifier), query: Self.query(runID: runID), json: patch))
  }

  /// Replaces an entity as a whole: what `entity` does not name is cleared; 404 where it is absent.
  /// `PUT /v1/blueprints/{blueprint}/entities/{identifier}`
  ///
  /// - Parameter identifier: which entity; `entity` may carry a new one, which renames it.
  @discardableResult
  public func put(
    _ identifier: String, in blueprint: String, _ entity: Entity, runID: String? = nil
  ) async throws -> Entity {
    let body = EntityBody(entity: entity)
    return try await one(try Request(.put, path(blueprint, identifier), query: Self.query(runID: runID), json: body))
  }

  /// Deletes an entity. `DELETE /v1/blueprints/{blueprint}/entities/{identifier}`
  ///
  /// - Parameter deletingDependents: also deletes the entities that require this one; without it Port refuses where
  ///   there are any.
  /// - Returns: false where Port had no such entity, also because an earlier attempt's answer was lost.
  @discardableResult
  public func delete(
    _ identifier: String, in blueprint: String, deletingDependents: Bool = false
  ) async throws -> Bool {
    do {
      let request = try Request(
        .delete, path(blueprint, identifier), query: [("delete_dependents", "\(deletingDependents)")])
      try await session.send(request).acknowledge()
      return true
    } catch let error as PortError where isAbsence(error) {
      return false
    }
  }

  func path(_ blueprint: String, _ identifier: String? = nil) -> [String] {
    ["blueprints", blueprint, "entities"] + (identifier.map { [$0] } ?? [])
  }

  private func one(_ request: Request) async throws -> Entity {
    try await session.send(request).decode(One.self).entity
  }

  private static func query(runID: String?) -> [(name: String, value: String)] {
    runID.map { [("run_id", $0)] } ?? []
  }

  /// A plain registry promises no codes, so its 404 is believed without one.
  private func isAbsence(_ error: PortError) -> Bool {
    error.saysNotFound || (dialect == .entities && error.kind == .notFound)
  }
}

/// What an upsert does beyond creating.
public struct UpsertOptions: Sendable, Hashable {
  /// Whether only what is sent changes (a property's value is replaced as a whole), or everything not sent is cleared.
  public var merge: Bool
  /// Creates empty entities for relation targets that do not exist, instead of a 404.
  public var createMissingRelatedEntities: Bool
  /// Checks and answers, but writes nothing.
  public var validationOnly: Bool
  /// Ties the change to an action run that is in progress.
  public var runID: String?

  public init(
    merge: Bool = true, createMissingRelatedEntities: Bool = false, validationOnly: Bool = false, runID: String? = nil
  ) {
    self.merge = merge
    self.createMissingRelatedEntities = createMissingRelatedEntities
    self.validationOnly = validationOnly
    self.runID = runID
  }

  /// Creates, or changes what is sent.
  public static let merging = UpsertOptions()
  /// Creates, or replaces as a whole.
  public static let replacing = UpsertOptions(merge: false)

  var query: [(name: String, value: String)] {
    var query = [("upsert", "true"), ("merge", "\(merge)")]
    if createMissingRelatedEntities { query.append(("create_missing_related_entities", "true")) }
    if validationOnly { query.append(("validation_only", "true")) }
    if let runID { query.append(("run_id", runID)) }
    return query
  }
}
