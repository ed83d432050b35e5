extension PortRegistry {
  func integration(_ identifier: String) throws(PortFailure) -> PortIntegration {
    guard let integration = integrations[identifier] else { throw .notFound("Integration", identifier) }
    return integration
  }

  /// A new integration.
  func creating(integration document: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> PortIntegration {
    let integration = try PortIntegration(document)
    guard integrations[integration.identifier] == nil else {
      throw .conflict("already_exists", "Integration with identifier \"\(integration.identifier)\" already exists")
    }
    return integration.stamped(stamp, replacing: nil)
  }

  /// An integration changed in what is sent. An empty body asks for a resync (Port's OpenAPI document, "Update an
  /// integration"), and so does another mapping.
  func changing(
    integration identifier: String, _ body: JSONValue, skipsResync: Bool = false, _ stamp: PortStamp
  ) throws(PortFailure) -> PortIntegration {
    let old = try integration(identifier)
    guard body.isNull || body.object != nil else { throw .invalid("body must be object") }
    let sent = body.object ?? [:]
    let requestsResync = !skipsResync && (sent.isEmpty || sent["config"] != nil)
    return try old.changed(sent, requestsResync: requestsResync, stamp)
  }

  /// An integration with what it tells of its resync. What is not told stays.
  ///
  /// Both `updatedAt` are one: Ocean tells its own change from one of the mapping by that they are equal (Ocean 0.12.9,
  /// `core/event_listener/polling.py`).
  func resyncing(integration identifier: String, _ body: JSONValue, _ stamp: PortStamp) throws(PortFailure)
    -> PortIntegration
  {
    let old = try integration(identifier)
    guard let sent = body.object else { throw .invalid("body must be object") }
    var state = old.document["resyncState"]
    for (name, value) in sent { state[name] = value }
    state["updatedAt"] = .string(stamp.time)
    return try old.changed(["resyncState": state], requestsResync: false, stamp)
  }
}
