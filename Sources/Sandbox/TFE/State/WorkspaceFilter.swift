/// Which workspaces a list asks for.
struct WorkspaceFilter: Sendable {
  private let name: String?
  private let pattern: Wildcard?
  private let projectID: String?
  private let statuses: Set<String>?
  private let tags: [(key: String, value: String?)]
  private let flatTags: [String]
  private let excludedTags: [String]

  init(_ query: Query) {
    name = query["search[name]"]?.lowercased()
    pattern = query["search[wildcard-name]"].map { Wildcard($0.lowercased()) }
    projectID = query["filter[project][id]"]
    statuses = query.list("filter[current-run][status]").map(Set.init)
    flatTags = query.list("search[tags]") ?? []
    excludedTags = query.list("search[exclude-tags]") ?? []
    var tags: [(key: String, value: String?)] = []
    for item in query.items where item.name.hasPrefix("filter[tagged][") && item.name.hasSuffix("][key]") {
      tags.append((item.value, query[item.name.replacing("][key]", with: "][value]")]))
    }
    self.tags = tags
  }

  func matches(_ workspace: Workspace, effectiveTags: [TagBinding], status: Run.Status?) -> Bool {
    let lower = workspace.name.lowercased()
    // A client that looks for key-value tags also sends their keys as flat ones, which TFE keeps as both.
    let flat = Set(workspace.flatTags + effectiveTags.map(\.key))
    return name.map { lower.contains($0) } ?? true
      && pattern?.matches(lower) ?? true
      && projectID.map { $0 == workspace.projectID } ?? true
      && statuses.map { wanted in status.map { wanted.contains($0.rawValue) } ?? false } ?? true
      && tags.allSatisfy { tag in
        effectiveTags.contains { $0.key == tag.key && (tag.value == nil || $0.value == tag.value) }
      }
      && flatTags.allSatisfy(flat.contains) && !excludedTags.contains(where: flat.contains)
  }
}
