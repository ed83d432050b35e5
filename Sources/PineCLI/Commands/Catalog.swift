import ArgumentParser
import FoundationEssentials
import HCL
import PorcCore

/// `porc catalog`: where a server's templates come from.
struct Catalog: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "porc catalog",
    abstract: "Says where a server's templates come from: lists, adds, removes and syncs sources.",
    discussion: """
      Example: porc catalog add platform --git https://github.com/acme/infra-modules.git

      The server is where --porc-url or PORC_URL says, or where 'porc dev' left it; the token, with the scope catalog, comes \
      from --token-file, PORC_TOKEN, or from 'porc dev' too.
      """,
    version: PineCLI.version, subcommands: [List.self, Add.self, Remove.self, Sync.self], defaultSubcommand: List.self)

  /// The table of sources, and what is wrong with them.
  static func page(_ sources: [SourceBody], now: Date) -> [Prose] {
    if sources.isEmpty { return ["No sources. Add one: porc catalog add NAME --git URL"] }
    let rows = sources.map { body in
      [
        "\(body.source.name)", "\(body.source.place.kind.rawValue)", "\(body.source.place.text)",
        "\(String(body.report.templates))",
        body.report.error == nil
          ? "\(body.report.syncedAt.map { RelativeTime.text($0, now: now) } ?? "not yet")" : Prose("failed", .red),
        body.isReadOnly ? "configuration" : "added",
      ] as [Prose]
    }
    var lines = Table(header: ["SOURCE", "KIND", "WHERE", "TEMPLATES", "SYNCED", "FROM"], rows: rows).lines
    for body in sources {
      if let error = body.report.error {
        lines += ["", "\(body.source.name, .bold): \(error)"]
        if let fix = body.report.fix { lines.append("  try: \(fix)") }
      }
      guard !body.report.findings.isEmpty else { continue }
      lines += ["", "\(body.source.name, .bold):"]
      for finding in body.report.findings.prefix(50) {
        let place = finding.line.map { ":\($0)" } ?? ""
        lines.append(
          "  \(finding.severity.rawValue): \(finding.message)\(place.isEmpty ? "" : " (line \(place.dropFirst()))")")
        if let fix = finding.fix { lines.append("    try: \(fix)") }
      }
      let more = body.report.findings.count - 50
      if more > 0 { lines.append("  and \(String(more)) more: --json shows all") }
    }
    return lines
  }

  /// How long a sync may take: a first fetch of a large repository is slow.
  static let patience = Duration.seconds(600)
}

extension Catalog {
  struct List: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the sources and how each did last.", discussion: "Example: porc catalog list")

    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().send(.get("templates", "sources"))
      let sources = try answer.decode(SourceList.self).sources
      session.output.answer(answer.bytes, ids: sources.map(\.source.name)) {
        Catalog.page(sources, now: session.now())
      }
      return .done
    }
  }

  struct Add: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds a source, and syncs it at once.",
      discussion: """
        Examples:
          porc catalog add platform --git https://github.com/acme/infra-modules.git --credentials-file github-token
          porc catalog add vpc --git https://github.com/acme/terraform-aws-vpc.git --layout tags
          porc catalog add shared --registry registry.example.com --module acme/network/aws
          porc catalog add private --tfe acme
        """)

    @Argument(help: "What to call it: lower-case letters, digits, '-', '_' and '.'.")
    var name: String
    @Option(help: "A git repository: https, or a path where the server allows it.")
    var git: String?
    @Option(help: "The host of a module registry.")
    var registry: String?
    @Option(help: "An organization whose private registry is in the server's Terraform Enterprise.")
    var tfe: String?
    @Option(help: "How the repository holds versions: folders (NAME/VERSION/) or tags (v1.2.3, NAME/v1.2.3).")
    var layout: String?
    @Option(help: "The branch of the layout 'folders'; the repository's default otherwise.")
    var branch: String?
    @Option(help: "The folder in the repository.")
    var path: String?
    @Option(help: "The template's name where a repository with tags is one module.")
    var template: String?
    @Option(name: .customLong("module"), help: "A registry's module, NAMESPACE/NAME/SYSTEM. May be repeated.")
    var modules: [String] = []
    @Option(help: "A file with the token for the source; - reads it from standard input.")
    var credentialsFile: String?
    @Option(help: "The user that goes with the token, where x-access-token is not right.")
    var username: String?
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      if [git, registry, tfe].compactMap(\.self).count != 1 {
        throw ValidationError("Say where the templates are with one of --git, --registry and --tfe.")
      }
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      var document: [String: Value] = ["name": .string(name)]
      let texts = [
        "git": git, "registry": registry, "tfe": tfe, "layout": layout, "branch": branch, "path": path,
        "template": template, "username": username, "token": try await token(in: session),
      ]
      for (key, text) in texts { document[key] = text.map(Value.string) }
      if !modules.isEmpty { document["modules"] = .array(modules.map(Value.string)) }
      let call = Call.post("templates", "sources").asking(global.noWait ? [("wait", "false")] : [])
        .sending(Array(Value.object(document).json().utf8), as: "application/json").taking(atMost: Catalog.patience)
      let answer = try await session.output.moving { try await session.porc().send(call) }
      let body = try answer.decode(SourceBody.self)
      session.output.answer(answer.bytes, ids: [body.source.name]) { Catalog.page([body], now: session.now()) }
      return body.report.error == nil ? .done : .runFailed
    }

    private func token(in session: Session) async throws -> String? {
      guard let credentialsFile else { return nil }
      let bytes: [UInt8]
      if credentialsFile == "-" {
        bytes = await session.invocation.input.readAll()
      } else if let data = FileManager.default.contents(atPath: session.invocation.absolute(credentialsFile)) {
        bytes = Array(data)
      } else {
        throw Fault(.notFound, "The file '\(credentialsFile)' cannot be read.", fix: "Check its path and its rights.")
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let token = String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
      guard !token.isEmpty else {
        throw Fault(.invalidInput, "'\(credentialsFile)' holds no token.", fix: "Write the token into it.")
      }
      return token
    }
  }

  struct Remove: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a source. Its templates go, but those in use, which become retired.",
      discussion: "Example: porc catalog remove platform")

    @Argument(help: "The source, as 'porc catalog list' names it.")
    var name: String
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let answer = try await session.porc().send(.delete("templates", "sources", name))
      session.output.answer(answer.bytes, ids: [name]) { ["removed \(name)"] }
      return .done
    }
  }

  struct Sync: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Looks at the sources now, all or one.", discussion: "Example: porc catalog sync platform")

    @Argument(help: "The source; all without it.")
    var name: String?
    @OptionGroup var global: GlobalOptions

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let query = (name.map { [("source", $0)] } ?? []) + (global.noWait ? [("wait", "false")] : [])
      let call = Call.post("templates", "sync").asking(query).taking(atMost: Catalog.patience)
      let answer = try await session.output.moving { try await session.porc().send(call) }
      let sources = try answer.decode(SourceList.self).sources
      session.output.answer(answer.bytes, ids: sources.map(\.source.name)) {
        Catalog.page(sources, now: session.now())
      }
      return sources.contains { $0.report.error != nil } ? .runFailed : .done
    }
  }
}
