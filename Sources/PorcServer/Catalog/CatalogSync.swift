import Foundation
import HCL
import Logging
import PorcCore
import PorcStore
import Synchronization

/// Keeps the catalog true to its sources. A source that fails harms no other.
final class CatalogSync: Sendable {
  private let store: any Store
  private let factory: SourceFactory
  private let logger: Logger
  private let turns = Mutex<[String: AsyncTurn]>([:])
  private let executor = ReadingExecutor()
  private let latest = Mutex<[String: SourceReport]>([:])

  /// How many modules are read before they are stored: it bounds the memory. A multiple of what Port takes at once, so
  /// that its calls are full.
  private static let batch = 40

  init(store: any Store, factory: SourceFactory, logger: Logger) {
    self.store = store
    self.factory = factory
    self.logger = logger
  }

  /// All sources with how each did last, by name.
  func report() async throws -> [SourceBody] {
    let latest = latest.withLock(\.self)
    let refused = Dictionary(grouping: try await store.refusedTemplates(), by: \.source)
    return try await configured().map { entry in
      var report = latest[entry.source.name] ?? entry.record?.report ?? SourceReport()
      report.findings += (refused[entry.source.name] ?? []).map(Self.refused)
      return SourceBody(
        source: SourceCheck.shown(entry.source), isReadOnly: entry.isReadOnly, hasCredentials: entry.hasCredentials,
        report: report)
    }
  }

  /// Gives up what comes from sources that are no more.
  ///
  /// - Returns: the names of all sources there are, those together that are to be read one after the other; and of
  ///   which nothing may be known yet.
  func begin() async throws -> (groups: [[String]], unknown: Set<String>) {
    let configured = try await configured()
    let sources = configured.map(\.source)
    try await store.giveUpSources(except: Set(sources.map(\.name)))
    if sources.isEmpty { try await store.settleTemplates() }
    let folders = sources.filter { $0.place.kind == .folder }.map(\.name)
    let others = sources.filter { $0.place.kind != .folder }.map { [$0.name] }
    // What was read before is in the database, however the source does now. Folders are quick.
    let known = configured.filter { $0.source.place.kind != .folder && $0.record?.report != nil }
    return (
      (folders.isEmpty ? [] : [folders]) + others, Set(sources.map(\.name)).subtracting(known.map(\.source.name))
    )
  }

  /// Reads the sources, all or those of these names. Returns once the catalog is as they are.
  func sync(only names: Set<String>? = nil) async throws {
    let all = try await configured()
    if names == nil { try await store.giveUpSources(except: Set(all.map(\.source.name))) }
    let wanted = all.filter { names?.contains($0.source.name) != false }
    // Folders are quick, and one after the other: of two that have an identifier, the first has it on every machine.
    for entry in wanted where entry.source.place.kind == .folder { try await takeTurn(entry) }
    try await withThrowingTaskGroup { group in
      for entry in wanted where entry.source.place.kind != .folder {
        group.addTask { [self] in try await takeTurn(entry) }
      }
      try await group.waitForAll()
    }
    try await store.settleTemplates()
  }

  /// The sources there are now: those of the configuration, then those that were added.
  func configured() async throws -> [ConfiguredSource] { factory.sources(try await store.sources()) }

  /// Gives up what a source that was removed has brought.
  func forget(_ name: String) async throws {
    // Whoever reads it now ends first: its copy is not taken away under it.
    try await turn(of: name).clear { [self] in
      try await factory.forget(name)
      latest.withLock { _ = $0.removeValue(forKey: name) }
      try await store.giveUpSources(except: Set(try await configured().map(\.source.name)))
      try await store.settleTemplates()
    }
  }

  /// The sources that may have more to give though nothing in them has changed: an identifier that another source had, for
  /// one.
  func incomplete() async throws -> Set<String> {
    Set(try await configured().filter { $0.record?.fingerprint?.isEmpty == true }.map(\.source.name))
  }

  private func takeTurn(_ entry: ConfiguredSource) async throws {
    while true {
      do {
        return try await turn(of: entry.source.name).share { try await self.sync(entry) }
      } catch is CancellationError where !Task.isCancelled {
        // It was removed, or only that look at it was ended: whoever began the look has left, or the source was removed and
        // added again.
        guard try await isThere(entry) else { return }
      }
    }
  }

  private func isThere(_ entry: ConfiguredSource) async throws -> Bool {
    if entry.isReadOnly { return true }
    return try await store.sources().first { $0.name == entry.source.name }?.source == entry.source
  }

  private func turn(of name: String) -> AsyncTurn {
    turns.withLock { turns in
      if let turn = turns[name] { return turn }
      let turn = AsyncTurn()
      turns[name] = turn
      return turn
    }
  }

