import Hummingbird

extension PortRoutes {
  func addRuns(to router: Router<BasicRequestContext>) {
    router.get("/v1/actions/runs", use: listRuns)
    router.get("/v1/actions/runs/:run") { _, context in
      let run = try store.read { try $0.run(context.path("run")) }
      return Response.json(["ok": true, "run": run.json])
    }
    router.patch("/v1/actions/runs/:run") { request, context in
      let body = try await closedBody(
        request, ["status", "statusLabel", "link", "summary", "externalRunId", "message"])
      let run = try await changeRun { registry in
        try registry.changing(run: context.path("run"), body, stamp(request))
      }
      return Response.json(["ok": true, "run": run.json])
    }
    // Port's agent and Ocean store here what the backend answered; the document does not have it.
    router.patch("/v1/actions/runs/:run/response") { request, context in
      let body = try await closedBody(request, ["response"])
      let run = try await changeRun { registry in
        var run = try registry.run(context.path("run"))
        run.response = body["response"]
        run.touch(stamp(request))
        return run
      }
      return Response.json(["ok": true, "run": run.json])
    }
    router.patch("/v1/actions/runs/:run/approval") { request, context in
      let body = try await closedBody(request, ["status", "description"])
      let run = try await decide(context.path("run"), body, stamp(request))
      return Response.json(["ok": true, "run": run.json], status: .created)
    }
    router.get("/v1/actions/runs/:run/approvers") { _, context in
      let approval = try store.read { try $0.run(context.path("run")).approval }
      return Response.json(["ok": true, "approvers": approval.isNull ? [] : [approval]])
    }
    router.post("/v1/actions/runs/:run/logs") { request, context in
      let body = try await closedBody(request, ["message", "terminationStatus", "statusLabel"])
      let log = try await store.change { transaction in
        let (log, run) = try transaction.registry.logging(context.path("run"), body, stamp(request))
        transaction.apply([.addLog(log), .putRun(run)])
        return log
      }
      return Response.json(["ok": true, "runLog": log.json], status: .created)
    }
    router.get("/v1/actions/runs/:run/logs") { request, context in
      let limit = try request.query.number("limit", in: 1...50) ?? 50
      let offset = try request.query.number("offset", in: 0...Int.max) ?? 0
      let logs = try store.read { registry in
        let run = try registry.run(context.path("run"))
        return registry.runLogs[run.id] ?? []
      }
      return Response.json(["ok": true, "runLogs": .array(logs.dropFirst(offset).prefix(limit).map(\.json))])
    }
  }

  private func changeRun(
    _ decide: (PortRegistry) throws -> PortActionRun
  ) async throws -> PortActionRun {
    try await store.change { transaction in
      let run = try decide(transaction.registry)
      transaction.apply([.putRun(run)])
      return run
    }
  }

  /// Approves or declines a run; an approved one is sent.
  func decide(_ id: String, _ body: JSONValue, _ stamp: PortStamp) async throws -> PortActionRun {
    let run = try await changeRun { registry in try registry.deciding(run: id, body, stamp) }
    if run.isPending { sender.send(run.id) }
    return run
  }

  /// Newest first.
  @Sendable private func listRuns(_ request: Request, _: BasicRequestContext) async throws -> Response {
    let query = request.query
    let limit = try query.number("limit", in: 1...1000) ?? 1000
    let isActive = query["active"] == nil ? nil : try query.flag("active")
    let excluded = query.strings("exclude") ?? []
    let runs = store.read { registry in
      registry.runsByAge.filter { run in
        func fits(_ name: String, _ value: String?) -> Bool { query[name].map { $0 == value } ?? true }
        return fits("entity", run.entity["identifier"].string) && fits("blueprint", run.blueprint["identifier"].string)
          && fits("action", run.action["identifier"].string) && fits("external_run_id", run.externalRunID)
          && fits("user_id", run.createdBy)
          && fits("user_email", run.context["trigger"]["by"]["user"]["email"].string)
          && query.strings("source").map { $0.contains(run.source) } ?? true
          && isActive.map { $0 != run.status.isFinal } ?? true
      }
    }
    let shown = runs.prefix(limit).map { run in
      JSONValue.object((run.json.object ?? [:]).filter { !excluded.contains($0.key) })
    }
    return .json(["ok": true, "runs": .array(shown)])
  }
}
