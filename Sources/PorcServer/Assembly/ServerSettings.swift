public import Configuration
public import Foundation
import Git
import HCL
import PorcCore
import PortPortal

/// Everything a server must be told. `porc dev` fills it in by itself; `porc serve` reads it from a file and the environment.
public struct ServerSettings: Sendable {
  public var host = "127.0.0.1"
  /// 0 picks a free one.
  public var listenPort = 8800
  public var databasePath: String
  public var secretKeyFile: String
  public var tfe: TFESettings
  public var portal: PortalSettings
  public var catalog = CatalogSettings()
  public var backstage = BackstageSettings()
  /// How long a destroyed instance stays visible, in seconds.
  public var retention: TimeInterval = 24 * 3600
  /// A plan older than this cannot be applied, in seconds; `nil` for no limit.
  public var maximumPlanAge: TimeInterval?
  /// Whether every apply needs an approval.
  public var approvalRequired = false
  /// How many jobs of a class are done at once: decisions, what leads to plans, what reads how far they have come.
  public var lanes = 8
  /// How many event and log streams may be open at once.
  public var maximumStreams = 500
  /// How many status reads may wait for a change at once.
  public var maximumWaits = 2000
  /// Seconds between two comparisons of the portal with what it should show.
  public var reconcileInterval: TimeInterval = 300
  /// Seconds between two looks for what was left lying; what has moved within twice that time is left alone.
  public var sweepInterval: TimeInterval = 30
  /// Where TFE reaches this PORC, to tell it about runs; `nil` where it does not.
  public var publicURL: PublicURL?
  /// Seconds between two looks at what TFE should have told about runs under way.
  public var followInterval: TimeInterval = 10

  /// What looks like a misspelt setting, and may be somebody else's.
  public var doubts: [String] = []

  /// Of which origins pages may call PORC from a browser; `nil` for none.
  var corsOrigins: CORSMiddleware.Origins?

  public init(databasePath: String, secretKeyFile: String, tfe: TFESettings, portal: PortalSettings) {
    self.databasePath = databasePath
    self.secretKeyFile = secretKeyFile
    self.tfe = tfe
    self.portal = portal
    catalog.cacheFolder = "\(databasePath)-cache"
  }
}

/// Where others reach a server.
public enum PublicURL: Sendable, Equatable {
  /// Without a slash at its end.
  case named(String)
  /// Where it listens: everybody is on the same machine.
  case listening
}

/// Everything that is wrong with the settings, at once.
public struct SettingsProblems: Error, Sendable, CustomStringConvertible {
  public var problems: [String]

  public var description: String {
    (["PORC cannot start with these settings:"] + problems.map { "  - \($0)" }
      + ["For a PORC that needs no settings, run: porc dev"]).joined(separator: "\n")
  }
}

extension ServerSettings {
  /// Which database a server has where nothing says another.
  public static let usualDatabaseURL = "sqlite:porc.sqlite"

