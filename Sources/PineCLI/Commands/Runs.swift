import ArgumentParser
import PorcCore

extension Pine {
  struct Runs: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists runs, the newest first.",
      discussion: "Example: pine runs --instance gke-dev-west --state planned")

    @Option(help: "Only those of this instance.")
    var instance: String?

    @Option(help: "Only those in this state, such as planned or apply_failed.", transform: Self.state)
    var state: RunState?

    @Option(help: "How many at most.")
    var limit: Int?

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @OptionGroup var global: GlobalOptions

    private static func state(_ text: String) throws -> RunState {
      guard let state = RunState(rawValue: text) else {
        let known = RunState.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("There is no state '\(text)'; there are: \(known).")
      }
      return state
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let query = [
        ("instance", instance), ("state", state?.rawValue), ("limit", limit.map(String.init)), ("cursor", cursor),
      ]
      let call = Call.get("runs", query: query.compactMap { name, value in value.map { (name, $0) } })
      let answer = try await session.porc().send(call)
      let list = try answer.decode(RunList.self)
      session.output.answer(answer.bytes, ids: list.runs.map(\.runID)) {
        let rows = list.runs.map { run in
          [
            "\(run.runID)", "\(run.instanceID)", "\(run.operation.rawValue)", run.shown,
            "\(RelativeTime.text(run.lastUpdated, now: session.now()))", "\(run.waitingFor ?? "")",
          ] as [Prose]
        }
        return Table(header: ["RUN", "INSTANCE", "OPERATION", "STATE", "UPDATED", "WAITS FOR"], rows: rows).lines
      }
      if let next = list.nextCursor { session.output.note("There are more: add --cursor \(next)") }
      return .done
    }
  }
}
