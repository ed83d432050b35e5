import Hummingbird

extension TFERoutes {
  func addChecks(to api: API) {
    let state = state
    api.on(.get, "/runs/:id/task-stages") { call in
      .ok(try await state.taskStageList(run: call.id, query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.get, "/task-stages/:id") { call in
      .ok(try await state.taskStageDocument(call.id, query: call.query, origin: call.origin))
    }
    api.on(.post, "/task-stages/:id/actions/override") { call in
      try await state.overrideTaskStage(call.id)
      return .ok(try await state.taskStageDocument(call.id, query: Query(nil), origin: call.origin))
    }
    api.on(.get, "/task-stages/:id/policy-evaluations") { call in
      .ok(try await state.policyEvaluationList(taskStage: call.id, query: call.query, url: call.url))
    }
    api.on(.get, "/policy-evaluations/:id/policy-set-outcomes") { call in
      .ok(try await state.policySetOutcomeList(evaluation: call.id, query: call.query, url: call.url))
    }
    api.on(.get, "/policy-set-outcomes/:id") { call in .ok(try await state.policySetOutcomeDocument(call.id)) }

    api.on(.get, "/cost-estimates/:id") { call in .ok(try await state.costEstimateDocument(call.id)) }

    api.on(.get, "/runs/:id/policy-checks") { call in
      .ok(try await state.policyCheckList(run: call.id, query: call.query, origin: call.origin, url: call.url))
    }
    api.on(.get, "/policy-checks/:id") { call in
      .ok(try await state.policyCheckDocument(call.id, query: call.query, origin: call.origin))
    }
    api.group.get("/policy-checks/:id/output") { request, context -> Response in
      let output = try await state.policyCheckOutput(Call(request, context).id)
      return .bytes(Array(output.utf8), "text/plain; charset=utf-8")
    }
    api.on(.post, "/policy-checks/:id/actions/override") { call in
      try await state.overridePolicyCheck(call.id)
      return .ok(try await state.policyCheckDocument(call.id, query: Query(nil), origin: call.origin))
    }
  }
}
