/// All that the sandbox knows, and every decision about it. Changes are made in memory and queued in the journal;
/// whoever answers a client calls `settle()` first.
actor TFEState {
  /// Something for terraform to do.
  struct Work: Sendable {
    enum Phase: Sendable {
      case plan, apply
    }
    let runID: String
    let phase: Phase
  }

  let organization: String
  let terraformVersion: String
  let folder: DataFolder
  let links: ObjectLinks
  let coolOff: Duration
  let features: TFEFeatures
  let journal: Journal

  var projects: Table<Project>
  var workspaces: Table<Workspace>
  var variables: Table<Variable>
  var configurationVersions: Table<ConfigurationVersion>
  var runs: Table<Run>
  var stateVersions: Table<StateVersion>
  var comments: Table<Comment>
  var notifications: Table<NotificationConfiguration>
  var modules: Table<RegistryModule>
  var moduleVersions: Table<RegistryModuleVersion>

  // Indexes over the tables.
  var workspaceIDs: [String: String] = [:]
  var runIDs: [String: [String]] = [:]
  var allRunIDs: [String] = []
  var openRunIDs: [String: Set<String>] = [:]
  var runOfPhase: [String: String] = [:]
  var runOfCheck: [String: String] = [:]
  var stateVersionIDs: [String: [String]] = [:]
  var stateVersionOfOutput: [String: String] = [:]
  var configurationVersionIDs: [String: [String]] = [:]
  var commentIDs: [String: [String]] = [:]
  var notificationIDs: [String: [String]] = [:]
  private var lastSequence = 0
  /// Runs that are being applied, and whose apply somebody has asked for.
  var watchedApplies: Set<String> = []

  /// What terraform is to do, in order, for the engine.
  nonisolated let work: AsyncStream<Work>
  let workContinuation: AsyncStream<Work>.Continuation
  /// The steps between plan and apply that last a while: the timer's.
  nonisolated let timedChecks: AsyncStream<TimedCheck>
  let checkContinuation: AsyncStream<TimedCheck>.Continuation
  /// Stops terraform for a run: the engine's.
  nonisolated let stops: RunStops
  /// What is to be sent to those who asked: the sender's.
  nonisolated let outbox = NotificationOutbox()

  static let userID = "user-sandbox"

  init(
    organization: String, terraformVersion: String, folder: DataFolder, coolOff: Duration, features: TFEFeatures,
    stops: RunStops
  ) throws {
    self.organization = organization
    self.terraformVersion = terraformVersion
    self.folder = folder
    self.coolOff = coolOff
    self.features = features
    self.stops = stops
    links = try ObjectLinks(folder)
    journal = try Journal(path: folder.journal)
    projects = try Table(journal)
    workspaces = try Table(journal)
    variables = try Table(journal)
    configurationVersions = try Table(journal)
    runs = try Table(journal)
    stateVersions = try Table(journal)
    comments = try Table(journal)
    notifications = try Table(journal)
    modules = try Table(journal)
    moduleVersions = try Table(journal)
    (work, workContinuation) = AsyncStream.makeStream(of: Work.self)
    (timedChecks, checkContinuation) = AsyncStream.makeStream(of: TimedCheck.self)

    for workspace in workspaces.all.values { workspaceIDs[workspace.name.lowercased()] = workspace.id }
    for run in runs.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      runIDs[run.workspaceID, default: []].append(run.id)
      allRunIDs.append(run.id)
      if !run.status.isFinal { openRunIDs[run.workspaceID, default: []].insert(run.id) }
      (runOfPhase[run.plan.id], runOfPhase[run.apply.id]) = (run.id, run.id)
      for id in run.checks?.ids ?? [] { runOfCheck[id] = run.id }
    }
    for version in stateVersions.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      stateVersionIDs[version.workspaceID, default: []].append(version.id)
      for output in version.outputs { stateVersionOfOutput[output.id] = version.id }
    }
    for version in configurationVersions.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      configurationVersionIDs[version.workspaceID, default: []].append(version.id)
    }
    for comment in comments.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      commentIDs[comment.runID, default: []].append(comment.id)
    }
    for configuration in notifications.all.values.sorted(by: { $0.sequence < $1.sequence }) {
      notificationIDs[configuration.subscribableID, default: []].append(configuration.id)
    }
    let sequences =
      [projects.all.values.map(\.sequence), workspaces.all.values.map(\.sequence), runs.all.values.map(\.sequence)]
      + [variables.all.values.map(\.sequence), stateVersions.all.values.map(\.sequence)]
      + [configurationVersions.all.values.map(\.sequence), comments.all.values.map(\.sequence)]
      + [notifications.all.values.map(\.sequence)]
      + [modules.all.values.map(\.sequence), moduleVersions.all.values.map(\.sequence)]
    lastSequence = sequences.joined().max() ?? 0
    if projects.all.isEmpty {
      lastSequence += 1
      projects.set(
        Project(
          id: Identifier.make("prj"), sequence: lastSequence, createdAt: Timestamp.now(), name: "Default Project",
          description: "", tags: []))
    }
  }

  /// Numbers everything in the order in which it was created.
  func nextSequence() -> Int {
    lastSequence += 1
    return lastSequence
  }

  /// Returns when all changes so far are on the disk.
  nonisolated func settle() async throws { try await journal.settle() }

  func checkOrganization(_ name: String) throws {
    guard name == organization else { throw APIError.notFound }
  }

  func workspace(_ id: String) throws -> Workspace {
    guard let workspace = workspaces[id] else { throw APIError.notFound }
    return workspace
  }

  func workspaceID(organization: String, name: String) throws -> String {
    try checkOrganization(organization)
    guard let id = workspaceIDs[name.lowercased()] else { throw APIError.notFound }
    return id
  }

  func run(_ id: String) throws -> Run {
    guard let run = runs[id] else { throw APIError.notFound }
    return run
  }

  var defaultProject: Project? { projects.all.values.min { $0.sequence < $1.sequence } }
}
