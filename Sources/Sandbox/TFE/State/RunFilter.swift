/// Which runs a list asks for.
struct RunFilter: Sendable {
  private let statuses: Set<String>?
  private let group: String?
  private let operations: Set<String>?
  private let sources: Set<String>?
  private let workspaceNames: Set<String>?
  private let text: String?
  private let user: String?
  private let commit: String?
  private let showsPlanOnly: Bool

  /// - Parameter showsPlanOnly: whether plan-only runs are listed where no operation is asked for.
  init(_ query: Query, showsPlanOnly: Bool) {
    statuses = query.list("filter[status]").map(Set.init)
    group = query["filter[status_group]"]
    operations = query.list("filter[operation]").map(Set.init)
    sources = query.list("filter[source]").map(Set.init)
    workspaceNames = query.list("filter[workspace_names]").map(Set.init)
    user = query["search[user]"]
    commit = query["search[commit]"]
    text = user == nil && commit == nil ? query["search[basic]"]?.lowercased() : nil
    self.showsPlanOnly = showsPlanOnly
  }

  func matches(_ run: Run, workspace: String) -> Bool {
    let isInGroup =
      switch group {
      case "final": run.status.isFinal
      case "non_final": !run.status.isFinal
      case "discardable": run.awaitsDecision
      default: true
      }
    return isInGroup
      && statuses?.contains(run.status.rawValue) ?? true
      && operations?.contains(run.operation) ?? (showsPlanOnly || !run.request.planOnly)
      && sources?.contains(run.source.rawValue) ?? true
      && workspaceNames?.contains(workspace) ?? true
      && text.map { run.id.lowercased() == $0 || run.request.message.lowercased().contains($0) } ?? true
      && user.map { TFEState.userName.contains($0) } ?? true
      && commit == nil
  }
}
