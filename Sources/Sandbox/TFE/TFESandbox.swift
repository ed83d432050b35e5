import HTTPTypes
public import Logging
public import ServiceLifecycle

/// An embedded Terraform Enterprise: one organization over the real API (`/api/v2`), with the real terraform (or
/// OpenTofu) behind it. It keeps everything in one folder and goes on from there after a restart, even after SIGKILL.
///
/// It serves what the `terraform` CLI needs in `cloud` mode and what a client of runs needs: projects, workspaces,
/// variables, configuration versions, runs, plans, applies, logs, state and notifications; policies and cost estimates,
/// which a file tells it; and a private registry of modules. It has no teams or agents. Every request needs the one
/// token, but for discovery, `ping` and the signed URLs that answers contain.
///
/// Configurations run with the rights of this process: it is for one machine, development and tests.
public struct TFESandbox: Service {
  /// What the sandbox was asked; also `GET /_sandbox/requests?after=N` with the token, and `requests.jsonl` in the
  /// data folder.
  public let requests: RequestLog

  private let host: String
  private let port: Int
  private let dataFolder: String
  private let organization: String
  private let token: String
  private let workerEnvironment: [String: String]
  private let terraform: String?
  private let concurrency: Int
  private let faults: FaultPlan?
  private let features: TFEFeatures
  private let forceCancelCoolOff: Duration
  private let stopGrace: Duration
  private let logger: Logger
  private let listening = Listening()

  /// - Parameters:
  ///   - port: 0 picks a free one; `baseURL()` tells which.
  ///   - dataFolder: made if missing, private to its owner; one sandbox at a time.
  ///   - organization: the name of the one organization there is.
  ///   - token: the bearer token that clients send.
  ///   - workerEnvironment: what terraform sees of the environment besides `PATH`, `HOME`, `TMPDIR` and what the
  ///     sandbox sets itself. `TF_CLI_CONFIG_FILE` in it replaces the sandbox's own file.
  ///   - terraform: the program; a name to look for on the PATH, or a path; nil looks for `terraform`, then `tofu`.
  ///   - concurrency: how many runs terraform works on at once.
  ///   - faults: what goes wrong on purpose.
  ///   - features: what it can do, where real ones differ.
  ///   - forceCancelCoolOff: how long after a cancel a forced one is allowed.
  ///   - stopGrace: how long, on shutdown, terraform may take to end after an interrupt before it is killed.
  public init(
    host: String, port: Int, dataFolder: String, organization: String, token: String,
    workerEnvironment: [String: String] = [:], terraform: String? = nil, concurrency: Int = 4, faults: FaultPlan? = nil,
    features: TFEFeatures = .init(), forceCancelCoolOff: Duration = .seconds(10), stopGrace: Duration = .seconds(45),
    logger: Logger
  ) {
    self.host = host
    self.port = port
    self.dataFolder = dataFolder
    self.organization = organization
    self.token = token
    self.workerEnvironment = workerEnvironment
    self.terraform = terraform
    self.concurrency = concurrency
    self.faults = faults
    self.features = features
    self.forceCancelCoolOff = forceCancelCoolOff
    self.stopGrace = stopGrace
    self.logger = logger
    requests = RequestLog(path: dataFolder + "/requests.jsonl")
  }

  /// `http://HOST:PORT`, once the sandbox listens. Throws what kept it from listening.
  public func baseURL() async throws -> String { try await listening.baseURL() }

  /// Serves until graceful shutdown or cancellation: then interrupts terraform, waits for it, and returns with all of
  /// it recorded.
  public func run() async throws {
    do {
      try await serve()
      listening.fail(CancellationError())
    } catch {
      listening.fail(error)
      throw error
    }
  }

  private func serve() async throws {
    let folder = try DataFolder(Files.absolute(dataFolder))
    defer { folder.release() }
    await Orphans.end(in: folder.runs, grace: .seconds(10), logger: logger)
    let terraform = try await Terraform.find(
      terraform, workerEnvironment: workerEnvironment, folder: folder, grace: stopGrace, logger: logger)
    let state = try TFEState(
      organization: organization, terraformVersion: terraform.version, folder: folder, coolOff: forceCancelCoolOff,
      features: features, stops: RunStops())
    for work in try await state.recover() {
      let run = folder.run(work.runID)
      switch work.phase {
      case .plan: RunLog.close(run.planLog, "The run was canceled.")
      case .apply:
        RunLog.close(
          run.applyLog,
          """
          Error: the embedded Terraform Enterprise was killed during the apply
          The state holds what terraform had written by then. What it made after that may exist without being in the state.
          Plan again, and look whether the plan would create what is there already.
          """)
      }
    }
    try await state.settle()

    let engine = RunEngine(
      state: state, terraform: terraform, slots: Slots(concurrency), grace: stopGrace, logger: logger)
    let sender = NotificationSender(
      state: state, listening: listening, faults: faults.map(NotificationFaults.init), logger: logger)
    let routes = TFERoutes(
      state: state, plans: PlanDocuments(state: state, terraform: terraform), sender: sender, token: token,
      requests: requests)
    let server = SandboxServer(
      host: host, port: port, router: routes.router(door: door), services: [sender, CheckTimer(state: state), engine],
      listening: listening, logger: logger)
    try await server.run()
    try await state.settle()
  }

  private var door: RequestDoor {
    RequestDoor(
      log: requests,
      mask: RequestMask(pathPrefixes: ObjectLinks.Kind.allCases.map(\.path), isSecret: Self.isSecret),
      faults: faults.map(RequestFaults.init), logger: logger
    ) { failure, _ in
      let error =
        failure.error as? APIError
        ?? (failure.status == .notFound
          ? .notFound
          : APIError(
            status: failure.status, title: failure.status.reasonPhrase.lowercased(), detail: failure.message))
      return .json(error.document, status: error.status, contentType: JSONAPI.mediaType)
    }
  }

  /// The values of sensitive variables, states, and the keys that notifications are signed with. A change of a variable
  /// that does not say whether it is sensitive counts as one that is.
  private static func isSecret(_ path: String, _ key: String, _ object: [String: JSONValue]) -> Bool {
    switch key {
    case "state", "json-state", "json-state-outputs": true
    case "token": path.contains("notification-configurations")
    case "value" where object["sensitive"]?.bool == true: true
    case "value": path.contains("/vars/") && object["sensitive"]?.bool != false
    default: false
    }
  }
}
