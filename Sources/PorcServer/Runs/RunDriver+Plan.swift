import Archive
import Foundation
import HCL
import PorcCore
import PorcStore
import TerraformEnterprise

extension RunDriver {
  // MARK: Build

  /// The template's files and the run's inputs become the bundle.
  func build(_ lease: Lease, _ located: Located) async throws -> Outcome {
    let run = located.run
    guard run.state == .building else { return .done }
    guard let archive = try await store.blob(run.submission.template.archive) else {
      let failure = Failure(
        "The files of the template '\(run.submission.template.id)' are not there any more",
        detail: "Sync the catalog and submit again.")
      try await report([.buildFailed(failure)], about: run.id, finishing: lease)
      return .reported
    }
    do {
      let bundle = try Self.bundle(archive, inputs: run.submission.inputs)
      let digest = Digest.sha256(bundle)
      try await report([.built(bundle: digest)], about: run.id, finishing: lease, blobs: [digest: bundle])
    } catch let error as ArchiveError {
      let failure = Failure("The template's files cannot be packed", detail: error.description)
      try await report([.buildFailed(failure)], about: run.id, finishing: lease)
    }
    return .reported
  }

  /// The same files and inputs always give the same bytes, so that their digest names them.
  static func bundle(_ archive: Data, inputs: [String: Value]) throws -> Data {
    var entries = try TarGzip.unpack(Array(archive)).filter { $0.path != Bundle.inputsFile }
    entries.append(ArchiveEntry(path: Bundle.inputsFile, text: Bundle.inputsText(inputs)))
    return Data(try TarGzip.pack(entries))
  }

  // MARK: Start

  /// Workspace, variables, configuration version, TFE run.
  func startPlan(_ lease: Lease, _ located: Located) async throws -> Outcome {
    let run = located.run
    guard run.state == .planning, let plan = run.currentPlan, plan.number == lease.plan, plan.tfeRunID == nil,
      plan.clears == nil, run.cancelRequestedAt == nil
    else { return .done }
    // This job's own lease is one of them.
    guard try await store.tfeRunsUnderWay() <= settings.maximumRuns else {
      try await tellOfTurn(plan, located)
      return .notYet(1)
    }
    do {
      let made = try await makeRun(of: plan, located, lease)
      let report = RunReport.tfeRunCreated(
        plan: plan.number, tfeRunID: made.id, configurationVersionID: made.configurationVersionID ?? "")
      try await self.report([report], about: run.id, finishing: lease)
    } catch let refusal as TFERefusal {
      try await report([.planFailed(plan: plan.number, refusal.failure)], about: run.id, finishing: lease)
    } catch let error as InputVaultError {
      let failure = Failure(error.message, detail: error.fix)
      try await report([.planFailed(plan: plan.number, failure)], about: run.id, finishing: lease)
    } catch let error as TFEError where error.isRefusal {
      let failure = Failure(error, doing: "make the run of this plan")
      try await report([.planFailed(plan: plan.number, failure)], about: run.id, finishing: lease)
    }
    return .reported
  }

  /// The TFE run of a plan, made now or by an earlier attempt.
  private func makeRun(
    of plan: PorcCore.Plan, _ located: Located, _ lease: Lease
  ) async throws -> TerraformEnterprise.Run {
    guard let known = located.situation.instance.workspace else {
      return try await makeRun(of: plan, located, lease, in: try await ensureWorkspace(for: located))
    }
    do {
      // What the last plan's template asked for is so, unless somebody changed it since.
      if let version = located.run.submission.template.terraformVersion,
        version != located.situation.instance.terraformVersion
      {
        try await workspaces.adapt(known, terraformVersion: version)
      }
      return try await makeRun(of: plan, located, lease, in: known)
    } catch let error as TFEError where error.kind == .notFound {
      // Deleted in TFE, perhaps: it is found again by its name, or made anew. If it is the same, something else is absent.
      let found = try await ensureWorkspace(for: located)
      guard found.id != known.id else { throw error }
      return try await makeRun(of: plan, located, lease, in: found)
    }
  }

  private func makeRun(
    of plan: PorcCore.Plan, _ located: Located, _ lease: Lease, in workspace: PorcCore.Workspace
  ) async throws -> TerraformEnterprise.Run {
    let run = located.run
    let message = PorcCore.Plan.message(run: run.id, number: plan.number)
    // TFE has no idempotency keys: an earlier attempt may have made the run and died before it said so.
    if lease.claims > 1, let made = try await lookForRun(message, in: workspace) { return made }
    try await setVariables(located, workspace)
    await notifications?.ensure(for: workspace)
    let version = try await configurationVersion(located, workspace)
    var options = RunOptions(workspaceID: workspace.id, configurationVersionID: version.id, message: message)
    options.isDestroy = run.operation == .destroy
    options.autoApply = plan.request.appliesAutomatically
    options.variables = Self.inputsOwner(of: located).submission.inputs.sorted { $0.key < $1.key }.map {
      RunOptions.Variable(key: $0.key, hclValue: $0.value.hclLiteral)
    }
    return version.isNew
      ? try await createRun(options, afterUploadOf: version.id) : try await client.runs.create(options)
  }

