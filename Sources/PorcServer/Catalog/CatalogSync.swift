import Foundation
import HCL
import Logging
import PorcCore
import PorcStore
import Synchronization

/// Keeps the catalog true to its sources. A source that fails harms no other.
final class CatalogSync: Sendable {
  private let store: any Store
  private let sources: [FolderSource]
  private let logger: Logger
  private let outcomes = Mutex<[String: SourceBody]>([:])
  private let turn = AsyncTurn()

  init(store: any Store, sources: [FolderSource], logger: Logger) {
    self.store = store
    self.sources = sources
    self.logger = logger
  }

  /// How each source did last.
  var report: [SourceBody] { outcomes.withLock { $0.values.sorted { $0.name < $1.name } } }

  /// Reads every source, one sync at a time. Returns once the catalog is as the sources are.
  func sync() async throws {
    try await turn.take { [self] in
      for source in sources { try await sync(source) }
    }
  }

  private func sync(_ source: FolderSource) async throws {
    var body = SourceBody(name: source.name, syncedAt: Date())
    do {
      let reading = try source.read()
      try await refuseToForget(source, reading)
      let taken = try await store.replaceTemplates(
        of: source.name, with: reading.templates, archives: reading.archives)
      body.templates = reading.templates.count - taken.count
      body.findings =
        reading.findings
        + taken.map {
          Finding(at: "", "The identifier '\($0)' belongs to another source already.", fix: "Rename the module.")
        }
    } catch let fault as Fault {
      body.error = fault.message
    }
    note(body)
  }

  /// A folder that is empty all of a sudden is a disk that is not mounted rather than a catalog that was given up. The last
  /// template of a folder may well be removed.
  private func refuseToForget(_ source: FolderSource, _ reading: FolderSource.Reading) async throws {
    guard reading.isEmpty else { return }
    let count = try await store.templates().count { $0.source == source.name && $0.status != .retired }
    guard count > 1 else { return }
    throw Fault(
      .notFound, "The templates' folder '\(source.folder)' is empty: its \(count) templates are kept as they are.",
      fix: "Check that it is the right folder, and mounted. To give templates up, remove them one by one.")
  }

  private func note(_ body: SourceBody) {
    let before = outcomes.withLock { outcomes in
      defer { outcomes[body.name] = body }
      return outcomes[body.name]
    }
    // Said once, not at every turn.
    if let error = body.error, error != before?.error {
      logger.error("a template source failed", metadata: ["source": "\(body.name)", "error": "\(error)"])
    }
    for finding in body.findings where before?.findings.contains(finding) != true {
      logger.warning(
        "a template was found wanting", metadata: ["source": "\(body.name)", "finding": "\(finding.message)"])
    }
  }
}

/// One of `GET /templates/sources`.
struct SourceBody: Codable, Sendable {
  var name: String
  var templates = 0
  /// Why the whole source could not be read, if it could not.
  var error: String?
  var findings: [Finding] = []
  var syncedAt: Date

  init(name: String, syncedAt: Date) {
    self.name = name
    self.syncedAt = syncedAt
  }

  enum CodingKeys: String, CodingKey {
    case name, templates, error, findings
    case syncedAt = "synced_at"
  }
}

/// Lets one caller at a time do its work; the others wait their turn.
private actor AsyncTurn {
  private var last: Task<Void, any Error>?

  func take(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let before = last
    let task = Task {
      _ = await before?.result
      try await work()
    }
    last = task
    try await task.value
  }
}
