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
    try request.allowQuery("name", "status", "limit", "cursor")
    let name = request.query("name")
    let status = try request.choice("status", Template.Status.self)
    let limit = try request.query("limit", in: 1...1000, default: 200)
    let cursor = try request.query("cursor").map(TemplateCursor.init)
    let found = try await catalog.templates().lazy.filter {
      (name == nil || $0.name == name) && (status == nil || $0.status == status)
        && (cursor == nil || cursor?.isBefore($0) == true)
    }.prefix(limit + 1)
    let page = Array(found)
    return try .json(
      TemplateList(
        templates: page.prefix(limit).map(TemplateBody.init),
        nextCursor: page.count > limit ? page[limit - 1].modulePath : nil))
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

/// The place of a page's last template in the order of the list: it holds when that template is gone, too.
private struct TemplateCursor {
  let name: String
  let version: Version

  init(_ text: String) throws {
    let parts = text.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let version = Version(parts[1]) else {
      throw Fault(
        .malformedRequest, "The cursor '\(text)' is none of this list.",
        fix: "Send the next_cursor of the page before, or none for the first page.")
    }
    (name, self.version) = (String(parts[0]), version)
  }

  /// By name, then by version, newest first.
  func isBefore(_ template: Template) -> Bool {
    name != template.name ? name < template.name : template.version < version
  }
}
