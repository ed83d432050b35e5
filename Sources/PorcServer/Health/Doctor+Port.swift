import Foundation
import PorcCore
import PorcStore
import PortPortal

/// What there is to say about Port: whether it is as PORC needs it, and whether it shows what it should.
extension Doctor {
  /// How many things of a sort are told one by one.
  private static let told = 5

  func port(_ tool: PortTool) async -> [Finding] {
    let portal = settings.portal
    guard portal.dialect == .api else {
      return [
        Finding(
          subject: "Port", isGood: true,
          text:
            "\(portal.baseURL.absoluteString), spoken to plainly (port.api: entities), can only be written to. So there "
            + "are no buttons, nothing is compared or taken away: what somebody edits or deletes there stays so until it "
            + "changes in PORC, and what is gone from PORC stays there.")
      ] + (await shown(tool))
    }
    let who = if case .clientCredentials(let id, _) = portal.credentials { ", as the client \(id)" } else { "" }
    let door = await finding("Port") {
      try await tool.with { _, client, _ in
        _ = try await client.blueprints.get(portal.names.templateBlueprint)
        return portal.baseURL.absoluteString + who
      }
    }
    guard door.isGood else { return [door] + (await shown(tool)) }
    return [door] + (await setUp(tool)) + (await shown(tool))
  }

  /// What a set-up would find.
  private func setUp(_ tool: PortTool) async -> [Finding] {
    let report: PortSetup.Report
    do {
      report = try await tool.with { store, client, _ in
        try await tool.setUp(store, client).run(isRehearsal: true)
      }
    } catch {
      return [await finding("Port's blueprints") { throw error }]
    }
    var findings: [Finding] = []
    for (subject, word) in [
      ("Port's blueprints", "blueprint"), ("Port's buttons", "action"), ("Port's secret", "secret"),
    ] {
      let items = report.items.filter { $0.subject.hasPrefix(word) }
      guard !items.isEmpty else { continue }
      let wrong = items.filter { $0.outcome != .unchanged }.map { item in
        let state =
          switch item.outcome {
          case .made: "is not there"
          case .changed, .unchanged: item.details.joined(separator: ", ")
          case .blocked: item.details.joined(separator: " ")
          }
        return item.outcome == .changed ? "\(item.subject) (\(state))" : "\(item.subject) \(state)"
      }
      let text =
        wrong.isEmpty
        ? "as \(items.count == 1 ? "it" : "they") should be"
        : "\(wrong.joined(separator: "; ")). Put it right: porc port setup"
      findings.append(Finding(subject: subject, isGood: wrong.isEmpty, text: text))
    }
    findings += report.warnings.map { Finding(subject: "Port", isGood: false, text: $0) }
    return findings + report.notes.map { Finding(subject: "Port", isGood: true, text: $0) }
  }

  /// How far Port is behind, and what it refuses.
  private func shown(_ tool: PortTool) async -> [Finding] {
    do {
      return try await tool.withStore(alone: false) { store, _ in
        guard try await store.lastPosition() > 0 else { return [] }  // nothing was to be told
        var findings = [Self.backlog(try await store.portalBacklog())]
        let parked = try await store.parkedEntities(limit: Self.told)
        findings += parked.map { parked in
          let name = "\(settings.portal.names.blueprint(parked.kind))/\(parked.identifier)"
          return Finding(
            subject: "Port", isGood: false,
            text: "refuses \(name) since \(Timestamp.text(parked.behindSince)): \(parked.reason)")
        }
        for kind in PortalEntity.Kind.allCases {
          let share = try await store.removalShare(kind)
          guard share.isHeld(beyond: settings.portal.removalLimit) else { continue }
          let text =
            "\(share.removals) of \(share.shown) entities of \(settings.portal.names.blueprint(kind)) should go, which is so "
            + "much that none went. See them: porc port diff. If that is right: porc port sync --confirm-removals"
          findings.append(Finding(subject: "Port", isGood: false, text: text))
        }
        return findings + (try await leftOut(store))
      }
    } catch {
      return []  // the finding about the database says it
    }
  }

  /// Values that the settings ask for and that Port would refuse.
  private func leftOut(_ store: any Store) async throws -> [Finding] {
    var texts: [String] = []
    for kind in PortalEntity.Kind.allCases where !settings.portal.extras.of(kind).isEmpty {
      for entity in try await store.desiredEntities(kind) {
        texts += settings.portal.extras.of(kind).compactMap { $0.misfit(in: entity) }
      }
    }
    guard let first = texts.first else { return [] }
    let text = texts.count == 1 ? first : "\(first) So are \(texts.count - 1) more: see porc port diff."
    return [Finding(subject: "properties of your own", isGood: true, text: text)]
  }

  private static func backlog(_ backlog: PortalBacklog) -> Finding {
    let subject = "what Port was told"
    guard let since = backlog.behindSince, backlog.count > 0 else {
      return Finding(subject: subject, isGood: true, text: "everything, and it has acknowledged it")
    }
    var text = "all but \(backlog.count), since \(Timestamp.text(since))"
    if backlog.parked > 0 { text += ", \(backlog.parked) of them refused" }
    if backlog.removals > 0 { text += ", \(backlog.removals) to go" }
    // Something is always on its way.
    return Finding(subject: subject, isGood: Date().timeIntervalSince(since) < 60, text: text)
  }
}
