/// What a variable is for.
public struct VariableCategory: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  /// A Terraform input variable.
  public static let terraform: VariableCategory = "terraform"
  /// An environment variable of Terraform's process.
  public static let env: VariableCategory = "env"
}

/// A variable of a workspace.
public struct Variable: Sendable, Hashable, Identifiable, Resource {
  /// `var-…`
  public let id: String
  /// Its name.
  public let key: String
  /// Its value; `nil` for a sensitive one, which nobody can read.
  public let value: String?
  /// What it is for, in words.
  public let description: String?
  /// What it is for.
  public let category: VariableCategory
  /// Whether the value is an HCL expression instead of text.
  public let isHCL: Bool
  /// Whether the value can only be written.
  public let isSensitive: Bool

  init(_ source: ResourceSource) throws {
    id = source.id
    key = try source.require("key")
    isSensitive = try source.flag("sensitive")
    // A sensitive value is null; were it ever sent, it would not be kept here.
    value = isSensitive ? nil : try source.optional("value")
    description = try source.optional("description")
    category = try source.require("category")
    isHCL = try source.flag("hcl")
  }
}

/// What to set on a variable; what is `nil` is not sent.
public struct VariableSettings: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// Its name. Required to create one.
  public var key: String?
  /// Its value.
  public var value: String?
  /// What it is for, in words; the API's `description`.
  public var note: String?
  /// What it is for. Required to create one.
  public var category: VariableCategory?
  /// Whether the value is an HCL expression instead of text.
  public var isHCL: Bool?
  /// Whether the value can only be written. Cannot be unset: delete the variable and create it anew.
  public var isSensitive: Bool?

  /// Settings of a variable.
  public init(
    key: String? = nil, value: String? = nil, category: VariableCategory? = nil, isHCL: Bool? = nil,
    isSensitive: Bool? = nil, note: String? = nil
  ) {
    self.key = key
    self.value = value
    self.note = note
    self.category = category
    self.isHCL = isHCL
    self.isSensitive = isSensitive
  }

  /// The name alone: the value may be a secret.
  public var description: String { "variable \(key ?? "?")" }
  /// Nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }

  func document(id: String?) -> RequestDocument {
    RequestDocument(
      type: "vars", id: id,
      attributes: [
        "key": key.map(JSONValue.string), "value": value.map(JSONValue.string),
        "description": note.map(JSONValue.string), "category": category.map { .string($0.rawValue) },
        "hcl": isHCL.map(JSONValue.bool), "sensitive": isSensitive.map(JSONValue.bool),
      ])
  }
}

/// Calls of the Workspace Variables API. There is no bulk call.
public struct VariablesService: Sendable {
  let client: Client

  /// `GET /workspaces/ID/vars`: all of them.
  public func list(workspace id: String) async throws -> [Variable] {
    try await client.fetchAll(Call(.get, "workspaces", id, "vars"))
  }

  /// `POST /workspaces/ID/vars`. A key that is taken within its category is a 422.
  public func create(workspace id: String, _ settings: VariableSettings) async throws -> Variable {
    try await client.fetch(Call(.post, "workspaces", id, "vars").with(settings.document(id: nil)))
  }

  /// `PATCH /workspaces/ID/vars/VAR`: changes what is set.
  public func update(
    workspace id: String, variable: Variable.ID, _ settings: VariableSettings
  ) async throws -> Variable {
    try await client.fetch(Call(.patch, "workspaces", id, "vars", variable).with(settings.document(id: variable)))
  }

  /// `DELETE /workspaces/ID/vars/VAR`.
  public func delete(workspace id: String, variable: Variable.ID) async throws {
    _ = try await client.send(Call(.delete, "workspaces", id, "vars", variable))
  }
}

extension Client {
  /// Calls of the Workspace Variables API.
  public var variables: VariablesService { VariablesService(client: self) }
}
