/// Port's actions: what people can start in the portal, and the automations beside them. The API's version 2.
public struct Actions: Sendable {
  let session: Session

  private struct One: Decodable { let action: Portal.Action }
  private struct All: Decodable { let actions: [Portal.Action] }
  private static let version = [(name: "version", value: "v2")]

  /// Every action and automation of the organization; the route has no pages, and Port's document gives its answer no
  /// shape. `GET /v1/actions`
  public func list() async throws -> [Portal.Action] {
    try await session.send(try Request(.get, ["actions"], query: Self.version)).decode(All.self).actions
  }

  /// One action, or nil where Port has none with this identifier. `GET /v1/actions/{identifier}`
  public func get(_ identifier: String) async throws -> Portal.Action? {
    do {
      let request = try Request(.get, ["actions", identifier], query: Self.version)
      return try await session.send(request).decode(One.self).action
    } catch let error as PortError where error.saysNotFound {
      return nil
    }
  }

  /// Creates an action; 409 where it exists. The blueprint that it belongs to must exist. `POST /v1/actions`
  ///
  /// Repeated only after a 429, since an answer that was lost would make the repetition a 409.
  public func create(_ action: Portal.Action) async throws {
    try await session.send(try Request(.post, ["actions"], json: action, repetition: .onlyIfRefused)).acknowledge()
  }

  /// Replaces an action as a whole: what `action` does not name is gone; 404 where it is absent.
  /// `PUT /v1/actions/{identifier}`
  public func replace(_ action: Portal.Action) async throws {
    try await session.send(try Request(.put, ["actions", action.identifier], json: action)).acknowledge()
  }

  /// Deletes an action. `DELETE /v1/actions/{identifier}`
  ///
  /// - Returns: false where Port had no such action, also because an earlier attempt's answer was lost.
  @discardableResult
  public func delete(_ identifier: String) async throws -> Bool {
    do {
      try await session.send(try Request(.delete, ["actions", identifier])).acknowledge()
      return true
    } catch let error as PortError where error.saysNotFound {
      return false
    }
  }
}
