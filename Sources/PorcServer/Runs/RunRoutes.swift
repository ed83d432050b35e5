import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore

/// Submitting runs, the steps of a run, and what is shown of it.
struct RunRoutes: Sendable {
  let store: any Store
  let views: RunViews
  let submissions: Submissions
  let idempotency: Idempotency
  let buttons: Buttons
  let doorbell: Doorbell
  /// Status reads that wait for a change.
  let waits: Limit

  func register(in routes: Routes) {
    routes.post("/runs", needs: .submit, submit)
    routes.get("/runs", needs: .read, list)
    routes.get("/runs/{run_id}", needs: .read, summary)
    routes.get("/runs/{run_id}/summary", needs: .read, summary)
    routes.get("/runs/{run_id}/status", needs: .read, status)
    routes.write("/runs/{run_id}/build", needs: .plan, by: buttons) { try await command($0, $1) { _, _, _ in .build } }
    routes.write("/runs/{run_id}/plan", needs: .plan, by: buttons, plan)
    routes.write("/runs/{run_id}/apply", needs: .apply, by: buttons) { write, context in
      try await command(write, context) { body, seen, caller in .apply(tfeRunID: seen ?? body.tfeRunID, by: caller) }
    }
    routes.write("/runs/{run_id}/approve", needs: .approve, by: buttons) { write, context in
      try await command(write, context) { body, seen, caller in .approve(tfeRunID: seen ?? body.tfeRunID, by: caller) }
    }
    routes.write("/runs/{run_id}/discard", needs: .plan, by: buttons) { write, context in
      try await command(write, context) { body, seen, caller in .discard(tfeRunID: seen ?? body.tfeRunID, by: caller) }
    }
    routes.write("/runs/{run_id}/override", needs: .approve, by: buttons) { write, context in
      try await command(write, context) { body, seen, caller in
        .override(tfeRunID: seen ?? body.tfeRunID, by: caller, reason: body.reason ?? "")
      }
    }
    routes.write("/runs/{run_id}/cancel", needs: .plan, by: buttons, cancel)
  }

  // MARK: Submitting

  @Sendable private func submit(_ request: Request, _ context: PorcContext) async throws -> Response {
    let bytes = try await request.bodyBytes()
    let key = try idempotency.key(request, context, body: bytes)
    let views = views
    return try await idempotency.once(key) {
      let submitted = try await submissions.submit(bytes, as: try format(of: request), by: context.caller) { valid in
        key.map { key in
          Record.PendingAnswer(key: key) { situation, now in
            try Self.created(situation, run: situation.instance.newest, views, valid.warnings, now)
              .stored(fingerprint: key.fingerprint)
          }
        }
      }
      return try Self.created(
        submitted.recorded.situation, run: submitted.run, views, submitted.warnings, submitted.recorded.now
      ).response
    }
  }

  /// The answer to a submission; the same whether it is sent now or replayed later.
  static func created(
    _ situation: Situation, run id: Run.ID, _ views: RunViews, _ warnings: [Finding], _ now: Date
  ) throws -> CreatedAnswer {
    guard let run = situation.runs[id] else { throw Fault(.bug, "The run \(id) is not there.") }
    let located = Located(run: run, situation: situation, version: 0)
    // The portal has just been told what to show; it cannot have acknowledged it yet.
    let summary = RunSummary(
      run, status: views.status(located, at: now), in: situation,
      portal: PortalSummary(inSync: false, behindSince: now), tfeLink: nil, warnings: warnings.isEmpty ? nil : warnings)
    return CreatedAnswer(body: try JSONEncoder.porc.encode(summary), location: "/runs/\(id)")
  }

  private func format(of request: Request) throws -> DocumentText.Format {
    let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
    switch type.trimmingCharacters(in: .whitespaces) {
    case "application/json": return .json
    case "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml": return .yaml
    case "", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded": return .either
    default:
      throw Fault(
        .unsupportedMediaType, "A blueprint is JSON or YAML, not '\(type)'.",
        fix: "Send Content-Type: application/json or application/yaml.")
    }
  }

  // MARK: Steps

  @Sendable private func plan(_ write: WriteRequest, _ context: PorcContext) async throws -> Response {
    let body = try write.body(PlanBody.self, PlanBody.CodingKeys.self)
    if body.apply == true { try write.require(.apply) }
    let wish = PlanRequest(
      by: write.caller, key: write.key.map { "\($0.caller)/\($0.key)" }, supersedes: body.supersede ?? false,
      appliesAutomatically: body.apply ?? false)
    return try await decide(.plan(wish), write, try context.runID)
  }

  @Sendable private func cancel(_ write: WriteRequest, _ context: PorcContext) async throws -> Response {
    let body = try write.body(CancelBody.self, CancelBody.CodingKeys.self)
    let id = try context.runID
    try Self.checkNaming(id, body.tfeRunID)
    guard body.force == true else { return try await decide(.cancel(by: write.caller), write, id) }
    // What Terraform was about to write into its state may be lost, so it takes more than a right to plan.
    try write.require(.apply)
    return try await decide(.forceCancel(by: write.caller), write, id)
  }

