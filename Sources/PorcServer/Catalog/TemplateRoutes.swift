import Foundation
import HCL
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// The templates that can be had.
struct TemplateRoutes: Sendable {
  let store: any Store
  let catalog: CatalogCache

  func register(in routes: Routes) {
    routes.get("/templates", needs: .read, list)
    routes.get("/templates/{template_id}", needs: .read, show)
    routes.get("/templates/{template_id}/schema", needs: .read, schema)
  }

  @Sendable private func list(_ request: Request, _ context: PorcContext) async throws -> Response {
    try request.allowQuery("name", "status")
    let name = request.query("name")
    let status = try request.choice("status", Template.Status.self)
    let templates = try await catalog.templates().filter {
      (name == nil || $0.name == name) && (status == nil || $0.status == status)
    }
    return try .json(TemplateList(templates: templates.map(TemplateBody.init)))
  }

  @Sendable private func show(_ request: Request, _ context: PorcContext) async throws -> Response {
    try .json(TemplateBody(await template(in: context)))
  }

  @Sendable private func schema(_ request: Request, _ context: PorcContext) async throws -> Response {
    let schema = BlueprintSchema.schema(for: try await template(in: context))
    return .bytes(Data(schema.json(prettyPrinted: true).utf8), type: BlueprintSchema.mediaType)
  }

  private func template(in context: PorcContext) async throws -> Template {
    let id = try context.parameters.require("template_id")
    guard let template = try await store.template(Template.ID(id)) else {
      throw Fault(.notFound, "There is no template '\(id)'.", fix: "List them with pine templates.")
    }
    return template
  }
}
