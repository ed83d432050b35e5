import ArgumentParser
import FoundationEssentials
import PorcCore

extension Pine {
  struct Doctor: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks which PORC is used, whether it answers, and what the token may do.",
      discussion: "Example: pine doctor")

    @OptionGroup var global: GlobalOptions

    /// `GET /healthz`.
    struct Health: Codable {
      var status: String
      var version: String?
    }

    /// `GET /token`.
    struct Token: Codable {
      var id: String
      var name: String
      var scopes: [String]
    }

    /// What `--json` prints.
    struct Report: Encodable {
      var pine = PineCLI.version
      var url: String
      var health: Health
      var token: Token
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let out = session.output
      let address = try session.address()
      say(out, "pine", "\(PineCLI.version)")
      say(out, "PORC", "\(address.url) (from \(address.urlSource))")
      let health = try await session.client(for: address).send(.get("healthz")).decode(Health.self)
      say(out, "reachable", "yes, \(health.status)" + (health.version.map { ", version \($0)" } ?? ""))
      let porc = try session.porc()
      let token = try await porc.send(.get("token")).decode(Token.self)
      say(out, "token", "'\(token.name)' (\(token.id)), from \(address.tokenSource ?? "")")
      say(out, "it may", "\(token.scopes.sorted().joined(separator: ", "))")
      let report = Report(url: address.url, health: health, token: token)
      out.answer(Array(try JSONEncoder.porc.encode(report)), ids: [token.id]) { [] }
      return .done
    }

    /// Each line as soon as it is known, so that what is well is seen before what is not.
    private func say(_ output: Output, _ what: String, _ finding: Prose) {
      guard output.form == .people else { return }
      let space = String(repeating: " ", count: max(0, 11 - what.count))
      output.line("\("✓", .green) \(what, .dim)\(space)\(finding)")
    }
  }
}
