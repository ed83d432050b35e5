import FoundationEssentials

/// Who runs an action, and from where.
struct PortCaller: Sendable {
  let userID: String
  let email: String
  /// `UI` or `API`.
  let source: String
}

extension PortRegistry {
  /// How many runs that have ended are kept.
  static let maximumEndedRuns = 1000

  func run(_ id: String) throws(PortFailure) -> PortActionRun {
    guard let run = runs[id] else { throw .notFound("Action run", id) }
    return run
  }

  /// The runs, newest first.
  var runsByAge: [PortActionRun] { runs.values.sorted { $0.number > $1.number } }

  /// What running an action leads to. `body` is `{properties, entity?}`.
  func running(
    _ identifier: String, _ body: JSONValue, by caller: PortCaller, _ stamp: PortStamp, now: Date
  ) throws(PortFailure) -> (PortActionRun, [Change]) {
    let action = try action(identifier)
    guard action.isPublished else { throw .invalid("Action \"\(identifier)\" is not published") }
    guard body.object?["properties"] != nil else { throw .invalid("body must have required property 'properties'") }
    let inputs = try action.inputs.values(body["properties"])
    let entity = try self.entity(for: action, body["entity"], now: now)
    let blueprint = action.blueprint.flatMap { blueprints[$0] }
    let user: JSONValue = [
      "id": .string(caller.userID), "email": .string(caller.email), "firstName": "", "lastName": "", "type": "Standard",
    ]
    let run = PortActionRun(
      id: PortIdentifier.random("r_"), number: (runs.values.map(\.number).max() ?? 0) + 1,
      action: PortActionRun.head(of: action.document),
      blueprint: blueprint.map { PortActionRun.head(of: $0.document) } ?? nil,
      entity: entity.map { PortActionRun.head(of: $0.json) } ?? nil, properties: .object(inputs), source: caller.source,
      requiredApproval: action.requiredApproval, invocation: action.webhook.document,
      context: [
        "inputs": .object(inputs), "entity": entity?.json ?? [:],
        "trigger": [
          "by": ["orgId": "org_sandbox", "userId": .string(caller.userID), "user": user],
          "origin": .string(caller.source), "at": .string(stamp.time), "operation": .string(action.operation.rawValue),
        ],
        "action": [
          "identifier": .string(identifier), "blueprint": .init(action.blueprint), "encryptedProperties": [],
        ],
      ],
      createdAt: stamp.time, createdBy: caller.userID, updatedAt: stamp.time, updatedBy: caller.userID,
      status: action.needsApproval ? .waitingForApproval : .inProgress, isPending: !action.needsApproval)
    let ended = runsByAge.filter(\.status.isFinal)
    return (run, [.putRun(run)] + ended.dropFirst(Self.maximumEndedRuns - 1).map { .removeRun($0.id) })
  }

  private func entity(for action: PortAction, _ sent: JSONValue, now: Date) throws(PortFailure) -> PortEntity? {
    guard sent.isNull || sent.string != nil else { throw .invalid("body/entity must be string") }
    guard action.operation != .create else {
      guard sent.isNull else { throw .invalid("body/entity: action \"\(action.identifier)\" runs on no entity") }
      return nil
    }
    guard let blueprint = action.blueprint else { return nil }
    guard let identifier = sent.string else {
      throw .invalid("body must have required property 'entity': action \"\(action.identifier)\" runs on one")
    }
    let entity = try entity(identifier, of: blueprint)
    guard action.applies(to: entity, in: self, now: now) else {
      throw .invalid(
        "Action \"\(action.identifier)\" does not apply to \"\(identifier)\" now: its condition does not hold")
    }
    return entity
  }

