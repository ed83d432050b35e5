/// An integration: an installation of Port's framework Ocean, or of another exporter, that tells Port of itself and keeps
/// its mapping there. The document is kept as it was sent, with Port's stamps.
///
/// Members that the published document does not have are those that Ocean's client sends and reads (Ocean 0.48.12,
/// `clients/port/mixins/integrations.py`).
struct PortIntegration: Sendable {
  let identifier: String
  /// Port's JSON of it, but for the addresses of ``json(at:)``.
  private(set) var document: JSONValue

  private static let texts = ["title", "installationAppType", "version", "pinnedVersion"]
  private static let objects = ["config", "spec", "changelogDestination"]
  private static let flags = ["actionsProcessingEnabled", "incrementalSyncEnabled", "arePortResourcesInitialized"]

  /// Reads a document, as sent or as stored.
  init(_ document: JSONValue) throws(PortFailure) {
    guard case .object = document else { throw .invalid("body must be object") }
    guard let identifier = document["installationId"].string, Self.isIdentifier(identifier) else {
      throw .invalid("body/installationId must be a text of 1 to 100 characters without white space")
    }
    for name in Self.texts where !document[name].isNull && document[name].string == nil {
      throw .invalid("body/\(name) must be string")
    }
    for name in Self.objects where !document[name].isNull && document[name].object == nil {
      throw .invalid("body/\(name) must be object")
    }
    for name in Self.flags where !document[name].isNull && document[name].bool == nil {
      throw .invalid("body/\(name) must be boolean")
    }
    guard document["changelogDestination"]["type"].isNull else {
      throw .invalid("body/changelogDestination/type: the sandbox sends no changes; let the integration poll")
    }
    guard document["createPortResourcesOrigin"] != "Port" else {
      throw .invalid("body/createPortResourcesOrigin: the sandbox makes no blueprints for integrations")
    }
    self.identifier = identifier
    self.document = document
  }

  private static func isIdentifier(_ text: String) -> Bool {
    (1...100).contains(text.count)
      && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.properties.generalCategory != .control }
  }

  /// The same with the stamps of a write.
  func stamped(_ stamp: PortStamp, replacing old: PortIntegration?) -> PortIntegration {
    var copy = self
    copy.document["identifier"] = .string(identifier)
    // Ocean stops where it finds itself installed otherwise than it runs; it does not say how it is.
    copy.document["installationType"] = "OnPrem"
    copy.document["createdAt"] = old?.document["createdAt"] ?? .string(stamp.time)
    copy.document["createdBy"] = old?.document["createdBy"] ?? .string(stamp.author)
    copy.document["updatedAt"] = .string(stamp.time)
    copy.document["updatedBy"] = .string(stamp.author)
    return copy
  }

  /// What Port answers. Ocean sends its logs and its metrics to the addresses in it.
  ///
  /// - Parameter origin: of the sandbox, as the client calls it.
  func json(at origin: String) -> JSONValue {
    var members = document.object ?? [:]
    members["_resyncRequestedAt"] = nil
    for name in ["logAttributes", "metricAttributes"] {
      members[name] = [
        "ingestUrl": .string("\(origin)\(Self.ingestPath)/\(name == "logAttributes" ? "logs" : "metrics")")
      ]
    }
    return .object(members)
  }

  /// Where ``json(at:)`` has logs and metrics sent.
  static let ingestPath = "/_sandbox/ingest"
}

extension PortIntegration {
  /// When somebody last asked for a resync; null where nobody has.
  var resyncRequestedAt: JSONValue { document["_resyncRequestedAt"] }

  /// The same with `changes` to its members, which leave its identifier alone.
  func changed(
    _ changes: [String: JSONValue], requestsResync: Bool, _ stamp: PortStamp
  ) throws(PortFailure) -> PortIntegration {
    var document = document
    for (name, value) in changes where name != "installationId" { document[name] = value }
    if requestsResync { document["_resyncRequestedAt"] = .string(stamp.time) }
    return try PortIntegration(document).stamped(stamp, replacing: self)
  }
}