  private func sync(_ entry: ConfiguredSource) async throws {
    let name = entry.source.name
    // As it is now: another sync may have come before, or it was removed while this one waited.
    let record = try await store.sources().first { $0.name == name }
    guard entry.isReadOnly || record?.source == entry.source else { return }
    let before = latest.withLock { $0[name] } ?? record?.report
    do {
      let view = try await factory.make(entry, outerFolders: try await outerFolders(of: entry.source)).look()
      let fingerprint = "\(TemplateReader.version) \(entry.source.digest) \(view.fingerprint)"
      if record?.fingerprint == fingerprint, var report = before, report.error == nil {
        report.syncedAt = Date()
        latest.withLock { $0[name] = report }
        return
      }
      let (report, isComplete) = try await read(view, of: name, before: before)
      try await note(report, fingerprint: isComplete ? fingerprint : "", of: name, before: before)
    } catch let fault as Fault {
      var report = before ?? SourceReport()
      (report.error, report.fix) = (fault.fullMessage, fault.fix)
      try await note(report, fingerprint: nil, of: name, before: before)
    }
  }

  /// Takes into the catalog what is new or has changed, and gives up what is gone.
  ///
  /// - Returns: whether there is nothing to look at again while the source stays as it is.
  private func read(
    _ view: any ModuleView, of name: String, before: SourceReport?
  ) async throws -> (report: SourceReport, isComplete: Bool) {
    let listing = try await view.list()
    try Task.checkCancellation()
    let (modules, clashes) = Self.withoutClashes(listing.modules)
    let known = try await store.knownTemplates(of: name)
    try refuseToForget(known.count, listing, name)
    var findings = listing.findings + clashes
    if listing.owners?.isTooLarge == true { findings.append(Self.tooManyOwners) }
    // What cannot be looked at now stays as it is.
    var kept = Set(
      known.keys.filter { id in listing.unread.contains { id.rawValue.hasPrefix("\(Template.ID(modulePath: $0))-") } })
    var isComplete = listing.unread.isEmpty
    var changed: [ListedModule] = []
    let unchanged = try await unchanged(modules, known, in: view)
    for module in modules {
      let id = Template.ID(modulePath: module.path)
      if unchanged.contains(id) {
        kept.insert(id)
        findings += (before?.findings ?? []).filter { $0.message.hasPrefix("\(module.path): ") }
      } else {
        changed.append(module)
      }
    }
    var taken: [Template.ID] = []
    var batch: [ReadModule] = []
    func add(_ batch: [ReadModule]) async throws {
      let outcomes = try await templates(of: batch, in: listing, name)
      for outcome in outcomes {
        findings += outcome.findings
        if outcome.mayBeReadLater { isComplete = false }
        guard let template = outcome.template else { continue }
        kept.insert(template.id)
        if let before = known[template.id], before.archive != template.archive {
          findings.append(Self.changed(template))
        }
      }
      let archives = outcomes.compactMap { outcome in outcome.template.map { ($0.archive, outcome.archive) } }
      taken += try await store.putTemplates(
        outcomes.compactMap(\.template), of: name, archives: Dictionary(archives, uniquingKeysWith: { $1 }))
    }
    try await view.read(changed) { module in
      batch.append(module)
      guard batch.count == Self.batch else { return }
      try await add(batch)
      batch = []
    }
    if !batch.isEmpty { try await add(batch) }
    try await store.giveUpTemplates(of: name, except: kept)
    for id in taken {
      let owner = try await store.template(id)?.source ?? "another"
      findings.append(
        Finding(at: "", "The identifier '\(id)' belongs to the source '\(owner)' already.", fix: "Rename the module."))
    }
    let report = SourceReport(templates: kept.count - taken.count, findings: findings, syncedAt: Date())
    return (report, isComplete && taken.isEmpty)
  }

  /// The folders that the templates of a folder source take along. Other sources tell a change of any folder by
  /// themselves.
  private func outerFolders(of source: TemplateSource) async throws -> Set<String> {
    guard source.place.kind == .folder else { return [] }
    let contents = try await store.knownTemplates(of: source.name).values.compactMap(\.content)
    return Set(contents.flatMap { TakenAlong.paths(in: $0.drop { $0 != "\n" }) })
  }

