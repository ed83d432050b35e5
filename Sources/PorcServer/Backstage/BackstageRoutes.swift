import Foundation
import HCL
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// What Backstage reads its catalog from. Its reader of URLs sends no credentials, so the token may be in the path.
struct BackstageRoutes: Sendable {
  let feed: BackstageFeed
  let tokens: TokenLookup
  let model: BackstageModel

  func register(in routes: Routes) {
    for format in [BackstageSnapshot.Format.yaml, .json] {
      let name = "catalog-info.\(format.rawValue)"
      routes.get("/backstage/{token}/\(name)", needs: nil) { request, context in
        try await admit(context)
        return try await answer(request, format)
      }
      // For an entity provider, which can send a header.
      routes.get("/backstage/\(name)", needs: .read) { request, _ in try await answer(request, format) }
    }
    routes.get("/backstage/{token}/pages/{pages}/{page}", needs: nil) { request, context in
      try await admit(context)
      return try await page(request, context)
    }
  }

  /// - Throws: a fault unless the path has a token that may read and nothing else: what is in an address is in logs and
  ///   histories that PORC knows nothing of.
  private func admit(_ context: PorcContext) async throws {
    let advice = "Make one for this: porc token create backstage --scope read."
    guard let token = try await tokens.token(try context.parameters.require("token")) else {
      throw Fault(.notSignedIn, "The token in the path is unknown or was revoked.", fix: advice)
    }
    guard Set(token.scopes) == [.read] else {
      throw Fault(
        .forbidden, "The token '\(token.name)' may do more than read, so it must not be in a path.", fix: advice)
    }
  }

  private func answer(_ request: Request, _ format: BackstageSnapshot.Format) async throws -> Response {
    var query = try filters(request, format == .json ? ["limit", "cursor"] : [])
    if format == .json {
      if request.query("limit") != nil { query.limit = try request.query("limit", in: 1...10_000, default: 1) }
      query.cursor = try request.query("cursor").map { text in
        guard let key = RenderedEntity.Key(cursor: text) else {
          throw Fault(
            .malformedRequest, "The cursor '\(text.prefix(80))' is none of this feed.",
            fix: "Send the 'next' of the page before, or none for the first page.")
        }
        return key
      }
    }
    return try await feed.snapshot().response(query, format, unlessKnown: request.headers[.ifNoneMatch])
  }

  /// `/pages/16/location.yaml` names the pages `1.yaml` to `16.yaml` beside it. An entity is always on the same one, so that
  /// it never is on two of them while Backstage reads one after the other.
  private func page(_ request: Request, _ context: PorcContext) async throws -> Response {
    var query = try filters(request)
    let document = try context.parameters.require("page")
    guard let count = Int(try context.parameters.require("pages")), (1...1000).contains(count) else {
      throw Fault(.notFound, "The feed has 1 to 1000 pages.", fix: "Name their number: /pages/16/location.yaml.")
    }
    guard document != "location.yaml" else {
      let location = BackstageSnapshot([RenderedEntity(model.location(pages: count))])
      return location.response(BackstageQuery(), .yaml, unlessKnown: request.headers[.ifNoneMatch])
    }
    guard document.hasSuffix(".yaml"), let number = Int(document.dropLast(5)), (1...count).contains(number) else {
      throw Fault(.notFound, "There is no such page.", fix: "See location.yaml beside it for those there are.")
    }
    query.page = .init(number: number, count: count)
    return try await feed.snapshot().response(query, .yaml, unlessKnown: request.headers[.ifNoneMatch])
  }

  private func filters(_ request: Request, _ others: [String] = []) throws -> BackstageQuery {
    try request.allowQuery(["kind", "templates", "instances"] + others)
    var query = BackstageQuery()
    if let text = request.query("kind") {
      let kinds: [BackstageEntity.Kind] = [.system, .component, .resource]
      guard let kind = kinds.first(where: { $0.rawValue == text.lowercased() }) else {
        throw Fault(
          .malformedRequest, "'kind' is none of \(kinds.map(\.rawValue).joined(separator: ", ")).",
          fix: "Use one of them.")
      }
      query.kind = kind
    }
    query.hasTemplates = try request.flag("templates") ?? true
    query.hasInstances = try request.flag("instances") ?? true
    return query
  }
}

extension Request {
  fileprivate func flag(_ name: String) throws -> Bool? {
    switch query(name) {
    case nil: return nil
    case "true", "yes": return true
    case "false", "no": return false
    default:
      throw Fault(.malformedRequest, "'\(name)' is neither 'true' nor 'false'.", fix: "Use one of them.")
    }
  }
}
