import FoundationEssentials
import HCL
import PorcCore

/// Everything about a run on one page: `pine summary`.
struct SummaryPage {
  let summary: RunSummary
  let now: Date

  var lines: [Prose] {
    head + section("Plan", PlanPage.lines(for: summary)) + section("Inputs", inputs) + section("Outputs", outputs)
      + section("Error", failure) + section("Next", next)
  }

  private var head: [Prose] {
    let status = summary.status
    let instance = summary.instance
    return Table.fields([
      ("run", "\(status.runID)"),
      ("instance", "\(instance.identifier, .bold)" + (instance.title.map { " (\($0))" } ?? "")),
      (
        "state",
        status.shown + (status.isPartial ? " (in part)" : "")
          + (summary.decidedInTFE == true ? " (decided in Terraform Enterprise)" : "")
          + ", \(RelativeTime.text(status.lastUpdated, now: now))"
      ),
      ("operation", status.operation == .destroy ? "destroy" : nil),
      ("waits for", status.waitingFor.map { "\($0)" }),
      ("superseded", status.supersededBy.map { "by \($0)" }),
      (
        "template",
        "\(summary.template.name) \(summary.template.version)"
          + (summary.template.commit.map { " (\(String($0.prefix(12))))" } ?? "")
      ),
      ("environment", instance.environment.map { "\($0)" }),
      ("owner", instance.owner.map { "\($0)" }),
      ("region", summary.region.map { "\($0)" }),
      ("repository", summary.repoURL.map { "\($0)" }),
      ("workspace", summary.workspace.map { "\($0.name) (\($0.id))" }),
      ("in TFE", summary.tfeLink.map { "\($0)" }),
      (
        "approved by", summary.approvals.isEmpty ? nil : summary.approvals.map { "\($0.by.name)" as Prose }.joined(", ")
      ),
      ("overridden by", summary.overrides.isEmpty ? nil : summary.overrides.map(Self.shown).joined(", ")),
      ("portal", PortalPhrase.text(summary.portal, now: now)),
    ])
  }

  /// `alice ("agreed with security")`
  private static func shown(_ override: PolicyOverride) -> Prose {
    "\(override.by.name) (\"\(override.reason)\")" + (override.refusal == nil ? "" : ", which TFE did not take")
  }

  private var inputs: [Prose] {
    Table.fields(sorted(summary.inputs).map { ($0.key, Self.shown($0.value)) })
  }

  private var outputs: [Prose] {
    Table.fields(
      sorted(summary.outputs).map { name, output in
        (name, output.isSensitive ? Self.masked : Self.shown(output.value ?? .null))
      })
  }

  private var failure: [Prose] {
    guard let failure = summary.error else { return [] }
    let head: Prose = failure.address.map { "\(failure.summary, .red) (\($0))" } ?? "\(failure.summary, .red)"
    guard let detail = failure.detail, !detail.isEmpty else { return [head] }
    return [head] + TerminalText.visibleLines(detail).map { "\($0)" }
  }

  private var next: [Prose] { NextStep.commands(for: summary.status).map { Prose($0, .bold) } }

  private func section(_ title: String, _ lines: [Prose]) -> [Prose] {
    lines.isEmpty ? [] : ["", Prose(title, .bold)] + lines.map { "  \($0)" }
  }

  private func sorted<Element>(_ members: [String: Element]) -> [(key: String, value: Element)] {
    members.sorted { $0.key < $1.key }
  }

  private static let masked: Prose = "\("(sensitive)", .dim)"

  /// A value as JSON, text without its quotes; what PORC keeps to itself as a mask.
  static func shown(_ value: Value) -> Prose {
    if value == ["sensitive": true] { return masked }
    return Prose(value.stringValue ?? value.json())
  }
}

/// What a plan would do.
enum PlanPage {
  /// The counts, and each resource with Terraform's own sign.
  static func lines(for summary: RunSummary) -> [Prose] {
    guard let plan = summary.plan else { return [] }
    let head: Prose = summary.status.hasChanges == false ? "no changes" : "\(sentence(plan))"
    let resources = plan.resources.map { resource in
      let (sign, style) = sign(resource.action)
      return "\(sign, style) \(resource.address)" as Prose
    }
    return [head] + resources + GatesPage.lines(for: plan)
  }

  /// `3 to add, 0 to change, 1 to destroy`.
  static func sentence(_ plan: RunSummary.PlanDetails) -> String {
    PlanSummary(
      additions: plan.additions, changes: plan.changes, destructions: plan.destructions, imports: plan.imports
    ).sentence
  }

  private static func sign(_ action: String) -> (String, Style?) {
    switch action {
    case "create": ("  +", .green)
    case "update": ("  ~", .yellow)
    case "delete": ("  -", .red)
    case "replace": ("-/+", .red)
    case "read": (" <=", .cyan)
    case "import": ("  &", .cyan)
    case "forget": ("  .", .yellow)
    default: (action, nil)
    }
  }
}

/// What stands between a plan and its apply: what it costs, and what did not pass.
enum GatesPage {
  static func lines(for plan: RunSummary.PlanDetails) -> [Prose] {
    cost(plan.costEstimate) + policies(plan.policies) + plan.tasks.filter(\.isFailed).map(line)
  }

  /// What Terraform's own output does not say, where a step has just shown it.
  private static func cost(_ estimate: CostEstimate?) -> [Prose] {
    guard let estimate, !["pending", "queued"].contains(estimate.status) else { return [] }
    guard let delta = estimate.deltaMonthlyCost, estimate.status == "finished" else {
      return ["cost: no estimate (\(estimate.errorMessage ?? estimate.status))"]
    }
    let change = delta.hasPrefix("-") ? delta : "+\(delta)"
    let total = estimate.proposedMonthlyCost.map { ", \($0) in all" } ?? ""
    let unknown = estimate.unmatchedResources > 0 ? " (\(estimate.unmatchedResources) without a price)" : ""
    return ["cost: \(change) a month\(total)\(unknown)"]
  }

  private static func policies(_ results: PolicyResults?) -> [Prose] {
    guard let results else { return [] }
    let head: Prose = "policies: \(results.passed) passed, \(results.failed) failed"
    return [head] + results.failures.map(line)
  }

  private static func line(_ policy: PolicyFailure) -> Prose {
    let name = (policy.policySet.map { "\($0)/" } ?? "") + policy.name
    let description = oneLine(policy.description ?? "")
    let said = description.isEmpty ? "" : ": \(description)"
    let end = policy.isOverridden ? ", overridden" : ""
    return "  \(name, policy.isBlocking ? .red : .yellow) (\(policy.enforcementLevel)\(end))\(said)"
  }

  private static func line(_ task: TaskResult) -> Prose {
    let words = [task.message.map(oneLine), task.url].compactMap { $0 }.filter { !$0.isEmpty }
    let said = words.isEmpty ? "" : ": " + words.joined(separator: " ")
    return "run task \(task.name, task.isBlocking ? .red : .yellow) (\(task.enforcementLevel)) \(task.status)\(said)"
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

/// Whether the portal shows what it should.
enum PortalPhrase {
  static func text(_ portal: PortalSummary, now: Date) -> Prose {
    if portal.inSync { return "in sync" }
    let since: Prose = portal.behindSince.map { ", since \(RelativeTime.text($0, now: now))" } ?? ""
    return "\("behind", .yellow)\(since)" + (portal.rejection.map { ": it refused the entity: \($0)" } ?? "")
  }
}
