import Foundation
import Testing

/// The steps of a story, over PORC's API.
extension DevServer {
  /// Submits a blueprint and answers the run's id.
  func submit(_ blueprint: JSON, at location: SourceLocation = #_sourceLocation) async throws -> String {
    let answer = try await porc.post("/runs", blueprint).expecting(201, at: location)
    return try #require(answer.json["run_id"].string)
  }

  /// Asks for a step; it must be accepted.
  @discardableResult
  func ask(
    _ step: String, _ run: String, _ body: JSON? = nil, at location: SourceLocation = #_sourceLocation
  ) async throws -> JSON {
    try await porc.post("/runs/\(run)/\(step)", body).expecting(202, at: location).json
  }

  func status(_ run: String) async throws -> JSON { try await porc.get("/runs/\(run)/status").expecting(200).json }
  func summary(_ run: String) async throws -> JSON { try await porc.get("/runs/\(run)/summary").expecting(200).json }

  /// Waits, by the API's long poll, until a run is in one of these states.
  @discardableResult
  func until(
    _ run: String, is states: String..., at location: SourceLocation = #_sourceLocation
  ) async throws -> JSON {
    try await until(run, at: location, "\(states)") { states.contains($0["status"].string ?? "") }
  }

  @discardableResult
  func until(
    _ run: String, at location: SourceLocation = #_sourceLocation, _ what: String, _ isSo: (JSON) -> Bool
  ) async throws -> JSON {
    try await Self.until(run, at: location, what, on: porc, isSo)
  }

  @discardableResult
  static func until(
    _ run: String, at location: SourceLocation = #_sourceLocation, _ what: String, on porc: API,
    _ isSo: (JSON) -> Bool
  ) async throws -> JSON {
    let deadline = ContinuousClock.now + .seconds(40)
    var tag: String?
    var status = JSON.null
    while ContinuousClock.now < deadline {
      let answer = try await porc.get(
        "/runs/\(run)/status?wait=5", headers: tag.map { ["If-None-Match": $0] } ?? ["If-None-Match": "\"none\""])
      if answer.status == 304 { continue }
      status = try answer.expecting(200, at: location).json
      tag = answer.header("ETag")
      if isSo(status) { return status }
      guard status["is_final"] != true else {
        let summary = try await porc.get("/runs/\(run)").text
        Issue.record("\(run) ended before it was \(what): \(summary)", sourceLocation: location)
        break
      }
    }
    throw NeverHappened(description: "\(run) was never \(what): \(status)")
  }

  /// Plans a run and waits for its plan.
  @discardableResult
  func plan(_ run: String, _ body: JSON? = nil, at location: SourceLocation = #_sourceLocation) async throws -> JSON {
    try await ask("plan", run, body, at: location)
    return try await until(run, is: "planned", at: location)
  }

  /// Applies the plan that a run shows and waits for the end.
  @discardableResult
  func apply(_ run: String, at location: SourceLocation = #_sourceLocation) async throws -> JSON {
    try await ask("apply", run, ["tfe_run_id": try await status(run)["tfe_run_id"]], at: location)
    return try await until(run, is: "applied", at: location)
  }

  /// A blueprint all the way to what it describes.
  @discardableResult
  func deploy(_ blueprint: JSON, at location: SourceLocation = #_sourceLocation) async throws -> String {
    let run = try await submit(blueprint, at: location)
    try await plan(run, at: location)
    try await apply(run, at: location)
    return run
  }

  /// Plans the removal of an instance and answers the run's id.
  func planDestroy(_ instance: String, at location: SourceLocation = #_sourceLocation) async throws -> String {
    let answer = try await porc.post("/instances/\(instance)/destroy").expecting(201, at: location)
    let run = try #require(answer.json["run_id"].string)
    try await until(run, is: "planned", at: location)
    return run
  }

  /// The names of a run's events, in order.
  func events(_ run: String) async throws -> [String] {
    try await porc.get("/runs/\(run)/events").expecting(200).json["events"].array.compactMap { $0["type"].string }
  }
}

