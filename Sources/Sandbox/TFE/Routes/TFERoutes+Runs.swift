import HTTPTypes
import Hummingbird

extension TFERoutes {
  func addRuns(to api: API) {
    let state = state
    api.on(.get, "/workspaces/:id/runs") { call in
      .ok(try await state.runList(workspace: call.id, query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.post, "/runs") { call in
      let id = try await state.createRun(call.json(), source: call.runSource, isPlain: call.isOfRemoteBackend)
      return .created(try await state.runDocument(id, query: Query(nil), origin: call.origin))
    }
    api.on(.get, "/runs/:id") { call in
      .ok(try await state.runDocument(call.id, query: call.query, origin: call.origin))
    }
    api.on(.get, "/runs/:id/run-events") { call in .ok(try await state.eventList(run: call.id)) }
    api.on(.get, "/run-events/:id") { call in .ok(try await state.eventDocument(call.id)) }
    api.on(.get, "/runs/:id/comments") { call in .ok(try await state.commentList(run: call.id)) }
    api.on(.post, "/runs/:id/comments") { call in .created(try await state.createComment(run: call.id, call.json())) }
    api.on(.get, "/comments/:id") { call in .ok(try await state.commentDocument(call.id)) }
    let actions: [(String, @Sendable (String) async throws -> Void)] = [
      ("apply", { try await state.applyRun($0) }), ("discard", { try await state.discardRun($0) }),
      ("cancel", { try await state.cancelRun($0) }), ("force-cancel", { try await state.forceCancelRun($0) }),
      ("force-execute", { try await state.forceExecuteRun($0) }),
    ]
    for (name, action) in actions {
      api.on(.post, "/runs/:id/actions/\(name)") { call in
        let document = try await call.json()
        try await action(call.id)
        try await state.comment(on: call.id, ofAction: document)
        return .accepted
      }
    }
  }

  func addPlans(to api: API) {
    let (state, plans) = (state, plans)
    api.on(.get, "/plans/:id") { call in .ok(try await state.planDocument(call.id, origin: call.origin)) }
    api.on(.get, "/applies/:id") { call in .ok(try await state.applyDocument(call.id, origin: call.origin)) }
    let planOf: [(RouterPath, @Sendable (Call) async throws -> Run)] = [
      ("/plans/:id", { try await state.runOfPlan($0.id) }), ("/runs/:id/plan", { try await state.run($0.id) }),
    ]
    for (path, run) in planOf {
      // To a URL that is good for a minute, as with TFE; nothing yet while the plan is not finished.
      api.group.get(path.appendingPath("/json-output")) { request, context in
        let call = Call(request, context)
        let run = try await run(call)
        guard run.plan.status == .finished else { return Response(status: .noContent) }
        return .redirect(to: state.links.url(.planJSON, run.id, origin: call.origin), type: .temporary)
      }
      api.group.get(path.appendingPath("/json-output-redacted")) { request, context in
        let run = try await run(Call(request, context))
        guard run.plan.status == .finished else { return Response(status: .noContent) }
        return .bytes(try await plans.redacted(of: run.id), "application/json")
      }
    }
  }

  func addStates(to api: API) {
    let state = state
    api.on(.get, "/workspaces/:id/current-state-version") { call in
      let id = try await state.currentStateVersionID(workspace: call.id)
      return .ok(try await state.stateVersionDocument(id, query: call.query, origin: call.origin))
    }
    // All of them at once: the CLI does not page here.
    api.on(.get, "/workspaces/:id/current-state-version-outputs") { call in
      let version = try await state.stateVersion(state.currentStateVersionID(workspace: call.id))
      return .ok(JSONAPI.document(.array(try await state.outputs(of: version))))
    }
    api.on(.post, "/workspaces/:id/state-versions") { call in
      .created(try await state.createStateVersion(workspace: call.id, call.json(), origin: call.origin))
    }
    api.on(.patch, "/workspaces/:id/state-versions") { call in
      .created(try await state.rollBackState(workspace: call.id, call.json(), origin: call.origin))
    }
    api.on(.get, "/state-versions") { call in
      .ok(try await state.stateVersionList(query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.get, "/state-versions/:id") { call in
      .ok(try await state.stateVersionDocument(call.id, query: call.query, origin: call.origin))
    }
    api.on(.get, "/state-versions/:id/outputs") { call in
      let page = Page(call.query)
      let version = try await state.stateVersion(call.id)
      let outputs = version.status == .finalized ? try await state.outputs(of: version) : []
      return .ok(
        page.document(
          Array(page.slice(outputs)), of: outputs.count, included: [], url: call.url, query: call.query))
    }
    api.on(.get, "/state-version-outputs/:id") { call in .ok(try await state.outputDocument(call.id)) }
    let downloads: [(RouterPath, ObjectLinks.Kind, @Sendable (String) async throws -> String)] = [
      ("/configuration-versions/:id/download", .configuration, { try await state.configurationVersion($0).id }),
      ("/runs/:id/configuration-version/download", .configuration, { try await state.run($0).configurationVersionID }),
      ("/state-versions/:id/download", .state, { try await state.stateVersion($0).id }),
    ]
    for (path, kind, id) in downloads {
      api.group.get(path) { request, context -> Response in
        let call = Call(request, context)
        return .redirect(to: state.links.url(kind, try await id(call.id), origin: call.origin), type: .found)
      }
    }
  }
}

extension Call {
  private func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { request.headers[$0] } }

  /// The CLI says that it works with a `cloud` block.
  fileprivate var runSource: Run.Source { header("X-Terraform-Integration") == "cloud" ? .cloud : .api }

  /// The CLI says its version, and nothing else where it works with `backend "remote"`, which prints what it reads.
  fileprivate var isOfRemoteBackend: Bool {
    header("Terraform-Version") != nil && header("X-Terraform-Integration") == nil
  }
}

extension Response {
  static func bytes(_ bytes: [UInt8], _ contentType: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: contentType], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
