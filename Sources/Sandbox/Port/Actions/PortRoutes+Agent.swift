import Hummingbird

/// How Port's agent polls; Port keeps these routes to itself. Their shape is that of port-agent's client (2026-05,
/// `app/port_client.py`) and Ocean's (0.48.12, `clients/port/mixins/actions.py`).
extension PortRoutes {
  func addAgent(to router: Router<BasicRequestContext>) {
    router.post("/v1/actions/runs/claim-pending") { request, _ in
      let body = try await body(request)
      let now = now()
      let (runs, secrets) = try await store.change { transaction in
        let runs = try transaction.registry.claiming(body, now: now)
        transaction.apply(runs.map { .putRun($0) })
        return (runs, transaction.registry.secrets)
      }
      return Response.json(["ok": true, "runs": .array(try runs.map { try shown($0, secrets) })])
    }
    router.patch("/v1/actions/runs/ack") { request, _ in
      let body = try await body(request)
      let runs = try await store.change { transaction in
        let runs = try transaction.registry.acknowledging(body, stamp(request))
        transaction.apply(runs.map { .putRun($0) })
        return runs
      }
      return Response.json(["ok": true, "ackedCount": .init(runs.count)])
    }
    // The agent asks for both in turn, and waits longer and longer where one is refused. The sandbox runs no workflows.
    router.post("/v1/workflows/runs/claim-pending") { _, _ in Response.json(["ok": true, "nodeRuns": []]) }
  }

  /// A run with what is to be sent as it is, secrets included. The agent takes a body for granted.
  private func shown(_ run: PortActionRun, _ secrets: [String: PortSecret]) throws -> JSONValue {
    var document = run.json
    document["payload"] = try WebhookSender.delivery(of: run, secrets.mapValues { .string($0.value) }).shown
    if document["payload"]["body"].isNull { document["payload"]["body"] = [:] }
    return document
  }
}
