import Hummingbird

extension PortRoutes {
  func addEntities(to router: Router<BasicRequestContext>) {
    router.post("/v1/entities", use: plainUpsert)
    router.post("/v1/blueprints/:blueprint/entities", use: create)
    router.post("/v1/blueprints/:blueprint/entities/bulk", use: bulk)
    router.get("/v1/blueprints/:blueprint/entities") { request, context in
      let query = request.query
      let entities = try store.read { try $0.entities(of: context.path("blueprint")) }
      return Response.json([
        "ok": true, "entities": .array(entities.map { show($0, query) }),
      ])
    }
    router.get("/v1/blueprints/:blueprint/entities-count") { _, context in
      let count = try store.read { try $0.entities(of: context.path("blueprint")).count }
      return Response.json(["ok": true, "count": .init(count)])
    }
    router.get("/v1/blueprints/:blueprint/entities/:entity") { request, context in
      let entity = try store.read { try $0.entity(context.path("entity"), of: context.path("blueprint")) }
      return Response.json(["ok": true, "entity": show(entity, request.query)])
    }
    router.put("/v1/blueprints/:blueprint/entities/:entity") { request, context in
      try await change(request, context, .replace, body: body(request))
    }
    router.patch("/v1/blueprints/:blueprint/entities/:entity") { request, context in
      let members = ["identifier", "title", "icon", "team", "properties", "relations"]
      return try await change(request, context, .merge, body: closedBody(request, members))
    }
    router.delete("/v1/blueprints/:blueprint/entities/:entity") { request, context in
      let (identifier, blueprint) = (context.path("entity"), context.path("blueprint"))
      let withDependents = try request.query.flag("delete_dependents")
      let stamp = stamp(request)
      try await store.change { transaction in
        try transaction.registry.checkTie(to: stamp.run)
        _ = try transaction.registry.entity(identifier, of: blueprint)
        transaction.apply(
          try transaction.registry.removing(entities: [identifier], of: blueprint, withDependents: withDependents))
        transaction.apply(transaction.registry.tying(to: identifier, of: blueprint, "DELETE", stamp))
      }
      return Response.json(["ok": true])
    }
    router.post("/v1/blueprints/:blueprint/bulk/entities/delete", use: bulkDelete)
  }

  private func show(_ entity: PortEntity, _ query: Query) -> JSONValue {
    entity.json(including: query.strings("include"), excluding: query.strings("exclude") ?? [])
  }

  /// What the parameters of the two create routes ask for. `merge` without `upsert` has no effect.
  private func mode(_ query: Query) throws(PortFailure) -> PortRegistry.WriteMode {
    let merge = try query.flag("merge")
    return try query.flag("upsert") ? (merge ? .mergeOrCreate : .replaceOrCreate) : .create
  }

  @Sendable private func create(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let (body, query, blueprint) = (try await body(request), request.query, context.path("blueprint"))
    let (mode, createsMissing) = (try mode(query), try query.flag("create_missing_related_entities"))
    let onlyValidates = try query.flag("validation_only")
    let stamp = stamp(request)
    let written = try await store.change { transaction in
      try transaction.registry.checkTie(to: stamp.run)
      let written = try transaction.registry.writing(
        body, of: blueprint, mode, createsMissing: createsMissing, stamp)
      if !onlyValidates { transaction.apply(written, stamp) }
      return written
    }
    return .json(["ok": true, "entity": written.entity.json], status: written.isNew ? .created : .ok)
  }

  private func change(
    _ request: Request, _ context: BasicRequestContext, _ mode: PortRegistry.WriteMode, body: JSONValue
  ) async throws -> Response {
    let createsMissing = try request.query.flag("create_missing_related_entities")
    let stamp = stamp(request)
    let written = try await store.change { transaction in
      try transaction.registry.checkTie(to: stamp.run)
      let written = try transaction.registry.writing(
        body, of: context.path("blueprint"), identifier: context.path("entity"), mode, createsMissing: createsMissing,
        stamp)
      transaction.apply(written, stamp)
      return written
    }
    return .json(["ok": true, "entity": written.entity.json])
  }

