import Foundation
import PorcCore

@testable import PorcServer

extension ModuleSource {
  /// All templates that a source offers now, as a first sync reads them.
  func read() async throws -> (templates: [Template], archives: [String: Data], findings: [Finding]) {
    let view = try await look()
    let listing = try await view.list()
    var outcomes: [TemplateReader.Outcome] = []
    try await view.read(listing.modules) { outcomes.append(try TemplateReader.read($0, in: listing, of: name)) }
    let templates = outcomes.compactMap(\.template)
    let archives = outcomes.compactMap { outcome in outcome.template.map { ($0.archive, outcome.archive) } }
    return (
      templates, Dictionary(archives, uniquingKeysWith: { $1 }), listing.findings + outcomes.flatMap(\.findings)
    )
  }
}

extension FolderSource {
  init(folder: String) { self.init(name: "folder:\(folder)", folder: folder) }
}
