import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// What is deployed, and its removal.
struct InstanceRoutes: Sendable {
  let store: any Store
  let views: RunViews
  let submissions: Submissions
  let buttons: Buttons

  func register(in routes: Routes) {
    routes.get("/instances", needs: .read, list)
    routes.get("/instances/{instance_id}", needs: .read, show)
    routes.write("/instances/{instance_id}/destroy", needs: .destroy, by: buttons, destroy)
  }

  @Sendable private func list(_ request: Request, _ context: PorcContext) async throws -> Response {
    try request.allowQuery("limit", "cursor")
    let limit = try request.query("limit", in: 1...200, default: 50)
    let cursor = request.query("cursor").map { Instance.ID($0) }
    let found = try await store.instances(after: cursor, limit: limit + 1)
    var bodies: [InstanceBody] = []
    for situation in found.prefix(limit) { bodies.append(try await views.instance(situation)) }
    return try .json(
      InstanceList(instances: bodies, nextCursor: found.count > limit ? bodies.last?.identifier : nil))
  }

  @Sendable private func show(_ request: Request, _ context: PorcContext) async throws -> Response {
    let id = Instance.ID(try context.parameters.require("instance_id"))
    guard let situation = try await store.situation(of: id) else { throw Submissions.unknown(id) }
    return try .json(try await views.instance(situation))
  }

  @Sendable private func destroy(_ write: WriteRequest, _ context: PorcContext) async throws -> Response {
    let id = Instance.ID(try context.parameters.require("instance_id"))
    let body = try write.body(PlanBody.self, PlanBody.CodingKeys.self)
    if body.apply == true { try write.require(.apply) }
    let wish = PlanRequest(
      by: write.caller, key: write.key?.key, supersedes: body.supersede ?? false,
      appliesAutomatically: body.apply ?? false)
    let views = views
    let destroyed = try await submissions.destroy(id, request: wish) { run in
      write.record(for: run) { situation, now, fingerprint in
        try RunRoutes.created(situation, run: run, views, [], now).stored(fingerprint: fingerprint)
      }
    }
    return try RunRoutes.created(
      destroyed.recorded.situation, run: destroyed.run, views, [], destroyed.recorded.now
    ).response
  }
}
