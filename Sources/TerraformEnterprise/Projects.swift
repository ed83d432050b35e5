/// A project: a group of workspaces within an organization.
public struct Project: Sendable, Hashable, Identifiable, Resource {
  /// `prj-…`
  public let id: String
  /// 3 to 40 letters, digits, spaces, `-` and `_`; unique in the organization.
  public let name: String
  /// What it is for.
  public let description: String?

  init(_ source: ResourceSource) throws {
    id = source.id
    name = try source.require("name")
    description = try source.optional("description")
  }
}

/// Calls of the Projects API.
public struct ProjectsService: Sendable {
  let client: Client

  /// `GET /organizations/ORG/projects`, all or those of the given names, which are compared without case.
  public func list(organization: String, names: [String] = [], pageSize: Int = 100) -> PagedList<Project> {
    var call = Call(.get, "organizations", organization, "projects")
    if !names.isEmpty { call.query.append(("filter[names]", names.joined(separator: ","))) }
    return client.pages(call, pageSize: pageSize)
  }

  /// `GET /projects/ID`.
  public func read(_ id: String) async throws -> Project {
    try await client.fetch(Call(.get, "projects", id))
  }

  /// `POST /organizations/ORG/projects`. A name that is taken is a 422.
  public func create(organization: String, name: String, description: String? = nil) async throws -> Project {
    let document = RequestDocument(
      type: "projects", attributes: ["name": .string(name), "description": description.map(JSONValue.string)])
    return try await client.fetch(Call(.post, "organizations", organization, "projects").with(document))
  }
}

extension Client {
  /// Calls of the Projects API.
  public var projects: ProjectsService { ProjectsService(client: self) }
}
