import HCL
import PorcCore
import Testing

/// Sources as operators describe them.
struct TemplateSourceTests {
  private func read(
    _ text: String, by author: SourceDescription.Author = .configuration
  ) throws -> (description: SourceDescription?, findings: [Finding]) {
    SourceDescription.read(try DocumentText.read(Array(text.utf8), as: .yaml), by: author)
  }

  @Test func aRepositoryIsDescribed() throws {
    let read = try read(
      """
      name: platform
      git: https://github.com/acme/infra-modules.git
      branch: main
      path: /terraform/modules/
      token_file: /run/secrets/github
      """)
    #expect(read.findings == [])
    #expect(
      read.description
        == SourceDescription(
          source: TemplateSource(
            name: "platform", place: .git("https://github.com/acme/infra-modules.git"), branch: "main",
            path: "terraform/modules"),
          access: SourceAccess(tokenFile: "/run/secrets/github")))
  }

  @Test func aConfigurationNamesItsSources() throws {
    let text = """
      tfe: {address: "https://tfe.example.com"}
      sources:
        vpc: {git: "https://github.com/acme/terraform-aws-vpc.git", layout: tags, template: network}
        shared: {registry: registry.example.com, modules: [acme/network/aws]}
        private:
          tfe: acme
        app:
          git: https://github.com/acme/private.git
          github_app: {app_id: 12345, installation_id: "678", private_key_file: /etc/porc/app.pem}
        local: {folder: /srv/modules}
      """
    let read = SourceDescription.readAll(Array(text.utf8))
    #expect(read.findings == [])
    #expect(read.descriptions.map(\.source.name) == ["vpc", "shared", "private", "app", "local"])
    #expect(read.descriptions.map(\.source.place.kind) == [.git, .registry, .tfe, .git, .folder])
    #expect(
      read.descriptions[3].access.app
        == GitHubAppAccess(app: "12345", installation: "678", keyFile: "/etc/porc/app.pem"))
    #expect(SourceDescription.readAll(Array("porc: {}".utf8)).descriptions == [])
  }

  @Test(arguments: [
    ("name: a", "/", "does not say where"),
    ("{name: a, git: x, folder: y}", "/", "several places"),
    ("git: https://example.com/a.git", "/name", "is missing"),
    ("{name: Größe, git: x}", "/name", "is no name"),
    ("{name: a, git: x, layout: trees}", "/layout", "is none of"),
    ("{name: a, git: x, path: a/../../b}", "/path", "leaves the repository"),
    ("{name: a, git: x, branch: -x}", "/branch", "no name of a branch"),
    ("{name: a, git: x, branch: a..b}", "/branch", "no name of a branch"),
    ("{name: a, git: x, layout: tags, branch: main}", "/branch", "is for 'git' with the layout 'folders' only"),
    ("{name: a, git: x, template: b}", "/template", "is for 'git' with the layout 'tags' only"),
    ("{name: a, registry: x}", "/modules", "is missing"),
    ("{name: a, registry: x, modules: b}", "/modules", "is not a list"),
    ("{name: a, git: x, modules: [b]}", "/modules", "is for 'registry' and 'tfe' only"),
    ("{name: a, git: x, token: t, token_file: f}", "", "several ways"),
    ("{name: a, folder: x, token: t}", "", "needs nothing"),
    ("{name: a, git: x, brunch: main}", "/brunch", "is unknown"),
    ("[]", "", "is not a mapping"),
  ])
  func whatIsWrongIsSaid(text: String, pointer: String, words: String) throws {
    let read = try read(text)
    #expect(read.description == nil)
    #expect(
      read.findings.contains {
        ($0.pointer == pointer || pointer == "/" && $0.pointer.isEmpty) && $0.message.contains(words)
      },
      "\(read.findings)")
    #expect(read.findings.allSatisfy { $0.fix?.isEmpty == false })
  }

  /// Somebody with a token can make the server read none of its own files.
  @Test(arguments: [
    "{name: a, folder: /etc}", "{name: a, git: x, token_file: /etc/passwd}", "{name: a, git: x, token_variable: HOME}",
    "{name: a, git: x, ssh_key_file: /root/.ssh/id_rsa}",
    "{name: a, git: x, github_app: {app_id: 1, installation_id: 2, private_key_file: /k}}",
  ])
  func aCallerNamesNoFileOfTheServer(text: String) throws {
    #expect(try read(text).description != nil)
    #expect(try read(text, by: .caller).description == nil)
  }

  @Test func itsNameCannotBeLeftOutNorCarryControlCharacters() throws {
    let value = SourceValue.object([("name", "a\u{1B}[2J"), ("git", "https://example.com/x.git")])
    #expect(SourceDescription.read(value, by: .caller).description == nil)
  }
}

extension SourceValue {
  fileprivate static func object(_ members: [(String, String)]) -> SourceValue {
    let place = SourceRange(
      start: SourcePosition(line: 1, column: 1, offset: 0), end: SourcePosition(line: 1, column: 1, offset: 0))
    return SourceValue(
      range: place,
      content: .object(
        members.map { Member(key: $0, keyRange: place, value: SourceValue(range: place, content: .string($1))) }))
  }
}
