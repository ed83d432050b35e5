extension PortRegistry {
  func action(_ identifier: String) throws(PortFailure) -> PortAction {
    guard let action = actions[identifier] else { throw .notFound("Action", identifier) }
    return action
  }

  /// A new action.
  func creating(action document: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> (PortAction, [Change]) {
    let action = try PortAction(document)
    guard actions[action.identifier] == nil else {
      throw .conflict("already_exists", "Action with identifier \"\(action.identifier)\" already exists")
    }
    return try saving(action, replacing: nil, stamp)
  }

  /// An action replaced by `document`.
  func changing(
    action identifier: String, to document: JSONValue, _ stamp: PortStamp
  ) throws(PortFailure) -> (PortAction, [Change]) {
    let old = try action(identifier)
    let new = try PortAction(document)
    guard new.identifier == identifier else { throw .invalid("The sandbox does not rename actions") }
    return try saving(new, replacing: old, stamp)
  }

  private func saving(
    _ action: PortAction, replacing old: PortAction?, _ stamp: PortStamp
  ) throws(PortFailure) -> (PortAction, [Change]) {
    if let blueprint = action.blueprint { _ = try self.blueprint(blueprint) }
    let stamped = action.stamped(stamp, replacing: old)
    return (stamped, [.putAction(stamped)])
  }

  func secret(_ name: String) throws(PortFailure) -> PortSecret {
    guard let secret = secrets[name] else { throw .notFound("Secret", name) }
    return secret
  }

  func creating(secret body: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> PortSecret {
    let secret = try PortSecret(body, stamp)
    guard secrets[secret.name] == nil else {
      throw .conflict("already_exists", "Secret with name \"\(secret.name)\" already exists")
    }
    return secret
  }
}
