import PorcCore

extension Session {
  /// Refuses a verb that asks where nobody can answer.
  func requireConsent(_ consent: ConsentOption, to what: String) throws {
    if consent.isGiven || invocation.input.isTerminal { return }
    throw Complaint.usage("\(what), and there is no terminal to ask on.", fix: "Add --yes if that is wanted.")
  }

  /// Asks a person; anything but a clear yes is a no.
  func confirms(_ question: Prose) async -> Bool {
    output.ask(question)
    let answer = await invocation.input.readLine()
    return ["y", "yes"].contains(answer?.lowercased().filter { !$0.isWhitespace } ?? "")
  }

  /// Shows a finished plan, asks, and applies exactly that plan, or discards it.
  func decide(
    about planned: Outcome, _ consent: ConsentOption, question: Prose, with porc: PorcClient
  ) async throws -> Fault.ExitStatus {
    let status = planned.status
    try require(.plan, planned)
    if status.hasChanges != false {
      try show(planned)
      if !status.nextActions.contains("apply") {
        output.answer(planned.bytes, ids: [status.runID]) { [] }
        throw Complaint(
          .refused, "The plan cannot be applied yet: it waits for \(status.waitingFor ?? "somebody").",
          fix: "Afterwards: pine apply --run-id \(status.runID)")
      }
      if !consent.isGiven, await !confirms(question) {
        try Task.checkCancellation()
        return try await giveUp(planned, with: porc)
      }
    }
    let decision = DecisionBody(tfeRunID: status.tfeRunID)
    let applied = try await perform(.apply, on: status.runID, sending: decision, with: porc)
    try conclude(.apply, applied)
    return .done
  }

  /// The plan as a person has to see it before saying yes, where Terraform's own words were not shown.
  private func show(_ planned: Outcome) throws {
    guard !planned.hasShownLog, output.form != .ids, let summary = planned.summary else { return }
    PlanPage.lines(for: summary).forEach(output.note)
  }

  private func giveUp(_ planned: Outcome, with porc: PorcClient) async throws -> Fault.ExitStatus {
    let decision = DecisionBody(tfeRunID: planned.status.tfeRunID)
    let discarded = try await perform(.discard, on: planned.status.runID, sending: decision, with: porc)
    try conclude(.discard, discarded)
    output.note("Nothing was changed: the plan was discarded.")
    return .runFailed
  }
}
