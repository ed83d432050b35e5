/// The JSON forms of plans, made when first asked for, since most plans are never asked.
actor PlanDocuments {
  private let state: TFEState
  private let terraform: Terraform
  private var underWay: [String: Task<[UInt8], any Error>] = [:]

  init(state: TFEState, terraform: Terraform) {
    self.state = state
    self.terraform = terraform
  }

  /// `terraform show -json` of a run's plan: sensitive values in clear.
  func json(of runID: String) async throws -> [UInt8] {
    guard let job = await state.job(runID) else { throw APIError.notFound }
    return try await document(job.folder.planJSON) { [terraform] in try await terraform.showPlan(job) }
  }

  /// The plan without sensitive values, as `PlanRedaction` describes it.
  func redacted(of runID: String) async throws -> [UInt8] {
    guard let job = await state.job(runID) else { throw APIError.notFound }
    return try await document(job.folder.redactedPlan) { [terraform] in
      async let schemas = terraform.providerSchemas(job)
      let plan = try await self.json(of: runID)
      return PlanRedaction.envelope(
        plan: try JSONValue(parsing: plan), schemas: try JSONValue(parsing: await schemas)
      ).bytes
    }
  }

  /// The file at `path`, which `make` makes where it is missing. All who ask meanwhile wait for the same making, which
  /// therefore belongs to none of them: its task outlives the first.
  private func document(_ path: String, _ make: @escaping @Sendable () async throws -> [UInt8]) async throws -> [UInt8]
  {
    if let bytes = try DurableFile.read(path) { return bytes }
    if let task = underWay[path] { return try await task.value }
    let task = Task {
      let bytes = try await make()
      try DurableFile.write(bytes, to: path)
      return bytes
    }
    underWay[path] = task
    defer { underWay[path] = nil }
    return try await task.value
  }
}