  /// Reads the settings; each key has one environment name: `tfe.token` is `TFE_TOKEN`.
  ///
  /// | key | type | default | |
  /// |---|---|---|---|
  /// | `tfe.address` | URL | required | |
  /// | `tfe.token` | text, secret | required | a team token |
  /// | `tfe.organization` | text | required | |
  /// | `tfe.project` | text | none | the project of new workspaces |
  /// | `tfe.workspace_prefix` | text | `porc-` | |
  /// | `tfe.execution_mode` | text | none | `remote` or `agent`; set on workspaces, and repaired |
  /// | `tfe.maximum_runs` | number | 50 | a plan begins only while fewer runs plan or apply |
  /// | `tfe.calls_per_second` | number | 30, or what TFE's answers say | TFE's limit for the token; 0 for none |
  /// | `port.base_url` | URL | required | |
  /// | `port.api` | text | `api` | `api` is Port's own, `entities` the plain one |
  /// | `port.client_id`, `port.client_secret` | text, secret | required with `api` | |
  /// | `port.api_token` | text, secret | required with `entities` | |
  /// | `port.setup` | yes or no | no | does at start what `porc port setup` does |
  /// | `port.removal_percent` | number | 25 | the share of a kind that may go from Port at once; more waits for a word |
  /// | `port.template_blueprint` | text | `blueprint_template` | what Port calls templates |
  /// | `port.instance_blueprint` | text | `blueprint_instance` | what Port calls instances |
  /// | `port.action_prefix` | text | `porc_` | what the identifiers of the buttons begin with |
  /// | `port.secret_name` | text | `PORC_TOKEN` | Port's secret with the token that the buttons send |
  /// | `port.impersonate` | yes or no | yes | the portal's user counts as who pressed a button, with that token too |
  /// | `port.agent` | yes or no | no | Port's agent calls PORC in Port's place |
  /// | `port.webhook_secrets` | texts, secret: a list, or with `,` between them | the client secret | one of them signs each call of a button |
  /// | `port.require_signature` | yes or no | no | whether each press needs a signature |
  /// | `port.button_scopes` | scopes: a list, or with `,` between them; or `none` | `plan,apply,approve,destroy` | what a signed call may without a token |
  /// | `backstage.namespace` | text | `default` | of all entities in Backstage's catalog |
  /// | `backstage.default_owner` | text | `porc.installation` | owns there what names no owner |
  /// | `backstage.template_kind` | text | `component` | or `resource`: what templates are there |
  /// | `backstage.annotation_prefix` | text | `porc.dev` | of PORC's own annotations and labels there |
  /// | `porc.listen` | HOST:PORT | `127.0.0.1:8800` | |
  /// | `porc.public_url` | URL | none | where TFE reaches PORC, to tell it about runs, and its workspaces link to |
  /// | `porc.cors_origins` | origins, or `*`: a list, or with `,` between them | none | whose pages may call from a browser |
  /// | `porc.follow_interval_seconds` | number | 10 | between two looks at what TFE did not tell |
  /// | `porc.database_url` | `sqlite:PATH` | `sqlite:porc.sqlite` | |
  /// | `porc.secret_key_file` | path | required | 32 bytes as base64, mode 0600 |
  /// | `porc.templates` | paths: a list, or with `,` between them | none | folders of templates |
  /// | `porc.installation` | text | `porc` | names this PORC in TFE's tags |
  /// | `porc.retention_seconds` | number | 86400 | |
  /// | `porc.maximum_plan_age_seconds` | number | none | |
  /// | `porc.approval_required` | yes or no | no | |
  /// | `porc.catalog_interval_seconds` | number | 30 | between two looks at the sources of templates |
  /// | `porc.cache_folder` | path | the database's, with `-cache` | copies of repositories |
  /// | `porc.repository_megabytes` | number | 512 | the most that is fetched of a repository at once |
  /// | `porc.repository_files` | number | 100000 | the most files of one module |
  /// | `porc.file_megabytes` | number | 10 | the largest file of a module |
  /// | `porc.module_megabytes` | number | 20 | the largest module |
  /// | `github.webhook_secret` | texts, secret: a list, or with `,` between them | none | one of them signs each webhook |
  /// | `porc.reconcile_interval_seconds` | number | 300 | |
  /// | `porc.sweep_interval_seconds` | number | 30 | |
  /// | `porc.concurrency` | number | 8 | jobs of a class done at once |
  /// | `porc.maximum_streams` | number | 500 | open event and log streams |
  /// | `porc.maximum_waits` | number | 2000 | status reads that wait for a change |
  ///
  /// Beside these, the file may hold `sources`: a mapping from names to sources of templates; and `instance_properties`
  /// and `template_properties` under `port`: mappings from names to properties that PORC shows beside its own.
  ///
  /// - Parameters:
  ///   - file: the bytes of the settings' file, if there is one, for these.
  ///   - environment: the names of all that is set in the environment; ``doubts`` has those that look misspelt.
  /// - Throws: ``SettingsProblems`` with all of them.
  public init(_ config: ConfigReader, file: [UInt8]? = nil, environment: some Sequence<String> = []) throws {
    var reader = SettingsReader(config)
    let portal = Self.portal(&reader, file)
    let tfe = Self.tfe(&reader)
    let listen = reader.text("porc.listen") ?? "127.0.0.1:8800"
    let database = reader.text("porc.database_url") ?? Self.usualDatabaseURL
    if !database.hasPrefix("sqlite:") {
      reader.problem("porc.database_url", "is not sqlite:PATH")
    }
    self.init(
      databasePath: String(database.dropFirst("sqlite:".count)),
      secretKeyFile: reader.required("porc.secret_key_file"), tfe: tfe, portal: portal)
    if let (host, port) = Self.address(listen) {
      (self.host, listenPort) = (host, port)
    } else {
      reader.problem("porc.listen", "is not HOST:PORT")
    }
    catalog = Self.catalog(&reader, file, databasePath: databasePath)
    backstage = Self.backstage(&reader)
    retention = reader.seconds("porc.retention_seconds") ?? retention
    maximumPlanAge = reader.seconds("porc.maximum_plan_age_seconds")
    approvalRequired = reader.flag("porc.approval_required") ?? false
    reconcileInterval = reader.seconds("porc.reconcile_interval_seconds", atLeast: 1) ?? reconcileInterval
    sweepInterval = reader.seconds("porc.sweep_interval_seconds", atLeast: 1) ?? sweepInterval
    followInterval = reader.seconds("porc.follow_interval_seconds", atLeast: 1) ?? followInterval
    publicURL = reader.publicURL("porc.public_url")
    if case .named(let url) = publicURL { self.tfe.publicURL = url }
    corsOrigins = reader.origins("porc.cors_origins")
    lanes = reader.number("porc.concurrency", in: 1...256) ?? lanes
    maximumStreams = reader.number("porc.maximum_streams", in: 0...100_000) ?? maximumStreams
    maximumWaits = reader.number("porc.maximum_waits", in: 0...100_000) ?? maximumWaits
    if let file { reader.check(file) }
    doubts = reader.doubts(of: environment)
    guard reader.problems.isEmpty else { throw SettingsProblems(problems: reader.problems + doubts) }
  }

