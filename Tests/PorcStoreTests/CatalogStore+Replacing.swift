import Foundation
import PorcCore
import PorcStore

extension CatalogStore {
  /// Makes the templates of a source exactly these, as a sync does.
  @discardableResult
  func replaceTemplates(of source: String, with templates: [Template], archives: [String: Data]) async throws
    -> [Template.ID]
  {
    let left = try await putTemplates(templates, of: source, archives: archives)
    try await giveUpTemplates(of: source, except: Set(templates.map(\.id)))
    try await settleTemplates()
    return left
  }
}
