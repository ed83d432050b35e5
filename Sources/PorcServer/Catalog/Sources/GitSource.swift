import Git
import PorcCore

/// Templates in a git repository, in one of two layouts; see `TemplateSource.Layout`.
struct GitSource: ModuleSource {
  let source: TemplateSource
  let mirror: Mirror

  var name: String { source.name }

  func look() async throws -> any ModuleView {
    try await GitFault.translating {
      switch source.layout {
      case .folders: try await lookAtFolders()
      case .tags: try await lookAtTags()
      }
    }
  }

  private func lookAtFolders() async throws -> any ModuleView {
    let references = try await mirror.references(withHead: source.branch == nil)
    let branch: Reference? =
      if let name = source.branch { references.branches[name] } else { references.head }
    guard let branch else {
      throw Fault(
        .notFound,
        source.branch.map { "The repository '\(mirror.remote)' has no branch '\($0)'." }
          ?? "The repository '\(mirror.remote)' is empty.",
        fix: source.branch == nil ? "Push a branch to it." : "Push the branch, or name another.")
    }
    return GitFolders(source: source, mirror: mirror, branch: branch)
  }

  private func lookAtTags() async throws -> any ModuleView {
    GitTags(source: source, mirror: mirror, tags: try await mirror.references(withHead: false).tags.map(\.value))
  }
}