  /// Of which modules both the content and the contents of what they take along are those that are stored.
  private func unchanged(
    _ modules: [ListedModule], _ known: [Template.ID: KnownTemplate], in view: any ModuleView
  ) async throws -> Set<Template.ID> {
    var unchanged: Set<Template.ID> = []
    var stamped: [(id: Template.ID, stamp: Substring, folders: [OuterFolder])] = []
    for module in modules {
      let id = Template.ID(modulePath: module.path)
      guard let content = known[id]?.content else { continue }
      let own = Self.content(of: module)
      if content == own {
        unchanged.insert(id)
      } else if content.hasPrefix("\(own)\n") {
        let stamp = content.dropFirst(own.count)
        let folders = TakenAlong.paths(in: stamp).map { OuterFolder(commit: module.commit, path: $0) }
        stamped.append((id, stamp, folders))
      }
    }
    let folders = Array(Set(stamped.flatMap(\.folders)))
    guard !folders.isEmpty else { return unchanged }
    let contents = Dictionary(zip(folders, try await view.contents(of: folders)), uniquingKeysWith: { $1 })
    for (id, stamp, folders) in stamped {
      var now = TakenAlong()
      for folder in folders { now.folders[folder.path] = contents[folder] ?? nil }
      if now.stamp == stamp { unchanged.insert(id) }
    }
    return unchanged
  }

  /// Reads modules side by side.
  private func templates(
    of modules: [ReadModule], in listing: ModuleListing, _ name: String
  ) async throws -> [TemplateReader.Outcome] {
    let workers = 2
    return try await withThrowingTaskGroup(of: [(Int, TemplateReader.Outcome)].self) { group in
      for worker in 0..<workers {
        group.addTask(executorPreference: executor, priority: .utility) {
          var outcomes: [(Int, TemplateReader.Outcome)] = []
          for index in stride(from: worker, to: modules.count, by: workers) {
            var outcome = try TemplateReader.read(modules[index], in: listing, of: name)
            outcome.template?.content = Self.content(of: modules[index].module) + outcome.outerFolders
            outcomes.append((index, outcome))
          }
          return outcomes
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// What is stored to tell whether a module has changed: its content, and how it was read. What it takes along follows.
  private static func content(of module: ListedModule) -> String { "\(TemplateReader.version) \(module.content)" }

  private static func refused(_ template: RefusedTemplate) -> Finding {
    Finding(
      at: "", "\(template.id): is not shown in Port as it is, since Port refuses it: \(template.reason)",
      fix: "Make the template smaller, or mend what Port names. It is tried again every minute.")
  }

  private static let tooManyOwners = Finding(
    .warning, at: "",
    "CODEOWNERS is over 3 MB, 5,000 patterns (1,000 with '*' or '?') or 512 bytes in a pattern: nothing of it counts.",
    fix: "Shorten it, or name the owners in each module's blueprint.yaml.")

  private static func changed(_ template: Template) -> Finding {
    Finding(
      .warning, at: "", "\(template.modulePath): has changed although it was published.",
      fix: "Publish changes as a new version. Runs that were submitted before keep what they were submitted with.")
  }

  /// Of modules with one identifier only the first.
  private static func withoutClashes(_ modules: [ListedModule]) -> ([ListedModule], [Finding]) {
    var paths: [Template.ID: String] = [:]
    var findings: [Finding] = []
    let first = modules.filter { module in
      let id = Template.ID(modulePath: module.path)
      guard let other = paths[id] else {
        paths[id] = module.path
        return true
      }
      findings.append(
        Finding(
          at: "", "\(module.path): has the same identifier '\(id)' as \(other).", fix: "Rename one of them."))
      return false
    }
    return (first, findings)
  }

  /// A source that is empty all of a sudden is a disk that is not mounted, or the wrong branch, rather than a catalog that
  /// was given up. The last template may well be removed.
  private func refuseToForget(_ count: Int, _ listing: ModuleListing, _ name: String) throws {
    guard listing.modules.isEmpty, listing.unread.isEmpty, count > 1 else { return }
    throw Fault(
      .notFound, "The source '\(name)' is empty: its \(count) templates are kept as they are.",
      fix: "Check that it is the right place, and there. To give templates up, remove them one by one, or the source.")
  }

  private func note(
    _ report: SourceReport, fingerprint: String?, of name: String, before: SourceReport?
  ) async throws {
    try await store.noteSource(name, fingerprint: fingerprint, report: report)
    latest.withLock { $0[name] = report }
    // Said once, not at every turn.
    if let error = report.error, error != before?.error {
      logger.error("a template source failed", metadata: ["source": "\(name)", "error": "\(error)"])
    }
    let known = Set(before?.findings ?? [])
    for finding in report.findings where !known.contains(finding) {
      logger.warning(
        "a template was found wanting", metadata: ["source": "\(name)", "finding": "\(finding.message)"])
    }
  }
}

extension TemplateSource {
  /// Changes with what is said of it: a source that is described otherwise is read anew.
  fileprivate var digest: String {
    let text = (try? JSONEncoder.porc.encode(self)) ?? Data()
    return String(Digest.sha256(text).prefix(8))
  }
}
