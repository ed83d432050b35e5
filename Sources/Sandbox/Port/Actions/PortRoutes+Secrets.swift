import Hummingbird

extension PortRoutes {
  func addSecrets(to router: Router<BasicRequestContext>) {
    router.get("/v1/organization/secrets") { _, _ in
      let secrets = store.read { $0.secrets.values.sorted { $0.name < $1.name } }
      return Response.json(["ok": true, "secrets": .array(secrets.map(\.json))])
    }
    router.get("/v1/organization/secrets/:secret") { _, context in
      let secret = try store.read { try $0.secret(context.path("secret")) }
      return Response.json(["ok": true, "secret": secret.json])
    }
    router.post("/v1/organization/secrets") { request, _ in
      let body = try await closedBody(request, ["secretName", "secretValue", "description"])
      let secret = try await store.change { transaction in
        let secret = try transaction.registry.creating(secret: body, stamp(request))
        transaction.apply([.putSecret(secret)])
        return secret
      }
      return Response.json(["ok": true, "secret": secret.json], status: .created)
    }
    router.patch("/v1/organization/secrets/:secret") { request, context in
      let body = try await closedBody(request, ["secretValue", "description"])
      let secret = try await store.change { transaction in
        var secret = try transaction.registry.secret(context.path("secret"))
        try secret.take(body, stamp(request))
        transaction.apply([.putSecret(secret)])
        return secret
      }
      return Response.json(["ok": true, "secret": secret.json])
    }
    router.delete("/v1/organization/secrets/:secret") { _, context in
      try await store.change { transaction in
        let secret = try transaction.registry.secret(context.path("secret"))
        transaction.apply([.removeSecret(secret.name)])
      }
      return Response.json(["ok": true])
    }
  }
}
