import FoundationEssentials
import Hummingbird

extension PortRoutes {
  func addSearch(to router: Router<BasicRequestContext>) {
    router.post("/v1/entities/search", use: searchAll)
    router.post("/v1/blueprints/:blueprint/entities/search", use: search)
    // A literal `entities` would hide the blueprint that is called so.
    router.post("/v1/blueprints/:blueprint/datasource-entities") { request, context in
      guard context.path("blueprint") == "entities" else { throw HTTPError(.notFound) }
      return try await searchDatasource(request)
    }
  }

  /// `{combinator, rules}` → `{ok, matchingBlueprints, failedBlueprints, entities}`, everything at once.
  @Sendable private func searchAll(_ request: Request, _: BasicRequestContext) async throws -> Response {
    let query = try PortQuery(try await closedBody(request, ["combinator", "rules"]))
    let (include, exclude) = (request.query.strings("include"), request.query.strings("exclude") ?? [])
    let now = now()
    let found = store.read { registry in
      registry.entities.sorted { $0.key < $1.key }.flatMap { _, entities in
        entities.values.filter { query.matches($0, in: registry, now: now) }.sorted { $0.identifier < $1.identifier }
      }
    }
    return .json([
      "ok": true, "failedBlueprints": [],
      "matchingBlueprints": .array(Set(found.map(\.blueprint)).sorted().map { .string($0) }),
      "entities": .array(found.map { $0.json(including: include, excluding: exclude) }),
    ])
  }

  /// `{query?, include?, exclude?, limit?, from?}` → `{ok, entities, next?}`, ordered by identifier. `next`, sent back as
  /// `from`, continues behind the last entity, whatever was written in between.
  @Sendable private func search(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let body = try await closedBody(request, ["query", "include", "exclude", "limit", "from"])
    let query = body["query"].isNull ? PortQuery.all([]) : try PortQuery(body["query"])
    let limit = body["limit"].isNull ? 200 : body["limit"].int ?? 0
    guard (1...1000).contains(limit) else { throw PortFailure.invalid("body/limit must be from 1 to 1000") }
    let start = try cursor(body["from"])
    let now = now()
    let found = try store.read { registry in
      try registry.entities(of: context.path("blueprint")).filter { entity in
        start.map { entity.identifier > $0 } ?? true && query.matches(entity, in: registry, now: now)
      }
    }
    let page = found.prefix(limit)
    let include = body["include"].array.map { $0.compactMap(\.string) }
    let exclude = (body["exclude"].array ?? []).compactMap(\.string)
    var answer: JSONValue = [
      "ok": true, "entities": .array(page.map { $0.json(including: include, excluding: exclude) }),
    ]
    if found.count > limit, let last = page.last {
      answer["next"] = .string(Data(last.identifier.utf8).base64EncodedString())
    }
    return .json(answer)
  }

  /// `{datasource_prefix, datasource_suffix, limit?, from?, before?}` → `{ok, entities, next?}`: what an integration wrote,
  /// by its user agent, and nobody has written since `before`. Ocean deletes from it what it has not found again
  /// (Ocean 0.48.12, `clients/port/mixins/entities.py`); the document does not have it.
  private func searchDatasource(_ request: Request) async throws -> Response {
    let body = try await closedBody(request, ["datasource_prefix", "datasource_suffix", "limit", "from", "before"])
    guard let prefix = body["datasource_prefix"].string, let suffix = body["datasource_suffix"].string else {
      throw PortFailure.invalid("body must have required properties 'datasource_prefix' and 'datasource_suffix'")
    }
    let limit = body["limit"].isNull ? 5000 : body["limit"].int ?? 0
    guard (1...5000).contains(limit) else { throw PortFailure.invalid("body/limit must be from 1 to 5000") }
    let before = body["before"].string.flatMap(Date.init(rfc3339:))
    guard body["before"].isNull || before != nil else {
      throw PortFailure.invalid("body/before must match format \"date-time\"")
    }
    // White space is in no identifier, and orders before all that is.
    let start = try cursor(body["from"])
    func place(_ entity: PortEntity) -> String { "\(entity.blueprint) \(entity.identifier)" }
    let found = store.read { registry in
      registry.entities.values.flatMap(\.values).filter { entity in
        entity.datasource.hasPrefix(prefix) && entity.datasource.hasSuffix(suffix)
          && start.map { place(entity) > $0 } ?? true
          && before.map { before in Date(rfc3339: entity.updatedAt).map { $0 < before } ?? false } ?? true
      }
    }
    let page = found.sorted { place($0) < place($1) }.prefix(limit)
    var answer: JSONValue = ["ok": true, "entities": .array(page.map { $0.json(including: [], excluding: []) })]
    if found.count > limit, let last = page.last {
      answer["next"] = .string(Data(place(last).utf8).base64EncodedString())
    }
    return .json(answer)
  }

  private func cursor(_ from: JSONValue) throws(PortFailure) -> String? {
    if from.isNull { return nil }
    guard let text = from.string, let bytes = Data(base64Encoded: text) else {
      throw .invalid("body/from must be the 'next' of an earlier answer")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
