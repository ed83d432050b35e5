/// The organization's queue: the runs that terraform works on, those that wait for a place, and behind them those that
/// wait for their turn in a workspace. What waits for a person is not in it.
extension TFEState {
  /// In the order in which they are worked on.
  private var queue: [Run] {
    let open = openRunIDs.values.joined().compactMap { runs[$0] }
    func first(_ left: Run, _ right: Run) -> Bool {
      (left.queuedAt, left.sequence) < (right.queuedAt, right.sequence)
    }
    return open.filter(\.isUnderWay).sorted(by: first)
      + open.filter { $0.wantsCapacity && !$0.isUnderWay }.sorted(by: first)
      + open.filter { $0.status == .pending }.sorted { $0.sequence < $1.sequence }
  }

  /// How many runs come before this one: in its workspace while it is pending, else among those that wait for a place.
  func positionInQueue(_ run: Run) -> Int {
    switch run.status {
    case .pending: openRuns(of: run.workspaceID).count { $0.takesTheQueue && $0.sequence < run.sequence }
    case .planQueued, .applyQueued:
      queue.filter { $0.wantsCapacity && !$0.isUnderWay }.firstIndex { $0.id == run.id } ?? 0
    default: 0
    }
  }

  /// The queue, each run with its place in it. Those under way count: the CLI takes their number, which
  /// `capacityDocument` tells, off the place.
  func runQueue(organization: String, query: Query, url: String) throws -> JSONValue {
    try checkOrganization(organization)
    let places = queue.enumerated().map { place, run in
      var resource = resource(run)
      resource["attributes"]["position-in-queue"] = .init(place)
      return resource
    }
    let page = Page(query)
    return page.document(Array(page.slice(places)), of: places.count, included: [], url: url, query: query)
  }

  func capacityDocument(organization: String) throws -> JSONValue {
    try checkOrganization(organization)
    let running = queue.count { $0.isUnderWay }
    return JSONAPI.document(
      JSONAPI.resource(
        "organization-capacity", organization,
        attributes: ["pending": .init(queue.count - running), "running": .init(running)]))
  }
}