/// What Port shows.
extension DevServer {
  func entity(_ identifier: String, of blueprint: String = "blueprint_instance") async throws -> JSON? {
    try await port.entity(identifier, of: blueprint)
  }

  /// Reads Port until an instance's entity has these properties, null meaning none.
  ///
  /// - Returns: all its properties that have a value.
  @discardableResult
  func shows(
    _ instance: String, _ expected: [String: JSON], within limit: Duration = .seconds(10),
    at location: SourceLocation = #_sourceLocation
  ) async throws -> [String: JSON] {
    try await port.shows(instance, expected, within: limit, at: location)
  }
}

extension API {
  func entity(_ identifier: String, of blueprint: String = "blueprint_instance") async throws -> JSON? {
    let answer = try await get("/v1/blueprints/\(blueprint)/entities/\(identifier)")
    return answer.status == 404 ? nil : try answer.expecting(200).json["entity"]
  }

  @discardableResult
  func shows(
    _ instance: String, _ expected: [String: JSON], within limit: Duration = .seconds(10),
    at location: SourceLocation = #_sourceLocation
  ) async throws -> [String: JSON] {
    let deadline = ContinuousClock.now + limit
    while true {
      let properties = try await entity(instance)?["properties"].present ?? [:]
      let wrong = expected.filter { (properties[$0.key] ?? .null) != $0.value }
      if wrong.isEmpty { return properties }
      if ContinuousClock.now > deadline {
        Issue.record("Port shows \(properties) of \(instance), not \(wrong)", sourceLocation: location)
        return properties
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

/// What TFE was asked and what it has.
extension DevServer {
  /// Every call to TFE so far that changed something there, e.g. `POST /api/v2/runs`.
  func tfeWrites() async throws -> [String] { try await tfe.writes() }

  /// The calls to TFE that made a run, with the plan that each was for: `porc-…/1`.
  func tfeRunsMade() async throws -> [String] { try await tfe.runsMade() }

  func tfeStatus(_ run: String) async throws -> String? {
    try await tfe.get("/api/v2/runs/\(run)").json["data"]["attributes"]["status"].string
  }
}

extension API {
  /// - Parameter sequence: only those after it.
  func requests(after sequence: Int = 0) async throws -> [JSON] {
    try await get("/_sandbox/requests?after=\(sequence)&limit=100000").expecting(200).json["requests"].array
  }

  func writes() async throws -> [String] {
    try await requests().filter { $0["method"] != "GET" }
      .map { "\($0["method"].string ?? "") \($0["path"].string ?? "")" }
  }

  func runsMade() async throws -> [String] { try await requests().runsMade }

  /// All TFE runs of the organization.
  func runs() async throws -> [(id: String, message: String, status: String)] {
    var runs: [(id: String, message: String, status: String)] = []
    var next: Int? = 1
    while let page = next {
      let list = try await get("/api/v2/organizations/acme/runs?page%5Bsize%5D=100&page%5Bnumber%5D=\(page)")
        .expecting(200).json
      for run in list["data"].array {
        let attributes = run["attributes"]
        runs.append((run["id"].string ?? "", attributes["message"].string ?? "", attributes["status"].string ?? ""))
      }
      next = list["meta"]["pagination"]["next-page"].number.map { Int($0) }
    }
    return runs
  }
}

/// Calls that TFE was asked, as its log has them.
extension [JSON] {
  /// The messages of the runs that they made.
  var runsMade: [String] {
    filter { $0["method"] == "POST" && $0["path"] == "/api/v2/runs" && $0["status"] == 201 }
      .compactMap { record in
        guard let body = record["body"].string.flatMap({ try? JSON(Data($0.utf8)) }) else { return nil }
        return body["data"]["attributes"]["message"].string
      }
  }

  /// The number of the last of them; 0 for none.
  var lastSequence: Int { last?["sequence"].number.map { Int($0) } ?? 0 }

  /// The runs whose apply they confirmed.
  var confirmations: [String] {
    compactMap { record in
      guard record["method"] == "POST", record["status"] == 202, let path = record["path"].string,
        path.hasSuffix("/actions/apply")
      else { return nil }
      return path.split(separator: "/").dropLast(2).last.map(String.init)
    }
  }
}