  /// A run changed by what its backend reports: `{status?, statusLabel?, link?, summary?, externalRunId?, message?}`.
  func changing(run id: String, _ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> PortActionRun {
    var run = try openRun(id)
    for name in ["statusLabel", "summary", "externalRunId"] where !body[name].isNull {
      guard body[name].string != nil else { throw .invalid("body/\(name) must be string") }
    }
    if let label = body["statusLabel"].string { run.statusLabel = label }
    if let summary = body["summary"].string { run.summary = summary }
    if let external = body["externalRunId"].string { run.externalRunID = external }
    switch body["link"] {
    case .null: break
    case .string(let link): run.links = [link]
    case .array(let links) where links.allSatisfy({ $0.string != nil }): run.links = links.compactMap(\.string)
    default: throw .invalid("body/link must be string or array of strings")
    }
    if !body["message"].isNull {
      guard body["message"].object != nil else { throw .invalid("body/message must be object") }
      run.message = body["message"]
    }
    run.touch(stamp)
    if let status = try Self.end(body["status"], "status") { run.end(status, stamp) }
    return run
  }

  /// A line for a run's log, and what it makes of the run: `{message, terminationStatus?, statusLabel?}`.
  func logging(_ id: String, _ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> (PortRunLog, PortActionRun) {
    var run = try openRun(id)
    guard let message = body["message"].string else { throw .invalid("body must have required property 'message'") }
    guard body["statusLabel"].isNull || body["statusLabel"].string != nil else {
      throw .invalid("body/statusLabel must be string")
    }
    if let label = body["statusLabel"].string { run.statusLabel = label }
    run.touch(stamp)
    if let status = try Self.end(body["terminationStatus"], "terminationStatus") { run.end(status, stamp) }
    return (nextLine(message, of: id, stamp), run)
  }

  func nextLine(_ message: String, of id: String, _ stamp: PortStamp) -> PortRunLog {
    PortRunLog(message, of: id, number: (runLogs[id]?.last?.number ?? 0) + 1, stamp)
  }

  private static func end(_ sent: JSONValue, _ name: String) throws(PortFailure) -> PortActionRun.Status? {
    if sent.isNull { return nil }
    guard let status = sent.string.flatMap(PortActionRun.Status.init), [.success, .failure].contains(status) else {
      throw .invalid("body/\(name) must be equal to one of the allowed values: SUCCESS, FAILURE")
    }
    return status
  }

  /// A run that may still change. What Port answers for one that has ended is not documented.
  private func openRun(_ id: String) throws(PortFailure) -> PortActionRun {
    let run = try run(id)
    guard !run.status.isFinal else {
      throw .conflict("run_ended", "Action run \"\(id)\" has ended with \(run.status.rawValue) and cannot be changed")
    }
    return run
  }

  /// A run approved or declined: `{status: APPROVE | DECLINE, description?}`. One approval is enough.
  func deciding(run id: String, _ body: JSONValue, _ stamp: PortStamp) throws(PortFailure) -> PortActionRun {
    var run = try run(id)
    guard run.status == .waitingForApproval else {
      throw .conflict("not_waiting", "Action run \"\(id)\" does not wait for an approval: it is \(run.status.rawValue)")
    }
    guard let decision = body["status"].string, ["APPROVE", "DECLINE"].contains(decision) else {
      throw .invalid("body/status must be equal to one of the allowed values: DECLINE, APPROVE")
    }
    var approval: JSONValue = [
      "state": .string(decision == "APPROVE" ? "APPROVED" : "DECLINED"), "userId": .string(stamp.author),
    ]
    if !body["description"].isNull {
      guard body["description"].string != nil else { throw .invalid("body/description must be string") }
      approval["description"] = body["description"]
    }
    run.approval = approval
    if decision == "APPROVE" {
      run.status = .inProgress
      run.isPending = true
      run.touch(stamp)
    } else {
      run.end(.declined, stamp)
    }
    return run
  }

  /// Refuses to tie a write to a run that does not take it: Port ties only while the run is in progress.
  func checkTie(to runID: String?) throws(PortFailure) {
    guard let runID else { return }
    let run = try run(runID)
    guard run.status == .inProgress else {
      throw .invalid("querystring/run_id: action run \"\(runID)\" is \(run.status.rawValue), not IN_PROGRESS")
    }
  }

  /// The run that caused a write, with the entity that it touched; nothing where there is none.
  func tying(to identifier: String, of blueprint: String, _ action: String, _ stamp: PortStamp) -> [Change] {
    guard let runID = stamp.run, var run = runs[runID] else { return [] }
    run.entities.removeAll { $0["identifier"].string == identifier && $0["blueprint"].string == blueprint }
    run.entities.append([
      "identifier": .string(identifier), "blueprint": .string(blueprint), "action": .string(action),
    ])
    run.touch(stamp)
    return [.putRun(run)]
  }
}

extension PortActionRun {
  /// `{identifier, title, icon}`, as runs show what they belong to.
  static func head(of document: JSONValue) -> JSONValue {
    ["identifier": document["identifier"], "title": document["title"], "icon": document["icon"]]
  }
}
