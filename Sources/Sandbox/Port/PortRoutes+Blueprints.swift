import Hummingbird

extension PortRoutes {
  func addBlueprints(to router: Router<BasicRequestContext>) {
    router.get("/v1/blueprints") { _, _ in
      let documents = store.read { $0.blueprints.values.sorted { $0.identifier < $1.identifier }.map(\.document) }
      return Response.json(["ok": true, "blueprints": .array(documents)])
    }
    router.get("/v1/blueprints/:blueprint") { _, context in
      let blueprint = try store.read { try $0.blueprint(context.path("blueprint")) }
      return Response.json(["ok": true, "blueprint": blueprint.document])
    }
    router.post("/v1/blueprints") { request, _ in
      let body = try await body(request)
      let blueprint = try await store.change { transaction in
        let (blueprint, changes) = try transaction.registry.creating(body, stamp(request))
        transaction.apply(changes)
        return blueprint
      }
      return Response.json(["ok": true, "blueprint": blueprint.document], status: .created)
    }
    router.put("/v1/blueprints/:blueprint") { try await change($0, $1, merging: false) }
    router.patch("/v1/blueprints/:blueprint") { try await change($0, $1, merging: true) }
    router.delete("/v1/blueprints/:blueprint") { _, context in
      try await store.change { transaction in
        transaction.apply(try transaction.registry.removing(blueprint: context.path("blueprint")))
      }
      return Response.json(["ok": true])
    }
  }

  private func change(_ request: Request, _ context: BasicRequestContext, merging: Bool) async throws -> Response {
    let body = try await body(request)
    let blueprint = try await store.change { transaction in
      let (blueprint, changes) = try transaction.registry.changing(
        context.path("blueprint"), to: body, merging: merging, stamp(request))
      transaction.apply(changes)
      return blueprint
    }
    return .json(["ok": true, "blueprint": blueprint.document])
  }
}
