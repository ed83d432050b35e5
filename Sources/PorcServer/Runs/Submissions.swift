import Crypto
import Foundation
import PorcCore
import PorcStore

/// Turns documents into runs.
struct Submissions: Sendable {
  let store: any Store
  let catalog: CatalogCache
  let vault: InputVault
  /// Whether this server demands an approval for every apply.
  let approvalRequired: Bool

  /// A valid blueprint becomes a run; nothing is stored otherwise.
  ///
  /// - Throws: ``DocumentProblems`` with every finding, or a ``Refusal``.
  func submit(
    _ bytes: [UInt8], as format: DocumentText.Format, by caller: Caller,
    answer: (@Sendable (ValidBlueprint) -> Record.PendingAnswer?) = { _ in nil }
  ) async throws -> (recorded: Recorded, run: Run.ID, warnings: [Finding]) {
    let valid = try BlueprintValidation.validate(bytes, as: format, against: try await catalog.templates())
    let run = newRunID()
    let submission = Submission(
      operation: .apply, template: valid.template.reference, submitter: caller, metadata: valid.metadata,
      inputs: valid.inputs, sensitiveInputs: valid.sensitiveInputs.keys.sorted(), region: valid.region,
      requiresApproval: approvalRequired || valid.metadata.approvalRequired || valid.template.approvalRequired,
      blueprintDigest: SHA256.hash(data: Data(valid.canonicalText.utf8)).hex,
      sensitiveDigest: valid.sensitiveInputs.isEmpty ? nil : vault.digest(valid.sensitiveInputs))
    var record = Record(answer: answer(valid))
    if !valid.sensitiveInputs.isEmpty {
      record.sealedInputs = Record.SealedInputs(run: run, bytes: try vault.seal(valid.sensitiveInputs, for: run))
    }
    let instance = Instance.ID(valid.metadata.name)
    let recorded = try await store.decide(about: .instance(instance), recording: record) { situation, now in
      try RunMachine.submit(submission, as: run, for: instance, in: situation, at: now)
    }
    return (recorded, run, valid.warnings)
  }

  /// A run that removes what is deployed, its plan asked for at once.
  ///
  /// - Parameter record: what to store with it, once its id is known.
  func destroy(
    _ instance: Instance.ID, request: PlanRequest, recording record: (Run.ID) -> Record = { _ in Record() }
  ) async throws -> (recorded: Recorded, run: Run.ID) {
    let run = newRunID()
    let required = approvalRequired
    let recorded = try await store.decide(
      about: .instance(instance), recording: record(run)
    ) { situation, now in
      guard let situation else { throw Self.unknown(instance) }
      guard var submission = Self.removal(in: situation) else { throw Self.unknown(instance) }
      submission.operation = .destroy
      submission.submitter = request.by
      submission.requiresApproval = submission.requiresApproval || required
      return try RunMachine.destroy(submission, as: run, in: situation, request: request, at: now)
    }
    return (recorded, run)
  }

  static func unknown(_ instance: Instance.ID) -> Refusal {
    Refusal(.notFound, "There is no instance '\(instance)'.", fix: "List them with pine instances.")
  }

  /// What a destroy removes: the run that is deployed, else the last that began to apply, else the newest.
  private static func removal(in situation: Situation) -> Submission? {
    let basis = situation.instance.basis?.run
    return (basis.flatMap { situation.runs[$0] } ?? situation.runs[situation.instance.newest])?.submission
  }

  private func newRunID() -> Run.ID {
    var random = SystemRandomNumberGenerator()
    return Run.ID.make(at: Date(), using: &random)
  }
}
