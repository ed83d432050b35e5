/// Port's blueprints: the kinds of entities in its catalog.
public struct Blueprints: Sendable {
  let session: Session

  private struct One: Decodable { let blueprint: Portal.Blueprint }
  private struct All: Decodable { let blueprints: [Portal.Blueprint] }

  /// Every blueprint of the organization; the route has no pages. `GET /v1/blueprints`
  public func list() async throws -> [Portal.Blueprint] {
    try await session.send(try Request(.get, ["blueprints"])).decode(All.self).blueprints
  }

  /// One blueprint, or nil where Port has none with this identifier. `GET /v1/blueprints/{identifier}`
  public func get(_ identifier: String) async throws -> Portal.Blueprint? {
    do {
      return try await session.send(try Request(.get, ["blueprints", identifier])).decode(One.self).blueprint
    } catch let error as PortError where error.saysNotFound {
      return nil
    }
  }

  /// Creates a blueprint; 409 where it exists. Blueprints that its relations point at must exist: for two that point at
  /// each other create both without relations, then ``update(_:_:)``. `POST /v1/blueprints`
  ///
  /// Repeated only after a 429, since an answer that was lost would make the repetition a 409.
  ///
  /// - Parameter catalogPage: whether Port also makes a page that lists the entities.
  @discardableResult
  public func create(_ blueprint: Portal.Blueprint, catalogPage: Bool = true) async throws -> Portal.Blueprint {
    let request = try Request(
      .post, ["blueprints"], query: [("create_catalog_page", "\(catalogPage)")], json: blueprint,
      repetition: .onlyIfRefused)
    return try await session.send(request).decode(One.self).blueprint
  }

  /// Changes the parts of a blueprint that `patch` names; 404 where it is absent. `PATCH /v1/blueprints/{identifier}`
  @discardableResult
  public func update(_ identifier: String, _ patch: Portal.Blueprint.Patch) async throws -> Portal.Blueprint {
    let request = try Request(.patch, ["blueprints", identifier], json: patch)
    return try await session.send(request).decode(One.self).blueprint
  }
}

extension PortError {
  /// Whether Port itself says that a thing does not exist. A 404 without its code may as well come from a proxy, or from
  /// a wrong base URL, and proves nothing.
  var saysNotFound: Bool { kind == .notFound && code == "not_found" }
}
