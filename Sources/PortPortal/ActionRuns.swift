/// Port's action runs: presses of self-service actions, on which their backend reports until it ends them.
public struct ActionRuns: Sendable {
  let session: Session

  private struct One: Decodable { let run: Portal.ActionRun }
  private struct All: Decodable { let runs: [Portal.ActionRun] }
  private struct Logs: Decodable { let runLogs: [Portal.ActionRun.Log]? }

  /// One action run, or nil where Port has none with this identifier. `GET /v1/actions/runs/{run_id}`
  public func get(_ id: String) async throws -> Portal.ActionRun? {
    do {
      return try await session.send(try Request(.get, path(id), query: Self.version)).decode(One.self).run
    } catch let error as PortError where error.saysNotFound {
      return nil
    }
  }

  /// Those whose backend gave itself this id (``Portal/ActionRun/Update/externalRunID``), newest first as Port has them.
  /// `GET /v1/actions/runs?external_run_id=`
  public func list(externalRunID: String, limit: Int = 100) async throws -> [Portal.ActionRun] {
    let query = [("external_run_id", externalRunID), ("limit", "\(min(max(limit, 1), 1000))")] + Self.version
    return try await session.send(try Request(.get, ["actions", "runs"], query: query)).decode(All.self).runs
  }

  /// Reports how it goes; what `update` does not name stays. `PATCH /v1/actions/runs/{run_id}`
  ///
  /// May be repeated freely until a status ends the run. After that Port refuses every update, with a code that it does
  /// not document: whatever 4xx it is, repeating is of no use.
  public func update(_ id: String, _ update: Portal.ActionRun.Update) async throws {
    try await session.send(try Request(.patch, path(id), query: Self.version, json: update)).acknowledge()
  }

  /// Adds a line to the log. `POST /v1/actions/runs/{run_id}/logs`
  ///
  /// Repeated only after a 429, since an answer that was lost would make the repetition a second line: look at
  /// ``logs(of:)`` before another attempt.
  public func addLog(_ message: String, to id: String) async throws {
    let request = try Request(
      .post, path(id) + ["logs"], json: ["message": message], repetition: .onlyIfRefused)
    try await session.send(request).acknowledge()
  }

  /// The whole log, page by page; Port does not say in which order.
  /// `GET /v1/actions/runs/{run_id}/logs`
  ///
  /// - Parameter limit: at most this many lines are read.
  public func logs(of id: String, atMost limit: Int = 1000) async throws -> [Portal.ActionRun.Log] {
    var logs: [Portal.ActionRun.Log] = []
    while logs.count < limit {
      let query = [("limit", "\(Self.logPage)"), ("offset", "\(logs.count)")]
      let page =
        try await session.send(try Request(.get, path(id) + ["logs"], query: query)).decode(Logs.self).runLogs ?? []
      logs += page
      if page.count < Self.logPage { break }
    }
    return logs
  }

  /// The most that Port gives at once.
  private static let logPage = 50
  private static let version = [("version", "v2")]

  private func path(_ id: String) -> [String] { ["actions", "runs", id] }
}

extension Portal {
  /// A press of a self-service action.
  public struct ActionRun: Sendable, Hashable, Decodable {
    public var id: String
    /// `IN_PROGRESS`, `WAITING_FOR_APPROVAL`, `DECLINED`, `SUCCESS`, `FAILURE`; Port may add others.
    public var status: String
    public var statusLabel: String?
    public var externalRunID: String?
    /// The entity that it was pressed on, and its blueprint; nil where it was pressed on none.
    public var entity: String?
    public var blueprint: String?
    /// The identifier of the action.
    public var action: String?

    private enum CodingKeys: String, CodingKey {
      case id, status, statusLabel, entity, blueprint, action
      case externalRunID = "externalRunId"
    }

    private struct Named: Decodable { let identifier: String }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      id = try container.decode(String.self, forKey: .id)
      status = try container.decode(String.self, forKey: .status)
      statusLabel = try container.decodeIfPresent(String.self, forKey: .statusLabel)
      externalRunID = try container.decodeIfPresent(String.self, forKey: .externalRunID)
      entity = try container.decodeIfPresent(Named.self, forKey: .entity)?.identifier
      blueprint = try container.decodeIfPresent(Named.self, forKey: .blueprint)?.identifier
      action = (try? container.decode(Named.self, forKey: .action))?.identifier
    }

    public init(
      id: String, status: String, statusLabel: String? = nil, externalRunID: String? = nil, entity: String? = nil,
      blueprint: String? = nil, action: String? = nil
    ) {
      self.id = id
      self.status = status
      self.statusLabel = statusLabel
      self.externalRunID = externalRunID
      self.entity = entity
      self.blueprint = blueprint
      self.action = action
    }

    /// Whether its backend was asked, and may report on it.
    public var isUnderWay: Bool { status == "IN_PROGRESS" }

    /// Whether nothing can be reported on it any more.
    public var isEnded: Bool { ["SUCCESS", "FAILURE", "DECLINED"].contains(status) }
  }
}

extension Portal.ActionRun {
  /// A line of its log.
  public struct Log: Sendable, Hashable, Decodable {
    public var id: String
    public var message: String
    public init(id: String, message: String) {
      self.id = id
      self.message = message
    }
  }

  /// How an action run ends.
  public enum Outcome: String, Sendable, Hashable, Encodable {
    case success = "SUCCESS"
    case failure = "FAILURE"
  }

  /// What to change of an action run; what is nil stays as it is.
  public struct Update: Sendable, Hashable, Encodable {
    /// Ends it, for good.
    public var status: Outcome?
    public var statusLabel: String?
    /// All of them: they replace those that were given before.
    public var link: [String]?
    public var summary: String?
    /// What the backend calls it.
    public var externalRunID: String?

    enum CodingKeys: String, CodingKey {
      case status, statusLabel, link, summary
      case externalRunID = "externalRunId"
    }

    public init(
      status: Outcome? = nil, statusLabel: String? = nil, link: [String]? = nil, summary: String? = nil,
      externalRunID: String? = nil
    ) {
      self.status = status
      self.statusLabel = statusLabel
      self.link = link
      self.summary = summary
      self.externalRunID = externalRunID
    }

    /// Whether it changes nothing.
    public var isEmpty: Bool { self == Update() }
  }
}
