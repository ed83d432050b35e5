public import HCL

extension SourceDescription {
  /// Who describes it.
  public enum Author: Sendable {
    /// The configuration, which may name files and folders of this machine.
    case configuration
    /// Somebody with a token, who may not.
    case caller
  }

  /// Reads a source out of a mapping: exactly one of `git`, `registry`, `tfe` and `folder`, and what goes with it.
  ///
  /// - Parameters:
  ///   - name: its name, where that is not in the mapping.
  ///   - pointer: the mapping's JSON pointer.
  /// - Returns: the source, absent if any finding is an error.
  public static func read(
    _ value: SourceValue, named name: String? = nil, at pointer: String = "", by author: Author
  ) -> (description: SourceDescription?, findings: [Finding]) {
    var reader = DocumentReader(value, at: pointer)
    guard case .object = value.content else { return (nil, reader.findings) }
    let name = name ?? reader.text("name", isRequired: true)
    if let name, !isName(name) {
      reader.note(
        value.member("name")?.value ?? value, reader.path("name"), "'\(name)' is no name for a source.",
        fix: "Use lower-case letters, digits and inner '-', '_' and '.', at most 63 characters.")
    }
    let place = reader.place(author)
    let layout = reader.oneOf("layout", TemplateSource.Layout.self)
    var source = TemplateSource(
      name: name ?? "", place: place ?? .git(""), layout: layout ?? .folders, branch: reader.text("branch"),
      path: reader.text("path"), template: reader.text("template"), modules: reader.texts("modules"))
    source.path = source.path.map { $0.split(separator: "/").filter { $0 != "." }.joined(separator: "/") }
    if source.path?.isEmpty == true { source.path = nil }
    reader.check(source, isLayoutGiven: layout != nil)
    let access = reader.access(author, place?.kind)
    reader.refuseOthers()
    let isGood = place != nil && !reader.findings.contains { $0.severity == .error }
    return (isGood ? SourceDescription(source: source, access: access) : nil, reader.findings)
  }

  /// Reads the `sources` of a configuration file: a mapping from names to sources.
  ///
  /// - Parameter check: finds more that is wrong with one; its pointers are relative to the source.
  public static func readAll(
    _ bytes: some Collection<UInt8>, check: (SourceDescription) -> [Finding] = { _ in [] }
  ) -> (descriptions: [SourceDescription], findings: [Finding]) {
    let document: SourceValue
    do {
      document = try DocumentText.read(bytes, as: .either)
    } catch {
      return ([], error.findings)
    }
    guard let sources = document.member("sources")?.value, sources.content != .null else { return ([], []) }
    guard case .object(let members) = sources.content else {
      return ([], DocumentReader(sources, at: "/sources").findings)
    }
    var descriptions: [SourceDescription] = []
    var findings: [Finding] = []
    for member in members {
      let pointer = "/sources" + ValuePath([.key(member.key)]).jsonPointer
      let read = read(member.value, named: member.key, at: pointer, by: .configuration)
      findings += read.findings
      guard let description = read.description else { continue }
      descriptions.append(description)
      findings += check(description).map { finding in
        var finding = finding
        let key = finding.pointer.split(separator: "/").first.map(String.init) ?? ""
        let place = (member.value.member(key)?.value ?? member.value).range.start
        (finding.pointer, finding.line, finding.column) = (pointer + finding.pointer, place.line, place.column)
        return finding
      }
    }
    return (descriptions, findings)
  }

  private static func isName(_ name: String) -> Bool {
    func isPlain(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard let first = name.utf8.first, let last = name.utf8.last else { return false }
    return name.utf8.count <= 63 && isPlain(first) && isPlain(last)
      && name.utf8.allSatisfy { isPlain($0) || "-_.".utf8.contains($0) }
  }
}

extension DocumentReader {
  fileprivate mutating func place(_ author: SourceDescription.Author) -> TemplateSource.Place? {
    let kinds = TemplateSource.Kind.allCases
    let given = kinds.compactMap { kind in text(kind.rawValue, maximum: 2000).map { (kind, $0) } }
    guard given.count == 1, let (kind, text) = given.first else {
      let names = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      note(
        source, pointer, given.isEmpty ? "It does not say where the templates are." : "It names several places.",
        fix: "Name exactly one of \(names).")
      return nil
    }
    switch kind {
    case .git: return .git(text)
    case .registry: return .registry(text)
    case .tfe: return .tfe(text)
    case .folder:
      if author == .caller {
        note(
          source.member("folder")?.value ?? source, path("folder"), "A folder of the server cannot be added here.",
          fix: "Name it in PORC's configuration.")
      }
      return .folder(text)
    }
  }

