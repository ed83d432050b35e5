import Foundation
import HTTPTypes
import Hummingbird
import PorcCore
import PorcStore
import TerraformEnterprise

/// For whoever operates PORC.
struct HealthRoutes: Sendable {
  let store: any Store
  let readiness: Readiness
  let sync: CatalogSync
  let budget: RateBudget
  /// `nil` where TFE does not reach this PORC.
  let notifications: Notifications?
  let portal: PortalHealth

  func register(in routes: Routes) {
    routes.get("/healthz", needs: nil) { _, _ in try .json(Health(status: "ok", version: PorcVersion.current)) }
    routes.get("/readyz", needs: nil) { _, _ in
      try await readiness.require()
      return try .json(Health(status: "ready", version: PorcVersion.current))
    }
    routes.get("/metrics", needs: .read, metrics)
    routes.get("/openapi.json", needs: nil) { _, _ in .bytes(Data(OpenAPIDocument.bytes)) }
    routes.get("/token", needs: .read) { _, context in
      let token = context.token
      return try .json(
        TokenBody(id: token?.id ?? "", name: token?.name ?? "", scopes: token?.scopes.map(\.rawValue) ?? []))
    }
  }

  /// Prometheus' text format (version 0.0.4).
  @Sendable private func metrics(_ request: Request, _ context: PorcContext) async throws -> Response {
    let backlog = try await store.portalBacklog()
    let presses = try await store.actionRunBacklog()
    let sources = try await sync.report()
    let notifications = try await notifications?.report()
    // Of one that was never looked at nobody knows.
    let seen = sources.filter { $0.report.error != nil || $0.report.syncedAt != nil }
    let text = """
      \(Self.text(backlog, portal.reading))
      # HELP porc_action_runs_open Presses of the portal's buttons of which it has not been told the end.
      # TYPE porc_action_runs_open gauge
      porc_action_runs_open \(presses.count)
      # HELP porc_action_runs_oldest_seconds How long the oldest of them is open.
      # TYPE porc_action_runs_oldest_seconds gauge
      porc_action_runs_oldest_seconds \(presses.openSince.map { max(0, Date().timeIntervalSince($0)) } ?? 0)
      # HELP porc_events_total Events recorded.
      # TYPE porc_events_total counter
      porc_events_total \(try await store.lastPosition())
      # HELP porc_source_up Whether a source of templates could be read when it was last looked at.
      # TYPE porc_source_up gauge
      \(seen.map { "porc_source_up{source=\(Self.label($0))} \($0.report.error == nil ? 1 : 0)" }.joined(separator: "\n"))
      # HELP porc_source_templates Templates that a source offers.
      # TYPE porc_source_templates gauge
      \(sources.map { "porc_source_templates{source=\(Self.label($0))} \($0.report.templates)" }.joined(separator: "\n"))
      # HELP porc_source_findings What is wrong or doubtful in a source.
      # TYPE porc_source_findings gauge
      \(sources.map { "porc_source_findings{source=\(Self.label($0))} \($0.report.findings.count)" }.joined(separator: "\n"))
      \(Self.text(budget.reading))
      \(notifications.map(Self.text) ?? "")
      """
    return .bytes(Data(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
  }

  private static func text(_ backlog: PortalBacklog, _ portal: PortalHealth.Reading) -> String {
    let lag = backlog.behindSince.map { max(0, Date().timeIntervalSince($0)) } ?? 0
    return """
      # HELP porc_portal_up Whether the portal takes what it is sent.
      # TYPE porc_portal_up gauge
      porc_portal_up \(portal.reason == nil ? 1 : 0)
      # HELP porc_portal_behind Entities that the portal does not show as it should.
      # TYPE porc_portal_behind gauge
      porc_portal_behind \(backlog.count)
      # HELP porc_portal_lag_seconds How long the longest waiting entity is behind.
      # TYPE porc_portal_lag_seconds gauge
      porc_portal_lag_seconds \(lag)
      # HELP porc_portal_parked Entities that the portal refuses as they are.
      # TYPE porc_portal_parked gauge
      porc_portal_parked \(backlog.parked)
      # HELP porc_portal_held_removals Entities that are kept in the portal until somebody confirms that they go.
      # TYPE porc_portal_held_removals gauge
      porc_portal_held_removals \(portal.held)
      # HELP porc_portal_written_total States of entities that the portal took.
      # TYPE porc_portal_written_total counter
      porc_portal_written_total \(portal.written)
      """
  }

  private static func text(_ notifications: NotificationReport) -> String {
    """
    # HELP porc_tfe_notifications Workspaces and projects about which Terraform Enterprise tells by itself, or should.
    # TYPE porc_tfe_notifications gauge
    porc_tfe_notifications{state="working"} \(notifications.working)
    porc_tfe_notifications{state="failing"} \(notifications.failing)
    # HELP porc_tfe_notification_timestamp_seconds When it last told something; 0 for never.
    # TYPE porc_tfe_notification_timestamp_seconds gauge
    porc_tfe_notification_timestamp_seconds \(notifications.heardAt?.timeIntervalSince1970 ?? 0)

    """
  }

  /// TFE's limits, and how PORC fares with them.
  private static func text(_ reading: RateBudget.Reading) -> String {
    func series<Label: RawRepresentable<String> & Hashable>(
      _ name: String, _ label: String, _ values: [Label: Int], of all: [Label]
    ) -> String {
      all.map { "\(name){\(label)=\"\($0.rawValue)\"} \(values[$0] ?? 0)" }.joined(separator: "\n")
    }
    let limited = CallScope.allCases.filter { reading.limits[$0] != nil }
    var parts: [String] = []
    if !limited.isEmpty {
      parts.append(
        """
        # HELP porc_tfe_calls_limit Calls that TFE allows: general ones a second, lists of runs a minute.
        # TYPE porc_tfe_calls_limit gauge
        \(series("porc_tfe_calls_limit", "scope", reading.limits, of: limited))
        # HELP porc_tfe_calls_remaining Calls that could be made at once.
        # TYPE porc_tfe_calls_remaining gauge
        \(series("porc_tfe_calls_remaining", "scope", reading.remaining, of: limited))
        """)
    }
    parts.append(
      """
      # HELP porc_tfe_calls_waiting Calls that wait for the budget.
      # TYPE porc_tfe_calls_waiting gauge
      \(series("porc_tfe_calls_waiting", "priority", reading.waiting, of: CallPriority.allCases))
      # HELP porc_tfe_calls_longest_wait_seconds How long the longest waiting call has waited.
      # TYPE porc_tfe_calls_longest_wait_seconds gauge
      porc_tfe_calls_longest_wait_seconds \(Double(reading.longestWait.milliseconds) / 1000)
      # HELP porc_tfe_calls_total Calls of TFE, retries included.
      # TYPE porc_tfe_calls_total counter
      \(series("porc_tfe_calls_total", "priority", reading.made, of: CallPriority.allCases))
      # HELP porc_tfe_calls_refused_total Calls that TFE refused because there were too many (429).
      # TYPE porc_tfe_calls_refused_total counter
      \(series("porc_tfe_calls_refused_total", "scope", reading.refused, of: CallScope.allCases))
      """)
    return parts.joined(separator: "\n")
  }

  /// A label's value in quotes.
  private static func label(_ body: SourceBody) -> String {
    "\"\(body.source.name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}

private struct Health: Codable {
  var status: String
  var version: String
}

private struct TokenBody: Codable {
  var id: String
  var name: String
  var scopes: [String]
}

/// Which PORC this is.
public enum PorcVersion {
  public static let current = "0.1.0"
}
