import Logging
import Processes
import ServiceLifecycle
import Synchronization

/// Lets terraform plan and apply what `TFEState` queues, a few runs at once. On graceful shutdown, and when cancelled,
/// it begins nothing more, interrupts terraform, waits for it, and records what came of it.
struct RunEngine: Service {
  let state: TFEState
  let terraform: Terraform
  /// How many runs terraform works on at once.
  let slots: Slots
  /// How long terraform may take to end after an interrupt before it is killed.
  let grace: Duration
  let logger: Logger

  func run() async throws {
    await withDiscardingTaskGroup { group in
      for await work in state.work.cancelOnGracefulShutdown() {
        // Here, since tasks begin in no order.
        let ticket = slots.lineUp()
        group.addTask { await perform(work, ticket) }
      }
      state.stops.stopAll(grace: grace)
    }
    try await state.settle()
  }

  private func perform(_ work: TFEState.Work, _ ticket: Slots.Ticket) async {
    await slots.occupy(ticket) {
      // What is queued now begins after the next start.
      guard !state.stops.isStopping else { return }
      // Before the run's status changes, so that whoever sees it planning can cancel it.
      let stop = state.stops.begin(work.runID)
      defer { state.stops.end(work.runID, stop) }
      do {
        switch work.phase {
        case .plan: try await plan(work.runID, stop)
        case .apply: try await apply(work.runID, stop)
        }
      } catch {
        logger.error("run failed", metadata: ["run.id": "\(work.runID)", "error": "\(error)"])
        await state.fail(work)
      }
    }
  }

  private func plan(_ id: String, _ stop: StopSignal) async throws {
    guard let job = await state.beginPlan(id) else { return }
    try await state.settle()
    // Reading and writing whole configurations blocks, but for milliseconds.
    let preparation = Result { try job.prepare() }
    let log = try RunLog(job.folder.planLog)
    var outcome = RunOutcome.errored
    do {
      try preparation.get()
      outcome = try await plan(job, log, stop)
    } catch {
      log.append(line: "Error: \(error)")
    }
    outcome = await interrupted(outcome, id, stop, log)
    // The CLI reads the run as soon as the log ends, and never again.
    await state.finishPlan(id, outcome)
    try await state.settle()
    log.finish()
    for old in await state.runsToTrim(of: id) {
      Files.remove(state.folder.run(old).work)
      Files.remove(state.folder.run(old).plan)
    }
  }

  private func plan(_ job: RunJob, _ log: RunLog, _ stop: StopSignal) async throws -> RunOutcome {
    log.append(terraform.header)
    // As the real one does: what init says is news only when it fails.
    let said = Mutex<[UInt8]>([])
    let initialized = try await terraform.initialize(job, stop: stop) { chunk in said.withLock { $0 += chunk } }
    guard initialized.isSuccess, !stop.isRequested else {
      log.append(said.withLock { $0 })
      return .errored
    }
    let files = try job.writeVariableFiles()
    defer { for file in files { Files.remove(file) } }
    let scanner = ChangeScanner()
    let status = try await terraform.plan(job, variableFiles: files, stop: stop) { chunk in
      log.append(chunk)
      scanner.scan(chunk)
    }
    guard status == .exited(0) || status == .exited(2) else { return .errored }
    Files.makePrivate(job.folder.plan)
    var counts = scanner.counts
    if counts == nil, !job.isStructured {
      let plan = try await terraform.showPlan(job)
      try DurableFile.write(plan, to: job.folder.planJSON)
      counts = Run.ChangeCount(plan: try JSONValue(parsing: plan))
    }
    return .finished(hasChanges: status == .exited(2), counts ?? .init())
  }

  private func apply(_ id: String, _ stop: StopSignal) async throws {
    guard let job = await state.beginApply(id) else { return }
    try await state.settle()
    let log = try RunLog(job.folder.applyLog)
    log.append(terraform.header)
    var outcome = RunOutcome.errored
    do {
      let scanner = ChangeScanner()
      let status = try await terraform.apply(job, stop: stop) { chunk in
        log.append(chunk)
        scanner.scan(chunk)
      }
      if status.isSuccess { outcome = .finished(hasChanges: true, scanner.counts ?? job.run.plan.changes) }
    } catch {
      log.append(line: "Error: \(error)")
    }
    // An apply that got through is applied, whoever wished to stop it.
    if case .errored = outcome { outcome = await interrupted(outcome, id, stop, log) }
    if case .errored = outcome { await waitForReader(of: job, stop) }
    let left = try RunJob.state(in: job.folder, job.workspace)
    try await state.finishApply(id, outcome, state: left)
    try await state.settle()
    log.finish()
  }

  /// Waits until the CLI, where it made the run, has come to the apply: a run that it finds errored while it still reads
  /// the plan, it takes for one whose plan failed, and it shows neither the plan nor what went wrong with the apply.
  private func waitForReader(of job: RunJob, _ stop: StopSignal) async {
    guard job.run.source == .cloud, job.run.request.autoApply else { return }
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline, !stop.isRequested, await !state.watchedApplies.contains(job.run.id) {
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  /// What a run became that was to stop: canceled where somebody wished that; errored where the server stopped before
  /// terraform got through.
  private func interrupted(
    _ outcome: RunOutcome, _ id: String, _ stop: StopSignal, _ log: RunLog
  ) async -> RunOutcome {
    guard stop.isRequested else { return outcome }
    if await state.isCancelRequested(id) {
      log.append(line: "The run was canceled.")
      return .canceled(forced: stop.isKillRequested)
    }
    if case .finished = outcome { return outcome }
    log.append(line: "Error: the server was stopped while the run was under way.")
    return .errored
  }
}
