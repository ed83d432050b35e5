import ArgumentParser
import PorcCore

extension Pine {
  struct Submit: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Submits a blueprint and prints the id of its run.",
      discussion: "Example: pine submit cluster.yaml")

    @Argument(help: ArgumentHelp("The blueprint, JSON or YAML; '-' reads it from standard input."))
    var file: String

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let porc = try session.porc()
      let (summary, answer) = try await session.submit(file, to: porc)
      let id = summary.status.runID
      if session.options.waits, session.output.form == .json {
        // One document, and the one that knows of the portal.
        session.output.json(try await session.settle(summary.status, with: porc).bytes)
        return .done
      }
      session.output.answer(answer.bytes, ids: [id]) { [Prose(id)] }
      if session.options.waits { _ = try await session.settle(summary.status, with: porc) }
      return .done
    }
  }
}

extension Session {
  /// Submits the document in `file`, and shows what is doubtful about it.
  func submit(_ file: String, to porc: PorcClient) async throws -> (summary: RunSummary, answer: Answer) {
    let document = try await BlueprintFile(file, invocation)
    do {
      let answer = try await output.moving { try await porc.submit(document.bytes, as: document.contentType) }
      let summary = try answer.decode(RunSummary.self)
      output.tell(summary.warnings ?? [], in: document.name)
      return (summary, answer)
    } catch let fault as Fault {
      throw Complaint(fault, about: document.name)
    }
  }
}