  fileprivate mutating func check(_ described: TemplateSource, isLayoutGiven: Bool) {
    let kind = described.place.kind
    func refuse(_ reader: inout DocumentReader, _ key: String, _ isGiven: Bool, _ rule: String) {
      guard isGiven else { return }
      reader.note(
        reader.source.member(key)?.value ?? reader.source, reader.path(key), "'\(key)' \(rule).", fix: "Leave it out.")
    }
    refuse(&self, "layout", isLayoutGiven && kind != .git, "is for 'git' only")
    refuse(&self, "path", described.path != nil && kind != .git, "is for 'git' only")
    refuse(
      &self, "branch", described.branch != nil && (kind != .git || described.layout != .folders),
      "is for 'git' with the layout 'folders' only")
    refuse(
      &self, "template", described.template != nil && (kind != .git || described.layout != .tags),
      "is for 'git' with the layout 'tags' only")
    refuse(
      &self, "modules", !described.modules.isEmpty && kind != .registry && kind != .tfe,
      "is for 'registry' and 'tfe' only")
    if kind == .registry, described.modules.isEmpty {
      note(source, path("modules"), "'modules' is missing.", fix: "List them as NAMESPACE/NAME/SYSTEM.")
    }
    if let folder = described.path, folder.split(separator: "/").contains("..") {
      note(
        source.member("path")?.value ?? source, path("path"), "'path' leaves the repository.",
        fix: "Name a folder in it.")
    }
    if let branch = described.branch, !Self.isBranch(branch) {
      note(
        source.member("branch")?.value ?? source, path("branch"), "'branch' is no name of a branch.",
        fix: "Write it like main.")
    }
  }

  fileprivate mutating func access(
    _ author: SourceDescription.Author, _ kind: TemplateSource.Kind?
  ) -> SourceAccess {
    var access = SourceAccess(token: text("token", maximum: 8000), username: text("username"))
    if author == .configuration {
      access.tokenVariable = text("token_variable")
      access.tokenFile = text("token_file", maximum: 4000)
      access.sshKeyFile = text("ssh_key_file", maximum: 4000)
      if let value = member("github_app") {
        var reader = DocumentReader(value, at: path("github_app"))
        let (app, installation) = (reader.idText("app_id"), reader.idText("installation_id"))
        let keyFile = reader.text("private_key_file", isRequired: true, maximum: 4000)
        reader.refuseOthers()
        adopt(reader)
        if let app, let installation, let keyFile {
          access.app = GitHubAppAccess(app: app, installation: installation, keyFile: keyFile)
        }
      }
    }
    let ways = [access.token, access.tokenVariable, access.tokenFile, access.sshKeyFile, access.app?.app]
    if ways.compactMap(\.self).count > 1 {
      note(source, pointer, "It names several ways to sign in.", fix: "Keep one.")
    }
    if kind == .folder, !access.isEmpty {
      note(source, pointer, "A folder needs nothing to sign in with.", fix: "Leave it out.")
    }
    return access
  }

  /// An id that may be written as a number.
  private mutating func idText(_ key: String) -> String? {
    if let value = source.member(key)?.value, case .number(let number) = value.content {
      _ = member(key)
      return number.description
    }
    return text(key, isRequired: true)
  }

  fileprivate mutating func texts(_ key: String) -> [String] {
    guard let value = member(key), value.content != .null else { return [] }
    guard case .array(let elements) = value.content else {
      note(value, path(key), "'\(key)' is not a list.", fix: "Write a list of texts.")
      return []
    }
    return elements.enumerated().compactMap { index, element in
      guard case .string(let text) = element.content, !text.isEmpty, text.count <= 255 else {
        note(element, "\(path(key))/\(index)", "This is not a text of at most 255 characters.", fix: "Mend it.")
        return nil
      }
      return text
    }
  }

  /// A careful part of git's rules (git-check-ref-format(1)).
  private static func isBranch(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"~^:?*[\\".utf8.contains($0) }
    return isPlain && !name.hasPrefix("-") && !name.hasPrefix("/") && !name.hasSuffix("/") && !name.hasSuffix(".lock")
      && !name.hasSuffix(".") && !name.contains("..") && !name.contains("//") && !name.contains("@{")
  }
}