  /// `{entities: [1 to 20]}` → 200, or 207 where some failed:
  /// `{ok, maxBulkSize, entities: [{identifier, index, created}], errors: [{identifier, index, statusCode, error, message}]}`
  @Sendable private func bulk(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let (query, blueprint) = (request.query, context.path("blueprint"))
    guard let items = try await closedBody(request, ["entities"])["entities"].array, (1...20).contains(items.count)
    else { throw PortFailure.invalid("body/entities must have 1 to 20 items") }
    let (mode, createsMissing) = (try mode(query), try query.flag("create_missing_related_entities"))
    let onlyValidates = try query.flag("validation_only")
    let stamp = stamp(request)
    let (entities, errors) = try await store.change { transaction in
      try transaction.registry.checkTie(to: stamp.run)
      _ = try transaction.registry.blueprint(blueprint)
      var (entities, errors): ([JSONValue], [JSONValue]) = ([], [])
      for (index, item) in items.enumerated() {
        do throws(PortFailure) {
          let written = try transaction.registry.writing(
            item, of: blueprint, mode, createsMissing: createsMissing, stamp)
          if !onlyValidates { transaction.apply(written, stamp) }
          entities.append([
            "identifier": .string(written.entity.identifier), "index": .init(index), "created": .bool(written.isNew),
          ])
        } catch {
          errors.append([
            "identifier": .string(item["identifier"].string ?? ""), "index": .init(index),
            "statusCode": .init(error.status.code), "error": .string(error.error), "message": .string(error.message),
          ])
        }
      }
      return (entities, errors)
    }
    return .json(
      ["ok": .bool(errors.isEmpty), "maxBulkSize": 20, "entities": .array(entities), "errors": .array(errors)],
      status: errors.isEmpty ? .ok : .init(code: 207, reasonPhrase: "Multi-Status"))
  }

  /// `{entities: [1 to 100 identifiers]}` → `{ok, deletedEntities, maxBulkSize}`; unknown ones are left out.
  @Sendable private func bulkDelete(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let blueprint = context.path("blueprint")
    guard let items = try await closedBody(request, ["entities"])["entities"].array, (1...100).contains(items.count),
      items.allSatisfy({ $0.string != nil })
    else { throw PortFailure.invalid("body/entities must have 1 to 100 identifiers") }
    let withDependents = try request.query.flag("delete_dependents")
    let deleted = try await store.change { transaction in
      let present = try transaction.registry.entities(of: blueprint).map(\.identifier)
      let asked = items.compactMap(\.string).filter(present.contains)
      transaction.apply(
        try transaction.registry.removing(entities: asked, of: blueprint, withDependents: withDependents))
      return asked
    }
    return .json(["ok": true, "deletedEntities": .array(deleted.map { .string($0) }), "maxBulkSize": 100])
  }

  /// A dialect of our own, which Port does not have: the entity alone, with the blueprint inside or not at all.
  /// `{identifier, title?, properties, relations?, blueprint?}` is merged into the blueprint's entity, or into the only
  /// entity anywhere that has this identifier: 404 where there is none, 409 where there are several.
  @Sendable private func plainUpsert(_ request: Request, _: BasicRequestContext) async throws -> Response {
    let body = try await closedBody(
      request, ["identifier", "title", "icon", "team", "properties", "relations", "blueprint"])
    guard let identifier = body["identifier"].string else {
      throw PortFailure.invalid("body must have required property 'identifier'")
    }
    let written = try await store.change { transaction in
      let registry = transaction.registry
      let written: PortRegistry.Written
      if let blueprint = body["blueprint"].string {
        written = try registry.writing(body, of: blueprint, .mergeOrCreate, stamp(request))
      } else {
        let owners = registry.entities.filter { $0.value[identifier] != nil }.keys.sorted()
        guard let owner = owners.first else { throw PortFailure.notFound("Entity", identifier) }
        guard owners.count == 1 else {
          throw PortFailure.conflict(
            "ambiguous", "\"\(identifier)\" is in several blueprints: \(owners.joined(separator: ", "))")
        }
        written = try registry.writing(body, of: owner, .merge, stamp(request))
      }
      transaction.apply(written.changes)
      return written
    }
    return .json(["ok": true, "entity": written.entity.json], status: written.isNew ? .created : .ok)
  }
}

extension PortStore.Transaction {
  /// Keeps what was written, and shows it on the action run that caused it.
  fileprivate mutating func apply(_ written: PortRegistry.Written, _ stamp: PortStamp) {
    apply(written.changes)
    let entity = written.entity
    apply(registry.tying(to: entity.identifier, of: entity.blueprint, written.isNew ? "CREATE" : "UPDATE", stamp))
  }
}