  /// Makes the run at once, without a look at whether the upload was processed: nearly always it was, and then that look
  /// would be a call for nothing.
  ///
  /// TFE refuses a run of a version that it has not processed yet (422), and so did not make it. What else it may have
  /// refused it for, it refuses again once the version is processed: that counts.
  private func createRun(_ options: RunOptions, afterUploadOf version: String) async throws -> TerraformEnterprise.Run {
    do {
      return try await client.runs.create(options)
    } catch let error as TFEError where error.kind == .unprocessable {
      try await waitUntilUploaded(version)
      return try await client.runs.create(options)
    }
  }

  /// Looks for the run of an earlier attempt. As long as nobody can tell, it may be there, and the plan has not failed.
  private func lookForRun(
    _ message: String, in workspace: PorcCore.Workspace
  ) async throws -> TerraformEnterprise.Run? {
    do {
      return try await find(message, in: workspace)
    } catch let error as TFEError where !error.isRetryable && error.kind != .notFound {
      throw InDoubt(cause: error)
    }
  }

  /// TFE does not say whether it has the run: the job is tried again.
  struct InDoubt: Error, CustomStringConvertible {
    var cause: TFEError
    var description: String { "it cannot be told whether the run was made: \(cause)" }
  }

  /// Whose variables a plan passes: its own run's, or for a destroy those of the run that it removes.
  private static func inputsOwner(of located: Located) -> PorcCore.Run {
    guard located.run.operation == .destroy, let basis = located.situation.instance.basis else { return located.run }
    return located.situation.runs[basis.run] ?? located.run
  }

  private func ensureWorkspace(for located: Located) async throws -> PorcCore.Workspace {
    let template = located.run.submission.template
    let workspace = try await workspaces.ensure(
      located.run.instance, terraformVersion: template.terraformVersion)
    try await report([.workspaceReady(workspace)], about: located.run.id, finishing: nil)
    return workspace
  }

  private func setVariables(_ located: Located, _ workspace: PorcCore.Workspace) async throws {
    guard located.situation.instance.holdsSensitiveVariables else { return }
    try await SensitiveVariables(client: client).set(try await secrets.inputs(of: located), in: workspace)
  }

  /// - Returns: what the run is made from, and whether it was uploaded just now.
  private func configurationVersion(
    _ located: Located, _ workspace: PorcCore.Workspace
  ) async throws -> (id: String, isNew: Bool) {
    if located.run.operation == .destroy, let basis = located.situation.instance.basis {
      return (basis.configurationVersionID, false)
    }
    guard let digest = located.run.bundle, let bundle = try await store.blob(digest) else {
      throw TFERefusal(
        failure: Failure("The run's bundle is not there any more", detail: "Submit the blueprint again."))
    }
    let version = try await client.configurationVersions.create(workspace: workspace.id)
    guard let url = version.uploadURL else {
      throw TFERefusal(failure: Failure("Terraform Enterprise gave no upload URL for the configuration"))
    }
    do {
      try await client.configurationVersions.upload(Array(bundle), to: url)
    } catch let error as TFEError where error.kind == .conflict {
      // What was uploaded first may have got through, although nobody heard so, and the client tried again.
      guard try await client.configurationVersions.read(version.id).status == .uploaded else { throw error }
    }
    return (version.id, true)
  }

  /// TFE takes a moment to process an upload.
  private func waitUntilUploaded(_ id: String) async throws {
    var delay = Duration.milliseconds(100)
    for _ in 0..<42 {
      let version = try await client.configurationVersions.read(id)
      if version.status == .uploaded { return }
      if version.status == .errored {
        throw TFERefusal(
          failure: Failure("Terraform Enterprise could not read the configuration", detail: version.errorMessage))
      }
      try await Task.sleep(for: delay)
      delay = min(delay * 2, .seconds(2))
    }
    throw TFERefusal(failure: Failure("Terraform Enterprise did not process the uploaded configuration in time"))
  }

  /// The TFE run with this message, if an earlier attempt made it: the workspace's current one first, then its newest.
  func find(_ message: String, in workspace: PorcCore.Workspace) async throws -> TerraformEnterprise.Run? {
    let read = try await client.workspaces.read(workspace.id, include: [.currentRun])
    if let current = read.currentRun, current.message == message { return current }
    for try await run in client.runs.list(workspace: workspace.id, TerraformEnterprise.RunFilter(search: message)) {
      if run.message == message { return run }
    }
    return nil
  }
}
