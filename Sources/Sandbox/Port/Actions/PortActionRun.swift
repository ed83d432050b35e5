/// One run of an action, from the press to what its backend reports.
struct PortActionRun: Sendable {
  enum Status: String, Sendable {
    case waitingForApproval = "WAITING_FOR_APPROVAL"
    case inProgress = "IN_PROGRESS"
    case declined = "DECLINED"
    case success = "SUCCESS"
    case failure = "FAILURE"

    /// Whether nothing changes a run any more.
    var isFinal: Bool { self == .declined || self == .success || self == .failure }
  }

  let id: String
  /// Runs are numbered as they are made.
  let number: Int
  /// `{identifier, title, icon}` of the action.
  let action: JSONValue
  let blueprint: JSONValue
  let entity: JSONValue
  let properties: JSONValue
  /// `UI` or `API`.
  let source: String
  let requiredApproval: JSONValue
  /// The webhook as the action had it when the run was made.
  let invocation: JSONValue
  /// What its templates see, but for the secrets.
  let context: JSONValue
  let createdAt: String
  let createdBy: String
  var updatedAt: String
  var updatedBy: String
  var endedAt: String?
  var status: Status
  var statusLabel: String?
  var links: [String] = []
  var summary: String?
  var externalRunID: String?
  var message = JSONValue.null
  /// `{state, description?, userId?}` once somebody has decided.
  var approval = JSONValue.null
  /// What was sent, with the secrets masked.
  var payload = JSONValue.null
  /// What a synchronized backend answered.
  var response = JSONValue.null
  /// Whether the webhook is still to be sent.
  var isPending: Bool
  /// Until when an agent has it for itself.
  var claimedUntil: String?
  /// `{blueprint, identifier, action}` of the entities that were changed with its `run_id`, each once.
  var entities: [JSONValue] = []

  /// Ends it; does nothing where it has ended.
  mutating func end(_ status: Status, _ stamp: PortStamp) {
    guard !self.status.isFinal else { return }
    self.status = status
    isPending = false
    claimedUntil = nil
    endedAt = stamp.time
    touch(stamp)
  }

  mutating func touch(_ stamp: PortStamp) { (updatedAt, updatedBy) = (stamp.time, stamp.author) }
}

extension PortActionRun {
  /// Port's JSON of it.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "id": .string(id), "action": action, "properties": properties, "source": .string(source),
      "requiredApproval": requiredApproval, "status": .string(status.rawValue), "statusLabel": .init(statusLabel),
      "link": .array(links.map { .string($0) }), "approval": approval, "payload": payload,
      "pendingExecution": .bool(isPending), "createdAt": .string(createdAt), "createdBy": .string(createdBy),
      "updatedAt": .string(updatedAt), "updatedBy": .string(updatedBy), "entities": .array(entities),
    ]
    for (name, value) in [
      ("blueprint", blueprint), ("entity", entity), ("endedAt", .init(endedAt)), ("summary", .init(summary)),
      ("externalRunId", .init(externalRunID)), ("message", message), ("response", response),
      ("claimedUntil", .init(claimedUntil)),
    ] where !value.isNull { members[name] = value }
    return .object(members)
  }

  /// What is kept: ``json``, and what nobody is shown.
  var stored: JSONValue {
    var document = json
    document["_number"] = .init(number)
    document["_invocation"] = invocation
    document["_context"] = context
    return document
  }

  /// Reads ``stored`` back.
  init?(_ stored: JSONValue) {
    guard let id = stored["id"].string, let status = stored["status"].string.flatMap(Status.init) else { return nil }
    self.id = id
    self.status = status
    number = stored["_number"].int ?? 0
    invocation = stored["_invocation"]
    context = stored["_context"]
    action = stored["action"]
    blueprint = stored["blueprint"]
    entity = stored["entity"]
    properties = stored["properties"]
    source = stored["source"].string ?? "API"
    requiredApproval = stored["requiredApproval"]
    (createdAt, createdBy) = (stored["createdAt"].string ?? "", stored["createdBy"].string ?? "")
    (updatedAt, updatedBy) = (stored["updatedAt"].string ?? "", stored["updatedBy"].string ?? "")
    endedAt = stored["endedAt"].string
    statusLabel = stored["statusLabel"].string
    links = (stored["link"].array ?? []).compactMap(\.string)
    summary = stored["summary"].string
    externalRunID = stored["externalRunId"].string
    message = stored["message"]
    approval = stored["approval"]
    payload = stored["payload"]
    response = stored["response"]
    isPending = stored["pendingExecution"].bool ?? false
    claimedUntil = stored["claimedUntil"].string
    entities = stored["entities"].array ?? []
  }
}

/// A line of a run's log.
struct PortRunLog: Sendable {
  let id: String
  let runID: String
  /// The lines of a run are numbered from 1.
  let number: Int
  let message: String
  let createdAt: String
  let createdBy: String

  init(_ message: String, of runID: String, number: Int, _ stamp: PortStamp) {
    id = PortIdentifier.random("log_")
    (self.message, self.runID, self.number) = (message, runID, number)
    (createdAt, createdBy) = (stamp.time, stamp.author)
  }

  var json: JSONValue {
    [
      "id": .string(id), "runId": .string(runID), "message": .string(message), "createdAt": .string(createdAt),
      "createdBy": .string(createdBy),
    ]
  }

  var stored: JSONValue {
    var document = json
    document["_number"] = .init(number)
    return document
  }

  /// Reads ``stored`` back.
  init?(_ stored: JSONValue) {
    guard let id = stored["id"].string, let runID = stored["runId"].string else { return nil }
    (self.id, self.runID) = (id, runID)
    number = stored["_number"].int ?? 0
    message = stored["message"].string ?? ""
    (createdAt, createdBy) = (stored["createdAt"].string ?? "", stored["createdBy"].string ?? "")
  }
}
