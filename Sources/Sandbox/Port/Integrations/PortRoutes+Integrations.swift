import HTTPTypes
import Hummingbird

/// What Ocean calls beyond blueprints and entities. Where the published document has no such route, its shape is what
/// Ocean's client sends and reads (Ocean 0.48.12, `clients/port`).
extension PortRoutes {
  func addIntegrations(to router: Router<BasicRequestContext>) {
    router.get("/v1/integration") { request, _ in
      let isActing =
        request.query["actionsProcessingEnabled"] == nil
        ? nil : try request.query.flag("actionsProcessingEnabled")
      let integrations = store.read { $0.integrations.values.sorted { $0.identifier < $1.identifier } }
      let wanted = integrations.filter { integration in
        isActing.map { $0 == (integration.document["actionsProcessingEnabled"].bool ?? false) } ?? true
      }
      return Response.json(["ok": true, "integrations": .array(wanted.map { $0.json(at: request.origin) })])
    }
    // Those whose blueprints Port makes by itself: here none.
    router.get("/v1/integration/provision-enabled") { _, _ in Response.json(["ok": true, "integrations": []]) }
    router.get("/v1/integration/:integration") { request, context in
      let integration = try store.read { try $0.integration(context.path("integration")) }
      return show(integration, request)
    }
    router.post("/v1/integration") { request, _ in
      let body = try await body(request)
      let integration = try await keep { registry in try registry.creating(integration: body, stamp(request)) }
      return show(integration, request, status: .created)
    }
    router.patch("/v1/integration/:integration") { request, context in
      try await change(request, context) { registry, identifier, body in
        try registry.changing(integration: identifier, body, stamp(request))
      }
    }
    router.patch("/v1/integration/:integration/config") { request, context in
      try await change(request, context) { registry, identifier, body in
        guard let config = body.object?["config"] else {
          throw PortFailure.invalid("body must have required property 'config'")
        }
        return try registry.changing(
          integration: identifier, ["config": config], skipsResync: request.headers[.skipResync] == "true",
          stamp(request))
      }
    }
    router.delete("/v1/integration/:integration") { _, context in
      try await store.change { transaction in
        let integration = try transaction.registry.integration(context.path("integration"))
        transaction.apply([.removeIntegration(integration.identifier)])
      }
      return Response.json(["ok": true])
    }
    addResyncs(to: router)
  }

  private func addResyncs(to router: Router<BasicRequestContext>) {
    router.patch("/v1/integration/:integration/resync-state") { request, context in
      try await change(request, context) { registry, identifier, body in
        try registry.resyncing(integration: identifier, body, stamp(request))
      }
    }
    router.get("/v1/integration/:integration/resync-request") { _, context in
      let time = try store.read { try $0.integration(context.path("integration")).resyncRequestedAt }
      return Response.json(["ok": true, "request": time.isNull ? [:] : ["updatedAt": time]])
    }
    // What an integration has read, for whoever writes a mapping at Port. It is not kept here.
    router.post("/v1/integration/:integration/kinds/:kind/examples") { request, context in
      let body = try await body(request)
      guard body["examples"].array != nil else { throw PortFailure.invalid("body/examples must be array") }
      _ = try store.read { try $0.integration(context.path("integration")) }
      return Response.json(["ok": true])
    }
    // Logs and metrics, which at Port another server takes. The list of requests has them.
    router.post("\(PortIntegration.ingestPath)/**", use: ingest)
    router.put("\(PortIntegration.ingestPath)/**", use: ingest)
  }

  @Sendable private func ingest(_ request: Request, _: BasicRequestContext) async throws -> Response {
    _ = try await body(request)
    return .json(["ok": true])
  }

  private func change(
    _ request: Request, _ context: BasicRequestContext,
    _ decide: (_ registry: PortRegistry, _ identifier: String, _ body: JSONValue) throws -> PortIntegration
  ) async throws -> Response {
    let body = try await body(request)
    let identifier = context.path("integration")
    return show(try await keep { registry in try decide(registry, identifier, body) }, request)
  }

  private func keep(_ decide: (PortRegistry) throws -> PortIntegration) async throws -> PortIntegration {
    try await store.change { transaction in
      let integration = try decide(transaction.registry)
      transaction.apply([.putIntegration(integration)])
      return integration
    }
  }

  private func show(
    _ integration: PortIntegration, _ request: Request, status: HTTPResponse.Status = .ok
  ) -> Response {
    .json(["ok": true, "integration": integration.json(at: request.origin)], status: status)
  }
}

extension HTTPField.Name {
  // A valid field name: the initialiser refuses only characters that a header cannot carry.
  fileprivate static let skipResync = HTTPField.Name("x-skip-resync")!
}
