import Foundation
public import PorcCore
import PorcStore

/// Runs and instances as the API shows them.
struct RunViews: Sendable {
  let store: any Store
  let rules: RunMachine.Rules
  let links: TFELinks
  private let statuses = DocumentCache<String, EntityTagged>(capacity: 8192)

  init(store: any Store, rules: RunMachine.Rules, links: TFELinks) {
    self.store = store
    self.rules = rules
    self.links = links
  }

  func status(_ located: Located, at now: Date = Date()) -> RunStatus {
    var status = RunStatus(located.run, in: located.situation, asked: located.askedByTFERunID, at: now, rules: rules)
    status.wait?.link = waitLink(located.run, in: located.situation)
    return status
  }

  /// The status as it goes over the wire, made once for each version of a situation: it is polled more than it changes.
  func taggedStatus(_ located: Located) throws -> EntityTagged {
    let key = located.askedByTFERunID ?? located.run.id.rawValue
    // Where plans grow too old, or a cancel may be forced some time, time changes the status as well.
    let isTimeless = rules.maximumPlanAge == nil && located.run.currentPlan?.forceCancelAt == nil
    if isTimeless, let known = statuses.document(key, version: located.version) { return known }
    let status = EntityTagged(try JSONEncoder.porc.encode(status(located)))
    if isTimeless { statuses.remember(status, key, version: located.version) }
    return status
  }

  func summary(_ located: Located, warnings: [Finding]? = nil, at now: Date = Date()) async throws -> RunSummary {
    let tfeRunID = located.askedByTFERunID ?? located.run.currentPlan?.tfeRunID
    let link = located.situation.instance.workspace.flatMap { workspace in
      tfeRunID.map { links.run($0, in: workspace) }
    }
    return RunSummary(
      located.run, status: status(located, at: now), in: located.situation,
      portal: try await portal(of: located.run.instance), tfeLink: link, warnings: warnings)
  }

  func instance(_ situation: Situation, at now: Date = Date()) async throws -> InstanceBody {
    let portal = try await portal(of: situation.instance.id)
    guard var body = InstanceBody(situation, portal: portal, at: now, rules: rules) else {
      throw Fault(.bug, "The instance '\(situation.instance.id)' has no run.")
    }
    if let run = situation.currentRun { body.currentRun.wait?.link = waitLink(run, in: situation) }
    return body
  }

  /// The page in TFE where what a run waits for can be seen or cleared.
  private func waitLink(_ run: Run, in situation: Situation) -> String? {
    guard let workspace = situation.instance.workspace, let wait = situation.waiting(run)?.wait else { return nil }
    switch wait {
    case .workspaceLocked: return links.workspace(workspace)
    case .tfeRunAhead(let tfeRunID, _): return links.run(tfeRunID, in: workspace)
    case .anotherRun(let id, _, _):
      return situation.runs[id]?.currentPlan?.tfeRunID.map { links.run($0, in: workspace) }
    case .tfeQueue, .tfeCapacity, .runTasks, .decision, .approval, .policyOverride, .earlierPlan, .cancelOfPlan,
      .cancelOfApply, .discard, .override, .beginOfApply, .removal:
      return run.currentPlan?.tfeRunID.map { links.run($0, in: workspace) }
    case .turn, .maximumRuns, .workers, .tfeUnreachable, .tfeFailing, .tokenRefused, .tfeRefused, .rateLimited,
      .stepFailing:
      return nil
    }
  }

  private func portal(of instance: Instance.ID) async throws -> PortalSummary {
    let status = try await store.portalStatus(.instance, instance.rawValue)
    return PortalSummary(
      inSync: status?.behindSince == nil, behindSince: status?.behindSince, rejection: status?.rejection)
  }
}

/// Pages of TFE's user interface. They name the workspace, not its id.
public struct TFELinks: Sendable, Hashable {
  public var address: String
  public var organization: String

  public init(address: String, organization: String) {
    self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
    self.organization = organization
  }

  public func workspace(_ workspace: Workspace) -> String {
    "\(address)/app/\(organization.pathSegment)/workspaces/\(workspace.name.pathSegment)"
  }

  public func run(_ id: String, in workspace: Workspace) -> String {
    "\(self.workspace(workspace))/runs/\(id.pathSegment)"
  }
}

extension String {
  /// Percent-encoded as one segment of a path.
  var pathSegment: String {
    addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? self
  }
}
