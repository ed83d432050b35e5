import ArgumentParser
import PorcCore

extension Pine {
  struct Why: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says why a run or an instance stands where it stands, what it waits for, and what clears that.",
      discussion: "Example: pine why gke-dev-west")

    @Option(name: .customLong("run-id"), help: "The run, by PORC's id or by TFE's.")
    var runID: String?

    @Argument(help: ArgumentHelp("A run, or an instance: of that, the current run.", valueName: "run or instance"))
    var subject: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if let runID, let subject, runID != subject { throw ValidationError("Name one run or instance, not two.") }
      if (runID ?? subject ?? "").isEmpty {
        throw ValidationError("Name the run or the instance. 'pine runs' and 'pine instances' list them.")
      }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await summary(session.porc())
      let summary = try answer.decode(RunSummary.self)
      session.output.answer(answer.bytes, ids: [summary.status.runID]) { lines(summary, session) }
      return .done
    }

    private func summary(_ porc: PorcClient) async throws -> Answer {
      if let runID { return try await porc.summary(runID) }
      let subject = subject ?? ""
      // An instance may have a name that begins as a run's id does.
      do {
        return try await porc.summary(subject)
      } catch let fault as Fault where fault.code == .notFound {
        return try await porc.summary(try await currentRun(of: subject, porc))
      }
    }

    private func currentRun(of instance: String, _ porc: PorcClient) async throws -> String {
      do {
        return try await porc.send(.get("instances", instance)).decode(InstanceBody.self).currentRun.runID
      } catch let fault as Fault where fault.code == .notFound {
        throw Fault(
          .notFound, "There is no run and no instance '\(instance)'.",
          fix: "List them with pine runs and pine instances.")
      }
    }

    private func lines(_ summary: RunSummary, _ session: Session) -> [Prose] {
      let status = summary.status
      let time = RelativeTime.text(status.lastUpdated, now: session.now())
      var lines: [Prose] = ["The run \(status.runID) of '\(status.instanceID)' is \(status.shown), since \(time)."]
      if status.isPartial { lines.append("Its apply ended half-way: some of its changes were made, some were not.") }
      if summary.decidedInTFE == true {
        lines.append(
          "The plan was \(status.status == .discarded ? "discarded" : "applied") in Terraform Enterprise, not through PORC."
        )
      }
      if let current = status.supersededBy { lines.append("The plan you named was superseded by \(current).") }
      lines += waiting(status, session)
      if let failure = summary.error {
        lines.append("What went wrong" + (failure.address.map { " with \($0)" } ?? "") + ": \(failure.summary, .red)")
        lines += TerminalText.visibleLines(failure.detail ?? "").filter { !$0.isEmpty }.map { "  \($0)" }
      }
      if !summary.portal.inSync {
        lines.append("The portal is " + PortalPhrase.text(summary.portal, now: session.now()) + ".")
      }
      let next = NextStep.commands(for: status)
      if !next.isEmpty { lines += ["What may come next:"] + next.map { "  \($0, .bold)" } }
      return lines
    }

    private func waiting(_ status: RunStatus, _ session: Session) -> [Prose] {
      guard let waitingFor = status.waitingFor else {
        return status.isFinal
          ? ["It has ended, and waits for nothing."]
          : ["It waits for nothing" + (status.status.isUnderWay ? ": it is under way." : ".")]
      }
      var lines: [Prose] = ["It waits for \(ended(waitingFor))"]
      guard let wait = status.wait else { return lines }
      if let since = wait.since { lines.append("That began \(RelativeTime.text(since, now: session.now())).") }
      if !waitingFor.hasSuffix(wait.clearedBy) { lines.append("What clears it: \(ended(wait.clearedBy))") }
      if let link = wait.link, !waitingFor.contains(link) { lines.append("Look there: \(link)") }
      return lines
    }

    /// With a period, unless it has one or would become part of an address.
    private func ended(_ text: String) -> String {
      text.hasSuffix(".") || text.split(separator: " ").last?.contains("://") == true ? text : text + "."
    }
  }
}

extension RunState {
  /// Whether somebody works on it, if nothing is in the way.
  fileprivate var isUnderWay: Bool { [.building, .planning, .applying].contains(self) }
}
