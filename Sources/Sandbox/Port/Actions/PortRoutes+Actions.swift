import Hummingbird

extension PortRoutes {
  func addActions(to router: Router<BasicRequestContext>) {
    router.get("/v1/actions") { request, _ in
      let query = request.query
      let actions = store.read { registry in
        registry.actions.values.filter { isWanted($0, query) }.sorted { $0.identifier < $1.identifier }
      }
      return Response.json(["ok": true, "actions": .array(actions.map(\.document))])
    }
    router.get("/v1/actions/:action") { _, context in
      let action = try store.read { try $0.action(context.path("action")) }
      return Response.json(["ok": true, "action": action.document])
    }
    router.post("/v1/actions") { request, _ in
      let body = try await body(request)
      let action = try await store.change { transaction in
        let (action, changes) = try transaction.registry.creating(action: body, stamp(request))
        transaction.apply(changes)
        return action
      }
      return Response.json(["ok": true, "action": action.document], status: .created)
    }
    router.put("/v1/actions/:action") { request, context in
      let body = try await body(request)
      let action = try await store.change { transaction in
        let (action, changes) = try transaction.registry.changing(
          action: context.path("action"), to: body, stamp(request))
        transaction.apply(changes)
        return action
      }
      return Response.json(["ok": true, "action": action.document])
    }
    router.delete("/v1/actions/:action") { _, context in
      try await store.change { transaction in
        let action = try transaction.registry.action(context.path("action"))
        transaction.apply([.removeAction(action.identifier)])
      }
      return Response.json(["ok": true])
    }
    router.post("/v1/actions/:action/runs", use: run)
  }

  private func isWanted(_ action: PortAction, _ query: Query) -> Bool {
    func fits(_ name: String, _ value: String?) -> Bool {
      query.strings(name).map { value.map($0.contains) ?? false } ?? true
    }
    return fits("action_identifier", action.identifier) && fits("blueprint_identifier", action.blueprint)
      && fits("operation", action.operation.rawValue) && fits("trigger_type", "self-service")
      && query["published"].map { $0 == String(action.isPublished) } ?? true && query.strings("trigger_event") == nil
  }

  /// `{properties, entity?}` → 202 `{ok, run}`. The webhook is sent in the background.
  @Sendable private func run(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let body = try await closedBody(request, ["properties", "entity"])
    let stamp = stamp(request)
    let email = request.query["run_as"]
    guard email.map({ PropertyCheck.problem(.string($0), ["format": "email"]) == nil }) ?? true else {
      throw PortFailure.invalid("querystring/run_as must match format \"email\"")
    }
    let caller = PortCaller(
      userID: email ?? stamp.author, email: email ?? "\(stamp.author)@\(PortSandbox.userDomain)", source: "API")
    let run = try await start(context.path("action"), body, by: caller, stamp)
    return .json(["ok": true, "run": run.json], status: .accepted)
  }

  /// Makes a run and hands it to the sender.
  func start(
    _ action: String, _ body: JSONValue, by caller: PortCaller, _ stamp: PortStamp
  ) async throws -> PortActionRun {
    let now = now()
    let run = try await store.change { transaction in
      let (run, changes) = try transaction.registry.running(action, body, by: caller, stamp, now: now)
      transaction.apply(changes)
      return run
    }
    if run.isPending { sender.send(run.id) }
    return run
  }
}
