extension Entities {
  /// Creates or changes entities of one blueprint, in as few calls as Port's limits allow (20 entities and 1 MiB each).
  /// `POST /v1/blueprints/{blueprint}/entities/bulk?upsert=true`, in the plain dialect one call each.
  ///
  /// A call that Port refuses for its content (400, 413, 422) is halved until the entities at fault are alone. A failure
  /// that would meet the next call too (no connection, no permission, rate limit) ends the work, and the entities not yet
  /// sent have failed with it.
  ///
  /// - Returns: one result for each entity, in the given order. An entity that Port does not account for has failed.
  /// - Throws: only `CancellationError`; some entities may be stored by then.
  public func upsert(
    all entities: [Entity], in blueprint: String, _ options: UpsertOptions = .merging
  ) async throws -> [UpsertResult] {
    let outcomes =
      switch dialect {
      case .api: try await upsertInBatches(entities, blueprint, options)
      case .entities: try await upsertOneByOne(entities, blueprint)
      }
    return zip(entities, outcomes).map { UpsertResult(identifier: $0.identifier, outcome: $1) }
  }

  /// Deletes entities of one blueprint, 100 a call. `POST /v1/blueprints/{blueprint}/bulk/entities/delete`, in the plain
  /// dialect one call each.
  ///
  /// - Parameter deletingDependents: also deletes the entities that require these; without it Port deletes none of a
  ///   call's entities where any has dependents.
  /// - Returns: one result for each identifier, in the given order.
  /// - Throws: only `CancellationError`; some entities may be deleted by then.
  public func delete(
    all identifiers: [String], in blueprint: String, deletingDependents: Bool = false
  ) async throws -> [DeletionResult] {
    var results: [DeletionResult] = []
    var end: PortError?
    let width = dialect == .api ? 100 : 1
    for start in stride(from: 0, to: identifiers.count, by: width) {
      let part = identifiers[start..<min(start + width, identifiers.count)]
      do {
        if let end { throw end }
        let deleted = try await deletePart(Array(part), blueprint, deletingDependents)
        results += part.map { DeletionResult(identifier: $0, outcome: deleted.contains($0) ? .deleted : .notDeleted) }
      } catch let error as PortError {
        if error.wouldMeetTheNextCall { end = error }
        results += part.map { DeletionResult(identifier: $0, outcome: .failed(error)) }
      }
    }
    return results
  }

  private func deletePart(
    _ identifiers: [String], _ blueprint: String, _ deletingDependents: Bool
  ) async throws -> Set<String> {
    switch dialect {
    case .entities:
      let only = identifiers[0]
      return try await delete(only, in: blueprint, deletingDependents: deletingDependents) ? [only] : []
    case .api:
      struct Deleted: Decodable { let deletedEntities: [String] }
      let request = try Request(
        .post, ["blueprints", blueprint, "bulk", "entities", "delete"],
        query: [("delete_dependents", "\(deletingDependents)")], json: ["entities": identifiers])
      return Set(try await session.send(request).decode(Deleted.self).deletedEntities)
    }
  }

  private func upsertOneByOne(_ entities: [Entity], _ blueprint: String) async throws -> [UpsertResult.Outcome] {
    var outcomes: [UpsertResult.Outcome] = []
    var end: PortError?
    for entity in entities {
      do {
        if let end { throw end }
        outcomes.append(try await upsertPlainly(entity, in: blueprint).created ? .created : .updated)
      } catch let error as PortError {
        if error.wouldMeetTheNextCall { end = error }
        outcomes.append(.failed(error))
      }
    }
    return outcomes
  }

  private func upsertInBatches(
    _ entities: [Entity], _ blueprint: String, _ options: UpsertOptions
  ) async throws -> [UpsertResult.Outcome] {
    let path = path(blueprint) + ["bulk"]
    let bare: Request
    do {
      bare = try Request(.post, path)
    } catch {
      return entities.map { _ in .failed(error) }
    }
    var outcomes = entities.map { _ in UpsertResult.Outcome.failed(PortError(.badRequest, "Not sent.", of: bare)) }
    var items: [BulkBatch.Item] = []
    for (position, entity) in entities.enumerated() {
      do {
        let json = try Request.encode(EntityBody(entity: entity), for: bare)
        items.append(BulkBatch.Item(position: position, identifier: entity.identifier, json: json))
      } catch {
        outcomes[position] = .failed(error)
      }
    }
    var waiting = Array(BulkBatch.split(items).reversed())
    while let batch = waiting.popLast() {
      do {
        let answer = try await session.send(try Request(.post, path, query: options.query, body: batch.body))
        for (item, outcome) in zip(batch.items, try BulkAnswer.outcomes(answer, count: batch.items.count)) {
          outcomes[item.position] = outcome
        }
      } catch let error as PortError where error.isAboutContent && batch.items.count > 1 {
        waiting += batch.halves.reversed()
      } catch let error as PortError {
        let lost = error.wouldMeetTheNextCall ? [batch] + waiting : [batch]
        if error.wouldMeetTheNextCall { waiting = [] }
        for item in lost.flatMap(\.items) { outcomes[item.position] = .failed(error) }
      }
    }
    return outcomes
  }
}

/// The answer to a bulk upsert: 200, or 207 where some failed.
///
/// ```json
/// {"ok": true, "entities": [{"identifier": "a", "index": 0, "created": true}],
///  "errors": [{"identifier": "b", "index": 1, "statusCode": 422, "error": "invalid", "message": "…"}]}
/// ```
private struct BulkAnswer: Decodable {
  struct Stored: Decodable {
    let index: Int
    let created: Bool
  }

  struct Failed: Decodable {
    let index: Int
    let statusCode: Int
    let error: String?
    let message: String?
  }

  let entities: [Stored]
  let errors: [Failed]?

  /// An outcome for each of the `count` entities of the request, in its order. The items count, never the status: a 2xx
  /// that does not name an entity has not stored it.
  static func outcomes(_ answer: Answer, count: Int) throws(PortError) -> [UpsertResult.Outcome] {
    let read = try answer.decode(BulkAnswer.self)
    let named = read.entities.map(\.index) + (read.errors ?? []).map(\.index)
    // An answer that names none of them is none to this call.
    let missing = answer.unexpected(
      "Port's answer does not say what became of this entity.", isOfItem: named.contains { $0 >= 0 && $0 < count })
    var outcomes = [UpsertResult.Outcome](repeating: .failed(missing), count: count)
    for stored in read.entities where outcomes.indices.contains(stored.index) {
      outcomes[stored.index] = stored.created ? .created : .updated
    }
    for failed in read.errors ?? [] where outcomes.indices.contains(failed.index) {
      outcomes[failed.index] = .failed(
        PortError(
          status: failed.statusCode, code: failed.error, message: failed.message, of: answer.request,
          traceID: answer.traceID, isOfItem: true))
    }
    return outcomes
  }
}

extension PortError {
  /// Whether one entity of a call may be to blame for the whole. Port checks a request's shape before it looks at the
  /// entities in it, so one bad identifier refuses twenty entities.
  fileprivate var isAboutContent: Bool {
    kind == .tooLarge || kind == .unprocessable || kind == .badRequest && status == 400
  }

  /// Whether the reason lies outside of what was sent. A 500 does not: one entity may be what breaks Port, and the
  /// others should get through.
  fileprivate var wouldMeetTheNextCall: Bool {
    switch kind {
    case .unauthorized, .forbidden, .rateLimited, .transport, .unexpectedAnswer: true
    case .server: status != 500
    case .badRequest, .notFound, .conflict, .tooLarge, .unprocessable: false
    }
  }
}