  private static func tfe(_ reader: inout SettingsReader) -> TFESettings {
    var settings = TFESettings(
      address: reader.url("tfe.address"), token: reader.required("tfe.token", isSecret: true),
      organization: reader.required("tfe.organization"), project: reader.text("tfe.project"))
    settings.workspacePrefix = reader.text("tfe.workspace_prefix") ?? settings.workspacePrefix
    settings.installation = reader.text("porc.installation") ?? settings.installation
    settings.maximumRuns = reader.number("tfe.maximum_runs", in: 1...10_000) ?? settings.maximumRuns
    settings.callsPerSecond = reader.number("tfe.calls_per_second", in: 0...1000)
    settings.executionMode = reader.text("tfe.execution_mode")
    if let mode = settings.executionMode, mode != "remote", mode != "agent" {
      reader.problem("tfe.execution_mode", "is neither 'remote' nor 'agent'")
    }
    return settings
  }

  private static func catalog(
    _ reader: inout SettingsReader, _ file: [UInt8]?, databasePath: String
  ) -> CatalogSettings {
    var settings = CatalogSettings()
    settings.folders = reader.list("porc.templates")
    settings.interval = reader.seconds("porc.catalog_interval_seconds", atLeast: 1) ?? settings.interval
    settings.cacheFolder = reader.text("porc.cache_folder") ?? "\(databasePath)-cache"
    settings.webhookSecrets = reader.list("github.webhook_secret", isSecret: true)
    func megabytes(_ key: String, in range: ClosedRange<Int>) -> Int? { reader.number(key, in: range).map { $0 << 20 } }
    settings.limits.fetchedBytes =
      megabytes("porc.repository_megabytes", in: 1...100_000) ?? settings.limits.fetchedBytes
    settings.limits.entries = reader.number("porc.repository_files", in: 1...10_000_000) ?? settings.limits.entries
    settings.limits.fileBytes = megabytes("porc.file_megabytes", in: 1...1_000) ?? settings.limits.fileBytes
    settings.limits.treeBytes = megabytes("porc.module_megabytes", in: 1...1_000) ?? settings.limits.treeBytes
    if let file {
      let read = SourceDescription.readAll(file) { SourceCheck.findings(in: $0, allowsLocalPaths: true) }
      settings.sources = read.descriptions
      for finding in read.findings { reader.problem("sources", finding) }
    }
    return settings
  }

