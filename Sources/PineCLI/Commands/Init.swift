import ArgumentParser
import FoundationEssentials
import HCL
import PorcCore

extension Pine {
  struct Init: PineCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes a blueprint of a template to fill in, and prints the file's name.",
      discussion: """
        It says what each input is for. With --schema, editors that know JSON Schema (VS Code with its YAML extension, and \
        whatever speaks yaml-language-server) complete and check it while you write.

        Example: pine init gke-cluster --name gke-dev-west --schema gke-cluster.schema.json
        """)

    @Argument(
      help: ArgumentHelp(
        "The template's name, with a version or a constraint if it is not to be the newest: gke-cluster@\"~> 1.0\".",
        valueName: "name[@version]"))
    var template: String

    @Option(name: .customLong("name"), help: ArgumentHelp("The instance it will describe.", valueName: "instance"))
    var instance: String?

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp(
        "Where to; '-' for standard output. Otherwise INSTANCE.blueprint.yaml, or NAME.blueprint.yaml.",
        valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Also write the blueprint's JSON Schema there, for editors.", valueName: "file"))
    var schema: String?

    @Flag(help: "Overwrite files that are there.")
    var force = false

    @OptionGroup var global: GlobalOptions

    private var kind: String { String(template.prefix { $0 != "@" }) }

    /// Nil where no version is given; checked by ``validate()``.
    private var version: VersionConstraint? {
      template.firstIndex(of: "@").flatMap { VersionConstraint(String(template[$0...].dropFirst())) }
    }

    func validate() throws {
      if kind.isEmpty { throw ValidationError("Name a template. 'pine templates' lists them.") }
      if template.contains("@"), version == nil {
        throw ValidationError("What follows '@' is neither a version nor a constraint: write 1.0.0 or \"~> 1.0\".")
      }
      if let instance, !BlueprintMetadata.isInstanceName(instance) {
        throw ValidationError(
          "'\(instance)' is no name for an instance: use lower-case letters, digits and inner '-', "
            + "at most \(Blueprint.maximumNameLength) characters.")
      }
    }

    /// What `--json` prints.
    struct Report: Encodable {
      var template: Template.ID
      @ExplicitNull var file: String?
      @ExplicitNull var schema: String?
      var blueprint: String
    }

    func execute(in session: Session) async throws -> Fault.ExitStatus {
      let file = output ?? "\(instance ?? kind).blueprint.yaml"
      let isFile = file != "-"
      for path in [isFile ? file : nil, schema].compactMap(\.self) where !force {
        try NewFile.require(path, at: session.invocation.absolute(path))
      }
      let template = try await session.porc().template(named: kind, version)
      if template.status == .deprecated {
        session.output.warn("The template '\(template.modulePath)' is deprecated.", fix: "Move to a newer version.")
      }
      let text = BlueprintSkeleton.text(
        for: template, instance: instance,
        schema: schema.map { NewFile.reference(to: $0, from: file, session.invocation) })
      if let schema {
        let document = BlueprintSchema.schema(for: template).json(prettyPrinted: true) + "\n"
        try NewFile.write(document, to: schema, at: session.invocation.absolute(schema), overwriting: force)
      }
      if isFile { try NewFile.write(text, to: file, at: session.invocation.absolute(file), overwriting: force) }
      let report = Report(
        template: template.id, file: isFile ? file : nil, schema: schema, blueprint: text)
      if session.output.form == .json {
        session.output.json(Array(try JSONEncoder.porc.encode(report)))
      } else if isFile {
        session.output.line(Prose(file))
      } else {
        session.output.raw(Array(text.utf8))
      }
      if session.output.form == .people, isFile {
        session.output.note("next: replace what says REQUIRED, then pine validate \(file)")
      }
      return .done
    }
  }
}

extension PorcClient {
  /// The templates of one name; all of them if there is none of it, so that what was meant can be found.
  func templates(near name: String) async throws -> [Template] {
    let ofName = try await templates(named: name)
    return ofName.isEmpty ? try await templates(named: nil) : ofName
  }

  /// All pages of the list.
  private func templates(named name: String?) async throws -> [Template] {
    var templates: [Template] = []
    var cursor: String?
    repeat {
      let query = [("name", name), ("limit", "1000"), ("cursor", cursor)]
      let page = try await send(.get("templates", query: query.compactMap { name, value in value.map { (name, $0) } }))
        .decode(TemplateList.self)
      templates += page.templates.map(\.template)
      cursor = page.nextCursor
    } while cursor != nil
    return templates
  }

  /// - Throws: a ``Complaint`` if there is no such template, or no such version of it.
  fileprivate func template(named name: String, _ constraint: VersionConstraint?) async throws -> Template {
    let catalog = try await templates(near: name)
    do throws(TemplateChoice.Problem) {
      return try TemplateChoice.template(named: name, constraint, in: catalog)
    } catch {
      // The list of templates begins with their ids, so people try those.
      let meant = catalog.first { $0.id.rawValue == name }.map { "That is an id: pine init \($0.name)@\($0.version)" }
      throw Complaint(.notFound, error.message, fix: meant ?? error.fix)
    }
  }
}

/// Files that must not be there yet.
private enum NewFile {
  static func require(_ path: String, at absolute: String) throws {
    guard FileManager.default.fileExists(atPath: absolute) else { return }
    throw Complaint(.invalidInput, "'\(path)' is there already.", fix: "Name another file, or add --force.")
  }

  static func write(_ text: String, to path: String, at absolute: String, overwriting: Bool) throws {
    do {
      try Data(text.utf8).write(to: URL(filePath: absolute), options: overwriting ? .atomic : .withoutOverwriting)
    } catch {
      // Somebody else may have been quicker.
      if !overwriting { try require(path, at: absolute) }
      throw Complaint(.invalidInput, "'\(path)' cannot be written.", fix: "Check the folder and its rights.")
    }
  }

  /// How one file names another: from its own folder.
  static func reference(to path: String, from file: String, _ invocation: Invocation) -> String {
    let target = parts(invocation.absolute(path))
    let folder = parts(invocation.absolute(file)).dropLast()
    let common = zip(target, folder).prefix { $0 == $1 }.count
    let up = Array(repeating: "..", count: folder.count - common)
    return ((up.isEmpty ? ["."] : up) + target.dropFirst(common)).joined(separator: "/")
  }

  private static func parts(_ path: String) -> [String] { PathParts.parts(of: path) }
}
