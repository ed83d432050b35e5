import Foundation
import PorcCore
import PorcStore
import TerraformEnterprise

/// What stands between a plan and its apply: read once, when TFE has come to a decision. A run without policies, run tasks
/// and cost estimate costs no call.
extension RunDriver {
  /// - Throws: what may go better another time. What the token may not see is left out.
  func gates(of run: TerraformEnterprise.Run, _ located: Located) async throws -> Gates {
    var gates = Gates(tfeStatus: run.status.rawValue)
    gates.cost = try await costEstimate(of: run).map(PorcCore.CostEstimate.init)
    var policies = PolicyTally()
    var mayOverride = run.canOverridePolicies
    if !run.policyCheckIDs.isEmpty {
      let checks = try await unlessHidden { try await client.policyChecks.list(run: run.id).collected() } ?? []
      for check in checks {
        policies.add(check, try await verdicts(of: check))
        if check.status == .softFailed { mayOverride = check.canOverride ?? mayOverride }
      }
    }
    for id in run.taskStageIDs {
      let read = try await unlessHidden {
        try await client.taskStages.read(id, include: [.taskResults, .policyEvaluations])
      }
      guard let stage = read, stage.status != .pending else { continue }
      gates.tasks += stage.taskResults.map { PorcCore.TaskResult($0, stage: stage.stage) }
      for evaluation in stage.policyEvaluations { policies.add(evaluation, try await outcomes(of: evaluation)) }
      if stage.status == .awaitingOverride { mayOverride = stage.canOverride ?? mayOverride }
    }
    gates.policies = policies.results
    if TFEReading(run: run, plan: 0).needsOverride, mayOverride == false { gates.overrideLink = link(run.id, located) }
    guard let secret = try await knownSecrets(of: located) else { return gates.withoutWords }
    return gates.masked(by: secret)
  }

  /// The run's page in TFE.
  func link(_ tfeRunID: String, _ located: Located) -> String? {
    located.situation.instance.workspace.map {
      TFELinks(address: settings.address.absoluteString, organization: settings.organization).run(tfeRunID, in: $0)
    }
  }

  private func costEstimate(of run: TerraformEnterprise.Run) async throws -> TerraformEnterprise.CostEstimate? {
    if let included = run.costEstimate { return included }
    guard let id = run.costEstimateID else { return nil }
    return try await unlessHidden { try await client.costEstimates.read(id) }
  }

  /// Nothing is asked of a check that nothing failed in.
  private func verdicts(of check: PolicyCheck) async throws -> [PolicyCheckVerdict] {
    guard check.hardFailed + check.softFailed + check.advisoryFailed > 0 else { return [] }
    return try await unlessHidden { try await client.policyChecks.output(check.id) } ?? []
  }

  private func outcomes(of evaluation: PolicyEvaluation) async throws -> [PolicySetOutcome] {
    guard evaluation.advisoryFailed + evaluation.mandatoryFailed + evaluation.errored > 0 else { return [] }
    return try await unlessHidden { try await client.policyEvaluations.outcomes(of: evaluation.id).collected() } ?? []
  }

  private func unlessHidden<Answer>(_ read: () async throws -> Answer) async throws -> Answer? {
    do {
      return try await read()
    } catch let error as TFEError where !error.isRetryable {
      return nil
    }
  }
}

/// Counts policies of both kinds, and collects those that did not pass.
private struct PolicyTally {
  private var passed = 0
  private var failed = 0
  private var failures: [PolicyFailure] = []
  private var isEmpty = true

  var results: PolicyResults? {
    isEmpty ? nil : PolicyResults(passed: passed, failed: failed, failures: failures)
  }

