import ArgumentParser
import PorcCore

extension Pine {
  struct Logs: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows Terraform's output of a run's plan or apply.",
      discussion: "Example: pine logs --run-id porc-01jd8zv9k3m5n7p9q1r3s5t7v9 --follow")

    @OptionGroup var run: RunArgument

    @Flag(name: [.short, .long], help: "Stay and show what comes.")
    var follow = false

    @Option(help: "plan or apply; otherwise what the run did last.")
    var phase: LogPhase?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if follow, global.json { throw ValidationError("--follow prints text as it comes; it has no --json.") }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let phase = if let phase { phase } else { try await latestPhase(porc) }
      if follow {
        _ = try await LogFollower(session: session, porc: porc, run: run.id, phase: phase).follow()
        return .done
      }
      let call = Call.get("runs", run.id, "logs", query: [("phase", phase.rawValue)]).with("Accept", "text/plain")
      let answer = try await porc.send(call)
      if global.json {
        session.output.raw(answer.bytes)
        return .done
      }
      if answer.bytes.isEmpty { session.output.note("There is no output of the \(phase.rawValue).") }
      var text = TerraformText(allowsColours: session.output.palette.isOn)
      session.output.terraform(text.shown(String(decoding: answer.bytes, as: UTF8.self)) + text.ending())
      return .done
    }

    private func latestPhase(_ porc: PorcClient) async throws -> LogPhase {
      let status = try await porc.status(run.id).decode(RunStatus.self)
      return LogPhase.apply.hasBegun(status) ? .apply : .plan
    }
  }
}

extension LogPhase: ExpressibleByArgument {}
