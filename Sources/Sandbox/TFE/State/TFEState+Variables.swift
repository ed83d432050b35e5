extension TFEState {
  func variableList(workspace id: String) throws -> JSONValue {
    _ = try workspace(id)
    return JSONAPI.document(.array(variables(of: id).map { resource($0) }))
  }

  /// A workspace's variables in the order in which they were made.
  func variables(of workspaceID: String) -> [Variable] {
    variables.all.values.filter { $0.workspaceID == workspaceID }.sorted { $0.sequence < $1.sequence }
  }

  func createVariable(workspace id: String, _ document: JSONValue) throws -> JSONValue {
    _ = try workspace(id)
    let attributes = document["data"]["attributes"]
    var variable = Variable(
      id: Identifier.make("var"), sequence: nextSequence(), workspaceID: id, key: "", value: "", description: "",
      category: "", hcl: false, sensitive: false)
    guard !attributes["key"].isNull else { throw APIError.invalid("key", "Key can't be blank") }
    guard !attributes["category"].isNull else { throw APIError.invalid("category", "Category can't be blank") }
    try change(&variable, attributes)
    variables.set(variable)
    return JSONAPI.document(resource(variable))
  }

  func variableDocument(workspace id: String, _ variableID: String) throws -> JSONValue {
    JSONAPI.document(resource(try variable(workspace: id, variableID)))
  }

  func updateVariable(workspace id: String, _ variableID: String, _ document: JSONValue) throws -> JSONValue {
    var variable = try variable(workspace: id, variableID)
    let attributes = document["data"]["attributes"]
    if variable.sensitive, attributes["sensitive"].bool == false {
      throw APIError.invalid("sensitive", "Sensitive variables cannot be made non-sensitive: delete and create it anew")
    }
    try change(&variable, attributes)
    variables.set(variable)
    return JSONAPI.document(resource(variable))
  }

  func deleteVariable(workspace id: String, _ variableID: String) throws {
    variables.remove(try variable(workspace: id, variableID).id)
  }

  private func variable(workspace id: String, _ variableID: String) throws -> Variable {
    guard let variable = variables[variableID], variable.workspaceID == id else { throw APIError.notFound }
    return variable
  }

  private func change(_ variable: inout Variable, _ attributes: JSONValue) throws {
    if !attributes["category"].isNull {
      guard let category = attributes["category"].string, ["terraform", "env"].contains(category) else {
        throw APIError.invalid("category", "Category must be terraform or env")
      }
      variable.category = category
    }
    if !attributes["key"].isNull {
      guard let key = attributes["key"].string, key.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_-]*/#) != nil else {
        throw APIError.invalid("key", "Key can only contain letters, numbers, underscores, and hyphens")
      }
      variable.key = key
    }
    if !attributes["value"].isNull {
      guard let value = attributes["value"].string else { throw APIError.invalid("value", "Value must be a string") }
      variable.value = value
    }
    if let description = attributes["description"].string { variable.description = description }
    if let hcl = attributes["hcl"].bool { variable.hcl = hcl }
    if let sensitive = attributes["sensitive"].bool { variable.sensitive = sensitive }
    guard variable.category == "terraform" || !variable.value.contains("\0") else {
      throw APIError.invalid("value", "Value must not contain NUL")
    }
    let others = variables.all.values.filter { $0.workspaceID == variable.workspaceID && $0.id != variable.id }
    guard !others.contains(where: { $0.key == variable.key && $0.category == variable.category }) else {
      throw APIError.invalid("key", "Key has already been taken")
    }
  }
}