  mutating func add(_ check: PolicyCheck, _ verdicts: [PolicyCheckVerdict]) {
    // The run ended before it was made: that says nothing of its policies.
    guard check.status != .unreachable else { return }
    isEmpty = false
    passed += check.passed
    failed += check.hardFailed + check.softFailed + check.advisoryFailed
    let counts = [
      ("hard-mandatory", check.hardFailed), ("soft-mandatory", check.softFailed), ("advisory", check.advisoryFailed),
    ]
    for (level, count) in counts where count > 0 {
      // Only as many as the check counts: what its text says beyond that is not understood.
      let named = verdicts.filter { $0.passed == false && $0.enforcementLevel == level }.prefix(count)
      failures += named.map { verdict in
        PolicyFailure(
          verdict.name, enforcementLevel: level, description: verdict.description,
          isOverridden: check.status == .overridden && level == "soft-mandatory")
      }
      for number in named.count..<count {
        failures.append(
          PolicyFailure(
            "policy \(number + 1) of \(count)", enforcementLevel: level,
            isOverridden: check.status == .overridden && level == "soft-mandatory"))
      }
    }
    if check.status == .errored {
      failed += 1
      failures.append(
        PolicyFailure(
          "all of the \(check.scope ?? "organization")", enforcementLevel: "hard-mandatory",
          description: "The policies could not be evaluated."))
    }
  }

  mutating func add(_ evaluation: PolicyEvaluation, _ outcomes: [PolicySetOutcome]) {
    isEmpty = false
    passed += evaluation.passed
    failed += evaluation.advisoryFailed + evaluation.mandatoryFailed + evaluation.errored
    let isOverridden = evaluation.status == .overridden
    var named = 0
    for outcome in outcomes {
      for policy in outcome.outcomes where policy.status != "passed" {
        let level = policy.enforcementLevel ?? "mandatory"
        failures.append(
          PolicyFailure(
            policy.policyName, policySet: outcome.policySetName, enforcementLevel: level,
            description: policy.description, isOverridden: isOverridden && level != "advisory"))
        named += 1
      }
      if let error = outcome.error, !error.isEmpty {
        failures.append(
          PolicyFailure(
            outcome.policySetName ?? "a policy set", policySet: outcome.policySetName, enforcementLevel: "mandatory",
            description: error, isOverridden: isOverridden))
        named += 1
      }
    }
    if named == 0, evaluation.mandatoryFailed + evaluation.errored > 0 {
      failures.append(
        PolicyFailure(
          "\(evaluation.mandatoryFailed + evaluation.errored) of \(evaluation.policyKind ?? "policy")",
          enforcementLevel: "mandatory", isOverridden: isOverridden))
    }
  }
}

extension PorcCore.CostEstimate {
  init(_ estimate: TerraformEnterprise.CostEstimate) {
    self.init(
      status: estimate.status.rawValue, priorMonthlyCost: estimate.priorMonthlyCost,
      proposedMonthlyCost: estimate.proposedMonthlyCost, deltaMonthlyCost: estimate.deltaMonthlyCost,
      matchedResources: estimate.matchedResources, unmatchedResources: estimate.unmatchedResources,
      errorMessage: estimate.errorMessage)
  }
}

extension PorcCore.TaskResult {
  init(_ result: TerraformEnterprise.TaskResult, stage: String) {
    self.init(
      result.taskName ?? result.id, stage: stage, status: result.status.rawValue,
      enforcementLevel: result.enforcementLevel ?? "mandatory", message: result.message, url: result.url)
  }
}

extension Gates {
  /// Longer texts are cut: they are kept with the run.
  private static let maximumText = 2000

  fileprivate func masked(by secret: SecretTexts) -> Gates {
    changed { secret.masked(String($0.prefix(Self.maximumText))) }
  }

  /// Where it cannot be told what is secret in them.
  fileprivate var withoutWords: Gates { changed { _ in nil } }

  /// With other words where others than PORC and TFE's administrators wrote them.
  private func changed(_ words: (String) -> String?) -> Gates {
    var copy = self
    copy.policies = policies.map { results in
      PolicyResults(
        passed: results.passed, failed: results.failed,
        failures: results.failures.map {
          var failure = $0
          failure.description = $0.description.flatMap(words)
          return failure
        })
    }
    copy.tasks = tasks.map {
      var task = $0
      task.message = $0.message.flatMap(words)
      task.url = $0.url.flatMap(words)
      return task
    }
    return copy
  }
}