  private static func portal(_ reader: inout SettingsReader, _ file: [UInt8]?) -> PortalSettings {
    let baseURL = reader.url("port.base_url")
    let name = reader.text("port.api") ?? PortClient.Dialect.api.rawValue
    let dialect = PortClient.Dialect(rawValue: name)
    if dialect == nil { reader.problem("port.api", "is neither 'api' nor 'entities'") }
    let credentials: PortClient.Credentials =
      dialect == .entities
      ? .staticToken(reader.required("port.api_token", isSecret: true))
      : .clientCredentials(
        id: reader.required("port.client_id"), secret: reader.required("port.client_secret", isSecret: true))
    var settings = PortalSettings(
      baseURL: baseURL, credentials: credentials, dialect: dialect ?? .api,
      setsUp: reader.flag("port.setup") ?? false)
    if let percent = reader.number("port.removal_percent", in: 0...100) {
      settings.removalLimit = Double(percent) / 100
    }
    settings.usesAgent = reader.flag("port.agent") ?? false
    settings.impersonates = reader.flag("port.impersonate") ?? true
    settings.names = names(&reader)
    settings.buttons = buttons(&reader)
    if let file {
      let read = ExtraProperties.read(file, taken: PortBlueprints.ownKeys)
      settings.extras = read.properties
      for finding in read.findings { reader.problem("port", finding) }
    }
    return settings
  }

  private static func names(_ reader: inout SettingsReader) -> PortNames {
    var names = PortNames()
    func name(_ key: String, _ name: inout String, _ rule: String, _ isGood: (String) -> Bool) {
      guard let text = reader.text(key) else { return }
      if isGood(text) { name = text } else { reader.problem(key, rule) }
    }
    for (key, path) in [
      ("port.template_blueprint", \PortNames.templateBlueprint), ("port.instance_blueprint", \.instanceBlueprint),
    ] {
      name(key, &names[keyPath: path], "is no name that Port takes for a blueprint", PortNames.isBlueprint)
    }
    name(
      "port.action_prefix", &names.actionPrefix, "begins no name that Port takes for an action",
      PortNames.isActionPrefix)
    name("port.secret_name", &names.secretName, "is no name that Port takes for a secret", PortNames.isSecret)
    if names.templateBlueprint == names.instanceBlueprint {
      reader.problem("port.instance_blueprint", "is the same as port.template_blueprint")
    }
    return names
  }

  private static func buttons(_ reader: inout SettingsReader) -> ButtonSettings {
    var settings = ButtonSettings()
    settings.secrets = reader.list("port.webhook_secrets", isSecret: true)
    settings.requiresSignature = reader.flag("port.require_signature") ?? false
    let names = reader.list("port.button_scopes")
    guard !names.isEmpty else { return settings }
    settings.scopes = Set(names.compactMap(Scope.init))
    for name in names where Scope(rawValue: name) == nil && names != ["none"] {
      reader.problem("port.button_scopes", "has '\(name)', which is no scope")
    }
    return settings
  }

  private static func backstage(_ reader: inout SettingsReader) -> BackstageSettings {
    var settings = BackstageSettings()
    if let namespace = reader.text("backstage.namespace") {
      settings.namespace = namespace
      if !BackstageSettings.isNamespace(namespace) {
        reader.problem("backstage.namespace", "is not 1 to 63 lower-case letters, digits and inner '-'")
      }
    }
    settings.defaultOwner = reader.text("backstage.default_owner")
    if let owner = settings.defaultOwner, OwnerReference(owner) == nil {
      reader.problem("backstage.default_owner", "names no group or user")
    }
    if let kind = reader.text("backstage.template_kind") {
      settings.templateKind = BackstageSettings.TemplateKind(rawValue: kind) ?? .component
      if settings.templateKind.rawValue != kind {
        reader.problem("backstage.template_kind", "is neither 'component' nor 'resource'")
      }
    }
    if let prefix = reader.text("backstage.annotation_prefix") {
      settings.annotationPrefix = prefix
      if !BackstageSettings.isPrefix(prefix) {
        reader.problem("backstage.annotation_prefix", "is no DNS name in lower case")
      }
    }
    return settings
  }

  /// `HOST:PORT`, the host in brackets where it holds colons.
  public static func address(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { return nil }
    let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    return host.isEmpty ? nil : (host, port)
  }
}
