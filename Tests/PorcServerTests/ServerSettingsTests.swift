import Configuration
import Foundation
import PorcCore
import PortPortal
import SystemPackage
import TestKit
import Testing

@testable import PorcServer

/// Settings from the environment and from a file.
struct ServerSettingsTests {
  private static let environment = [
    "TFE_ADDRESS": "https://tfe.acme.dev", "TFE_TOKEN": "t0ken-of-tfe", "TFE_ORGANIZATION": "acme",
    "PORT_BASE_URL": "https://api.port.io", "PORT_CLIENT_ID": "client", "PORT_CLIENT_SECRET": "s3cret-of-port",
    "PORC_SECRET_KEY_FILE": "/etc/porc/key",
  ]

  private func settings(_ changes: [String: String?] = [:]) throws -> ServerSettings {
    var environment = Self.environment
    for (name, value) in changes { environment[name] = value }
    return try ServerSettings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)))
  }

  private func problems(_ changes: [String: String?]) -> SettingsProblems? {
    #expect(throws: SettingsProblems.self) { try settings(changes) }
  }

  @Test func whatIsNeededIsEnough() throws {
    let settings = try settings()
    #expect(settings.tfe.address.absoluteString == "https://tfe.acme.dev")
    #expect(settings.tfe.token == "t0ken-of-tfe" && settings.tfe.workspacePrefix == "porc-")
    #expect(settings.portal.dialect == .api)
    #expect(settings.host == "127.0.0.1" && settings.listenPort == 8800 && settings.databasePath == "porc.sqlite")
    #expect(settings.retention == 86_400 && settings.maximumPlanAge == nil && !settings.approvalRequired)
  }

  @Test func everySettingHasItsNameInTheEnvironment() throws {
    let settings = try settings([
      "PORC_LISTEN": "[::1]:9000", "PORC_DATABASE_URL": "sqlite:/var/porc.db", "PORC_TEMPLATES": "/a, /b",
      "PORC_RETENTION_SECONDS": "60", "PORC_MAXIMUM_PLAN_AGE_SECONDS": "900", "PORC_APPROVAL_REQUIRED": "yes",
      "PORC_CONCURRENCY": "2", "PORC_CATALOG_INTERVAL_SECONDS": "5", "PORC_RECONCILE_INTERVAL_SECONDS": "6",
      "PORC_INSTALLATION": "two", "TFE_PROJECT": "infra", "TFE_WORKSPACE_PREFIX": "p2-", "TFE_EXECUTION_MODE": "agent",
      "TFE_CALLS_PER_SECOND": "12",
      "PORT_API": "entities", "PORT_API_TOKEN": "plain", "PORT_CLIENT_ID": nil, "PORT_CLIENT_SECRET": nil,
      "PORT_SETUP": "true", "PORC_PUBLIC_URL": "https://acme.dev/porc/", "PORC_FOLLOW_INTERVAL_SECONDS": "7",
    ])
    #expect(settings.publicURL == .named("https://acme.dev/porc") && settings.followInterval == 7)
    #expect(settings.host == "::1" && settings.listenPort == 9000 && settings.databasePath == "/var/porc.db")
    #expect(settings.catalog.folders == ["/a", "/b"])
    #expect(settings.retention == 60 && settings.maximumPlanAge == 900 && settings.approvalRequired)
    #expect(settings.lanes == 2 && settings.catalog.interval == 5 && settings.reconcileInterval == 6)
    #expect(settings.tfe.installation == "two" && settings.tfe.project == "infra")
    #expect(settings.tfe.workspacePrefix == "p2-" && settings.tfe.executionMode == "agent")
    #expect(settings.tfe.callsPerSecond == 12)
    #expect(settings.portal.dialect == .entities && settings.portal.setsUp)
  }

  @Test func backstageIsToldWhatItIsSetTo() throws {
    #expect(try settings().backstage == BackstageSettings())
    let backstage = try settings([
      "BACKSTAGE_NAMESPACE": "infra", "BACKSTAGE_DEFAULT_OWNER": "user:anna", "BACKSTAGE_TEMPLATE_KIND": "resource",
      "BACKSTAGE_ANNOTATION_PREFIX": "porc.acme.dev",
    ]).backstage
    #expect(backstage.namespace == "infra" && backstage.defaultOwner == "user:anna")
    #expect(backstage.templateKind == .resource && backstage.annotationPrefix == "porc.acme.dev")
    let wrong = problems([
      "BACKSTAGE_NAMESPACE": "Infra", "BACKSTAGE_DEFAULT_OWNER": "…", "BACKSTAGE_TEMPLATE_KIND": "template",
      "BACKSTAGE_ANNOTATION_PREFIX": "porc.dev/",
    ])
    #expect(wrong?.problems.count == 4)
  }

  @Test func originsAreAsBrowsersSendThem() throws {
    #expect(try settings().corsOrigins == nil)
    #expect(try settings(["PORC_CORS_ORIGINS": "*"]).corsOrigins == .any)
    #expect(
      try settings(["PORC_CORS_ORIGINS": "https://Portal.acme.dev, http://localhost:3000,https://a.dev:443"])
        .corsOrigins
        == .some(["https://portal.acme.dev", "http://localhost:3000", "https://a.dev"]))
    for text in [
      "portal.acme.dev", "https://", "https://a.dev/", "https://a.dev/x", "https://*.a.dev", "*,https://a.dev",
      "https://u@a.dev", "null", "https://a.dev?x",
    ] {
      #expect(problems(["PORC_CORS_ORIGINS": text])?.problems.isEmpty == false, "\(text)")
    }
  }

  @Test(arguments: ["porc.acme.dev", "ftp://acme.dev", "https://", "https://acme.dev?a=b", "https://user@acme.dev"])
  func aPublicAddressThatIsNoneIsRefused(text: String) {
    #expect(problems(["PORC_PUBLIC_URL": text])?.problems.count == 1)
  }

  @Test func everythingMissingIsNamedAtOnce() {
    let problems = problems(Self.environment.mapValues { _ in String?.none })
    let expected = Self.environment.keys.map { name in
      let key = name.replacingOccurrences(of: "_", with: ".", range: name.range(of: "_")).lowercased()
      return "\(key) (\(name)) is missing."
    }
    #expect(Set(problems?.problems ?? []) == Set(expected))
    #expect(problems?.description.contains("porc dev") == true)
  }

  @Test func everythingWrongIsNamedAtOnceAndNothingSecretIsShown() {
    let problems = problems([
      "TFE_ADDRESS": "tfe.acme.dev", "PORT_BASE_URL": "ftp://port", "PORT_API": "soap", "PORC_LISTEN": "8800",
      "PORC_DATABASE_URL": "postgres://somebody:pa55word@db/porc", "PORC_CONCURRENCY": "0",
      "PORC_RETENTION_SECONDS": "-1", "PORC_APPROVAL_REQUIRED": "perhaps", "TFE_EXECUTION_MODE": "local",
      "PORC_CATALOG_INTERVAL_SECONDS": "1.5", "PORT_SETUP": "2",
    ])
    let named = Set((problems?.problems ?? []).compactMap { $0.split(separator: " ").first.map(String.init) })
    #expect(
      named == [
        "tfe.address", "port.base_url", "port.api", "porc.listen", "porc.database_url", "porc.concurrency",
        "porc.retention_seconds", "porc.approval_required", "tfe.execution_mode", "porc.catalog_interval_seconds",
        "port.setup",
      ])
    #expect(problems?.problems.count == named.count)
    for secret in ["t0ken-of-tfe", "s3cret-of-port", "pa55word"] {
      #expect(problems?.description.contains(secret) == false)
    }
  }

  @Test func portMayKnowThingsByOtherNames() throws {
    let settings = try settings([
      "PORT_TEMPLATE_BLUEPRINT": "terraform-module", "PORT_INSTANCE_BLUEPRINT": "déploiement", "PORT_AGENT": "yes",
      "PORT_ACTION_PREFIX": "tf.", "PORT_SECRET_NAME": "TF-TOKEN",
      "PORT_IMPERSONATE": "no",
    ])
    #expect(settings.portal.names.blueprint(.template) == "terraform-module")
    #expect(settings.portal.names.blueprint(.instance) == "déploiement")
    #expect(settings.portal.names.actionPrefix == "tf." && settings.portal.names.secretName == "TF-TOKEN")
    #expect(settings.portal.usesAgent && !settings.portal.impersonates)
  }

  @Test func aNameThatPortDoesNotTakeIsRefused() {
    let problems = problems([
      "PORT_TEMPLATE_BLUEPRINT": "..", "PORT_INSTANCE_BLUEPRINT": "a b", "PORT_ACTION_PREFIX": "a/",
      "PORT_SECRET_NAME": "A.B",
    ])
    let named = (problems?.problems ?? []).compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(
      Set(named) == ["port.template_blueprint", "port.instance_blueprint", "port.action_prefix", "port.secret_name"])
    #expect(self.problems(["PORT_TEMPLATE_BLUEPRINT": "x", "PORT_INSTANCE_BLUEPRINT": "x"])?.problems.count == 1)
  }

  @Test func thePlainDialectNeedsItsTokenAndNothingElse() {
    let problems = problems(["PORT_API": "entities", "PORT_CLIENT_ID": nil, "PORT_CLIENT_SECRET": nil])
    #expect(problems?.problems == ["port.api_token (PORT_API_TOKEN) is missing."])
  }

  @Test func buttonsHaveTheirSettings() throws {
    let usual = try settings().portal
    #expect(usual.signingSecrets == ["s3cret-of-port"] && usual.buttons.scopes == [.plan, .apply, .approve, .destroy])
    #expect(!usual.buttons.requiresSignature && !usual.usesAgent)
    let portal = try settings([
      "PORT_WEBHOOK_SECRETS": "old, new", "PORT_REQUIRE_SIGNATURE": "yes", "PORT_AGENT": "true",
      "PORT_BUTTON_SCOPES": "plan,approve",
    ]).portal
    #expect(portal.signingSecrets == ["old", "new"] && portal.buttons.scopes == [.plan, .approve])
    #expect(portal.buttons.requiresSignature && portal.usesAgent)
    #expect(try settings(["PORT_BUTTON_SCOPES": "none"]).portal.buttons.scopes == [])
    let plain = try settings(["PORT_API": "entities", "PORT_API_TOKEN": "plain", "PORT_CLIENT_SECRET": nil]).portal
    #expect(plain.signingSecrets == [])
    for text in ["plan,write", "plan,none", "all"] {
      #expect(problems(["PORT_BUTTON_SCOPES": text])?.problems.count == 1, "\(text)")
    }
  }

  @Test func settingsDoNotPrintTheirSecrets() throws {
    let settings = try settings(["PORT_WEBHOOK_SECRETS": "s3cret-of-a-button"])
    var dumped = ""
    dump(settings, to: &dumped)
    for text in ["\(settings)", String(reflecting: settings), dumped] {
      #expect(!text.contains("t0ken-of-tfe") && !text.contains("s3cret-of"))
    }
  }

  @Test func theEnvironmentGoesBeforeTheFile() async throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      tfe:
        address: https://file.acme.dev
        token: from-the-file
        organization: acme
        workspace_prefix: f-
      port:
        base_url: https://api.port.io
        client_id: client
        client_secret: s3cret
        setup: true
      porc:
        secret_key_file: /etc/porc/key
        templates: [/a, /b]
        retention_seconds: 120
        approval_required: yes
        listen: 0.0.0.0:80
      """, to: "porc.yaml")
    let file = try await FileProvider<YAMLSnapshot>(filePath: FilePath(folder.file("porc.yaml").path))
    let environment = EnvironmentVariablesProvider(environmentVariables: ["TFE_ADDRESS": "https://env.acme.dev"])
    let settings = try ServerSettings(ConfigReader(providers: [environment, file]))
    #expect(settings.tfe.address.absoluteString == "https://env.acme.dev")
    #expect(settings.tfe.token == "from-the-file" && settings.tfe.workspacePrefix == "f-")
    #expect(settings.catalog.folders == ["/a", "/b"])
    #expect(settings.retention == 120 && settings.approvalRequired && settings.portal.setsUp)
    #expect(settings.host == "0.0.0.0" && settings.listenPort == 80)
  }

  /// The same is refused over the API; and what is refused is not shown.
  @Test func everySourceThatCannotBeReadIsNamedAtOnceAndNoPasswordIsShown() {
    let file = """
      sources:
        a:
          git: http://bob:secretpw99@127.0.0.1/a.git
        b: {git: "http://git.example.com/a.git"}
        c: {registry: "bob:secretpw99@127.0.0.1:8080", modules: [acme/net/aws, "bob:secretpw99@x/a/b/c"]}
        d: {tfe: "bob:secretpw99@acme"}
        e: {git: "ssh://git@git.example.com/a.git"}
        f: {git: "https://git.example.com/a.git", token: "two words"}
        g: {git: /srv/modules.git}
      """
    let environment = Self.environment.merging(["PORC_CONCURRENCY": "0"]) { $1 }
    let problems = #expect(throws: SettingsProblems.self) {
      try ServerSettings(
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)), file: Array(file.utf8))
    }
    let text = problems?.description ?? ""
    for place in [
      "line 3, /sources/a/git: ", "/sources/b/git: 'http'", "/sources/c/registry: ", "/sources/c/modules/1: ",
      "/sources/d/tfe: ", "/sources/e: ", "/sources/f/token: ", "porc.concurrency",
    ] { #expect(text.contains(place), "\(place) in \(text)") }
    #expect(problems?.problems.count == 8 && !text.contains("secretpw99"))
  }

  /// Others may have variables that begin as PORC's do: Kubernetes makes some of a service's name.
  @Test func whatLooksMisspeltInTheEnvironmentIsSaid() throws {
    func settings(_ environment: [String: String]) throws -> ServerSettings {
      try ServerSettings(
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)),
        environment: environment.keys)
    }
    let others = [
      "PORC_URL", "PORC_TOKEN", "PORC_ALLOW_HTTP", "PORC_DATA", "PORC_SERVICE_HOST", "PORC_SERVICE_PORT", "PORC_PORT",
      "PORC_PORT_8800_TCP", "PORC_PORT_8800_TCP_ADDR", "PORC_PORT_8800_TCP_PROTO", "PORC_SERVICE_PORT_HTTP", "PATH",
      "PORT", "PORT_REQUIRE_SIGNATURE", "PORT_TEMPLATE_PROPERTIES",
    ]
    let environment = Self.environment.merging(others.map { ($0, "no") }) { $1 }
    #expect(try settings(environment).doubts == [])
    let doubt = "'PORT_REQUIRE_SIGNTURE' in the environment is no setting. Did you mean 'PORT_REQUIRE_SIGNATURE'?"
    var misspelt = environment
    misspelt["PORT_REQUIRE_SIGNTURE"] = "yes"
    #expect(try settings(misspelt).doubts == [doubt])
    misspelt["TFE_TOKEN"] = nil
    let problems = #expect(throws: SettingsProblems.self) { try settings(misspelt) }
    #expect(problems?.problems == ["tfe.token (TFE_TOKEN) is missing.", doubt])
  }

  /// What is of another type would silently not be so.
  @Test func whatIsNoValueOfItsSettingIsRefused() throws {
    func settings(_ file: String) throws -> ServerSettings {
      try ServerSettings(
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: Self.environment)),
        file: Array(file.utf8))
    }
    for (file, problem) in [
      (
        "port:\n  webhook_secrets: {a: s3cret}\n",
        "line 2: 'port.webhook_secrets' is a mapping, and should be one value or a list."
      ),
      (
        "port:\n  require_signature: {a: yes}\n",
        "line 2: 'port.require_signature' is a mapping, and should be one value."
      ),
      ("port:\n  require_signature: [yes]\n", "line 2: 'port.require_signature' is a list, and should be one value."),
      ("port:\n  button_scopes:\n", "line 2: 'port.button_scopes' has no value. Give it one, or leave it out."),
      ("port:\n  button_scopes: []\n", "line 2: 'port.button_scopes' has no value. Give it one, or leave it out."),
      ("port:\n  button_scopes: ''\n", "line 2: 'port.button_scopes' has no value. Give it one, or leave it out."),
      (
        "port:\n  webhook_secrets: [a, 5]\n",
        "line 2: 'port.webhook_secrets' has something else in its list than texts."
      ),
      ("porc: [1, 2]\n", "line 1: 'porc' is no mapping of names to values."),
      ("port: s3cret\n", "line 1: 'port' is no mapping of names to values."),
    ] {
      let problems = #expect(throws: SettingsProblems.self) { try settings(file) }
      #expect(problems?.problems == [problem])
    }
    _ = try settings("port:\nporc:\n  retention_seconds: 5\n  templates: [/a]\n")
  }

  @Test func propertiesBesidePorcsOwnAreReadWithEverythingThatIsWrong() throws {
    func settings(_ file: String) throws -> ServerSettings {
      try ServerSettings(
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: Self.environment)),
        file: Array(file.utf8))
    }
    let good = try settings("port:\n  instance_properties:\n    platform: {value: gcp}\n")
    #expect(good.portal.extras.instance.map(\.key) == ["platform"])
    let bad = "port:\n  instance_properties:\n    run_id: {value: x}\n    a: {from: nowhere}\n"
    let problems = #expect(throws: SettingsProblems.self) { try settings(bad) }
    #expect(problems?.problems.count == 2)
    for text in ["port: line 3, /port/instance_properties/run_id: ", "line 4, /port/instance_properties/a/from: "] {
      #expect(problems?.description.contains(text) == true)
    }
  }
}