  @Sendable private func command(
    _ write: WriteRequest, _ context: PorcContext,
    _ command: @Sendable (_ body: DecisionBody, _ seen: String?, _ caller: Caller) -> RunCommand
  ) async throws -> Response {
    let body = try write.body(DecisionBody.self, DecisionBody.CodingKeys.self)
    let id = try context.runID
    try Self.checkNaming(id, body.tfeRunID)
    // A TFE run id in the path names the plan that was seen.
    let seen = id.hasPrefix(Run.ID.prefix) ? nil : id
    return try await decide(command(body, seen, write.caller), write, id, taking: body.operation)
  }

  private static func checkNaming(_ id: String, _ named: String?) throws {
    guard let named, !id.hasPrefix(Run.ID.prefix), named != id else { return }
    throw Fault(.malformedRequest, "The path names the plan \(id) and the body \(named).", fix: "Name one of them.")
  }

  /// - Parameter operation: what the caller takes the run for, if that was said.
  private func decide(
    _ command: RunCommand, _ write: WriteRequest, _ id: String, taking operation: Run.Operation? = nil
  ) async throws -> Response {
    guard let located = try await store.locate(id) else { throw Self.unknown(id) }
    let run = located.run.id
    try Self.check(operation, located.run)
    let (views, rules) = (views, views.rules)
    let body: @Sendable (Situation, Date) throws -> Data = { situation, now in
      guard let run = situation.runs[run] else { throw Self.unknown(id) }
      return try JSONEncoder.porc.encode(views.status(Located(run: run, situation: situation, version: 0), at: now))
    }
    let record = write.record(for: run) { situation, now, fingerprint in
      StoredAnswer(status: 202, body: try body(situation, now), fingerprint: fingerprint)
    }
    let recorded = try await store.decide(about: .run(run.rawValue), recording: record) { situation, now in
      guard let situation else { throw Self.unknown(id) }
      return try RunMachine.decide(command, for: run, in: situation, at: now, rules: rules)
    }
    return .bytes(try body(recorded.situation, recorded.now), status: .accepted)
  }

  /// What a run does to its instance never changes.
  private static func check(_ operation: Run.Operation?, _ run: Run) throws {
    guard let operation, operation != run.operation else { return }
    throw Refusal(
      .wrongState,
      run.operation == .destroy
        ? "The run \(run.id) destroys '\(run.instance)', so it is not taken for one that deploys it."
        : "The run \(run.id) deploys '\(run.instance)', so it is not taken for one that destroys it.",
      fix: "Look at its plan, and ask for the operation '\(run.operation.rawValue)' if that is what is wanted.")
  }

  static func unknown(_ id: String) -> Fault {
    Fault(.notFound, "There is no run '\(id)'.", fix: "List the runs with pine runs.")
  }

  // MARK: Reading

  @Sendable private func summary(_ request: Request, _ context: PorcContext) async throws -> Response {
    try .json(try await views.summary(try await located(context)))
  }

  @Sendable private func status(_ request: Request, _ context: PorcContext) async throws -> Response {
    let wait = try request.query("wait", in: 0...60, default: 0)
    let id = try context.runID
    let given = request.headers[.ifNoneMatch]
    let look = { @Sendable () async throws -> EntityTagged in try views.taggedStatus(try await locate(id)) }
    guard wait > 0 else { return try await look().response(unlessKnown: given) }
    let known = if let given { given } else { try await look().tag.text }
    let place = try waits.take()
    defer { withExtendedLifetime(place) {} }
    let answer = try await context.whileClientWaits {
      try await doorbell.wait(upTo: .seconds(wait), while: { $0.tag.isKnown(by: known) }, look)
    }
    return answer.response(unlessKnown: given)
  }

  @Sendable private func list(_ request: Request, _ context: PorcContext) async throws -> Response {
    try request.allowQuery("limit", "cursor", "instance", "state", "operation")
    let limit = try request.query("limit", in: 1...200, default: 50)
    let filter = RunFilter(
      instance: request.query("instance").map { Instance.ID($0) },
      state: try request.choice("state", RunState.self), operation: try request.choice("operation", Run.Operation.self))
    let cursor = request.query("cursor").map { Run.ID($0) }
    let found: [Located]
    do {
      found = try await store.runs(filter, after: cursor, limit: limit + 1)
    } catch StoreError.notFound {
      throw Fault(
        .notFound, "The cursor '\(cursor?.rawValue ?? "")' names no run.",
        fix: "Send the next_cursor of the page before, or none for the first page.")
    }
    let page = found.prefix(limit)
    return try .json(
      RunList(
        runs: page.map { views.status($0) }, nextCursor: found.count > limit ? page.last?.run.id.rawValue : nil))
  }

  private func located(_ context: PorcContext) async throws -> Located { try await locate(try context.runID) }

  private func locate(_ id: String) async throws -> Located {
    guard let located = try await store.locate(id) else { throw Self.unknown(id) }
    return located
  }
}

/// The bytes of a 201.
struct CreatedAnswer {
  var body: Data
  var location: String

  var response: Response { .bytes(body, status: .created, location: location) }

  func stored(fingerprint: String) -> StoredAnswer {
    StoredAnswer(status: 201, body: body, fingerprint: fingerprint, location: location)
  }
}

extension PorcContext {
  var runID: String {
    get throws { try parameters.require("run_id") }
  }
}

extension Request {
  /// A query parameter that is one of a closed list, or a fault that names them.
  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = query(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw Fault(
        .malformedRequest, "'\(name)' is none of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).",
        fix: "Use one of them.")
    }
    return choice
  }
}
