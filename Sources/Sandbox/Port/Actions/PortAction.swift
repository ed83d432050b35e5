import FoundationEssentials

/// A self-service action: a button of the portal, and the webhook that it sends. The document is kept as it was sent,
/// with Port's stamps.
///
/// Automations, other backends than webhooks, and values of inputs that jq would compute are refused when the action is
/// saved: they would silently do nothing.
struct PortAction: Sendable {
  enum Operation: String, Sendable {
    case create = "CREATE"
    case dayTwo = "DAY-2"
    case delete = "DELETE"
  }

  let identifier: String
  /// Port's JSON of it.
  private(set) var document: JSONValue
  let operation: Operation
  /// The blueprint whose entities it works on.
  let blueprint: String?
  let inputs: PortActionInputs
  /// What an entity must be like for the action to apply to it.
  let condition: PortQuery?
  let webhook: PortWebhook
  /// False, true, `{type: ANY}` or `{type: ALL}`.
  let requiredApproval: JSONValue
  let isPublished: Bool

  var title: String { document["title"].string ?? identifier }
  var needsApproval: Bool { !requiredApproval.isNull && requiredApproval != false }

  private static let members = [
    "identifier", "title", "icon", "description", "trigger", "invocationMethod", "requiredApproval",
    "approvalNotification", "publish", "allowAnyoneToViewRuns",
  ]
  private static let stamps = ["id", "createdAt", "createdBy", "updatedAt", "updatedBy"]

  /// Reads a document, as sent or as stored.
  init(_ document: JSONValue) throws(PortFailure) {
    try document.checkMembers(Self.members + Self.stamps, at: "body")
    guard let identifier = document["identifier"].string, PortIdentifier.isAction(identifier) else {
      throw .invalid("body/identifier must be an action identifier")
    }
    for name in ["title", "icon", "description"] {
      guard document[name].isNull || document[name].string != nil else { throw .invalid("body/\(name) must be string") }
    }
    for name in ["publish", "allowAnyoneToViewRuns"] {
      guard document[name].isNull || document[name].bool != nil else { throw .invalid("body/\(name) must be boolean") }
    }
    let trigger = document["trigger"]
    guard trigger["type"] == "self-service" else {
      throw .invalid("body/trigger/type must be self-service; the sandbox runs no automations")
    }
    guard let operation = trigger["operation"].string.flatMap(Operation.init) else {
      throw .invalid("body/trigger/operation must be equal to one of the allowed values: CREATE, DAY-2, DELETE")
    }
    try Self.check(trigger, operation)
    self.identifier = identifier
    self.document = document
    self.operation = operation
    blueprint = trigger["blueprintIdentifier"].string
    inputs = try PortActionInputs(trigger["userInputs"], at: "body/trigger/userInputs")
    condition = trigger["condition"].isNull ? nil : try Self.condition(trigger["condition"])
    webhook = try PortWebhook(document["invocationMethod"], at: "body/invocationMethod")
    requiredApproval = try Self.approval(document["requiredApproval"])
    isPublished = document["publish"].bool ?? true
  }

  private static func check(_ trigger: JSONValue, _ operation: Operation) throws(PortFailure) {
    let members = [
      "operation", "type", "blueprintIdentifier", "userInputs", "actionCardButtonText", "executeActionButtonText",
    ]
    try trigger.checkMembers(operation == .create ? members : members + ["condition"], at: "body/trigger")
    guard trigger["blueprintIdentifier"].isNull || trigger["blueprintIdentifier"].string != nil else {
      throw .invalid("body/trigger/blueprintIdentifier must be string")
    }
    if !trigger["condition"].isNull, trigger["blueprintIdentifier"].isNull {
      throw .invalid("body/trigger must have property 'blueprintIdentifier' when property 'condition' is present")
    }
    for name in ["actionCardButtonText", "executeActionButtonText"] where !trigger[name].isNull {
      guard let text = trigger[name].string, (2...15).contains(text.count),
        text.first?.isWhitespace == false, text.last?.isWhitespace == false
      else { throw .invalid("body/trigger/\(name) must be a text of 2 to 15 characters without space around it") }
    }
  }

  /// `{type: SEARCH, combinator, rules}`
  private static func condition(_ document: JSONValue) throws(PortFailure) -> PortQuery {
    try document.checkMembers(["type", "rules", "combinator"], at: "body/trigger/condition")
    guard document["type"] == "SEARCH" else { throw .invalid("body/trigger/condition/type must be SEARCH") }
    return try PortQuery(document)
  }

  private static func approval(_ document: JSONValue) throws(PortFailure) -> JSONValue {
    switch document {
    case .null: return false
    case .bool: return document
    case .object where ["ANY", "ALL"].contains(document["type"].string):
      try document.checkMembers(["type"], at: "body/requiredApproval")
      return document
    default: throw .invalid("body/requiredApproval must be boolean, or an object whose 'type' is ANY or ALL")
    }
  }

  /// The same with the stamps of a write.
  func stamped(_ stamp: PortStamp, replacing old: PortAction?) -> PortAction {
    var copy = self
    copy.document["id"] = old?.document["id"] ?? .string(PortIdentifier.random("action_"))
    copy.document["createdAt"] = old?.document["createdAt"] ?? .string(stamp.time)
    copy.document["createdBy"] = old?.document["createdBy"] ?? .string(stamp.author)
    copy.document["updatedAt"] = .string(stamp.time)
    copy.document["updatedBy"] = .string(stamp.author)
    return copy
  }

  /// Whether it can be run on an entity as that is now.
  func applies(to entity: PortEntity, in registry: PortRegistry, now: Date) -> Bool {
    isPublished && operation != .create && entity.blueprint == blueprint
      && (condition.map { $0.matches(entity, in: registry, now: now) } ?? true)
  }
}

extension JSONValue {
  /// Refuses what is no object, or has other members than these.
  func checkMembers(_ allowed: [String], at place: String) throws(PortFailure) {
    guard let members = object else { throw .invalid("\(place) must be object") }
    for name in members.keys.sorted() where !allowed.contains(name) {
      throw .invalid("\(place) must NOT have additional property '\(name)'")
    }
  }
}
