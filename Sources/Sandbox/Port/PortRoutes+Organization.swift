import Hummingbird

extension PortRoutes {
  func addOrganization(to router: Router<BasicRequestContext>) {
    // Ocean looks for the flags of features that Port has given to some (Ocean 0.48.12, `clients/port/mixins/organization.py`).
    router.get("/v1/organization") { _, _ in
      let streamer = store.read(\.agentStreamer)
      return Response.json([
        "ok": true,
        "organization": [
          "id": "org_sandbox", "name": "Sandbox", "featureFlags": [],
          "settings": ["portAgentStreamerName": .string(streamer.rawValue)],
        ],
      ])
    }
    router.patch("/v1/organization") { request, _ in
      let settings = try await closedBody(request, ["settings"])["settings"]
      try settings.checkMembers(["portAgentStreamerName"], at: "body/settings")
      guard let streamer = settings["portAgentStreamerName"].string.flatMap(PortAgentStreamer.init) else {
        throw PortFailure.invalid(
          "body/settings/portAgentStreamerName must be equal to one of the allowed values: KAFKA, POLLING")
      }
      let left = try await store.change { transaction in
        let hasPolled = transaction.registry.agentStreamer == .polling
        transaction.apply([.setAgentStreamer(streamer)])
        return hasPolled && streamer == .kafka ? transaction.registry.runsForAgent : []
      }
      for run in left { sender.send(run.id) }
      return Response.json(["ok": true])
    }
  }
}
