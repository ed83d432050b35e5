import Foundation
import PorcCore
import PorcStore
import PortPortal

/// Brings Port to what PORC needs there: its two blueprints, the buttons on instances, and the secret that they call PORC
/// with. Reads everything before it writes anything, and doing it twice, or twice at the same time, is doing it once.
public struct PortSetup: Sendable {
  let settings: PortalSettings
  let client: PortClient
  let store: any Store
  /// Where Port reaches PORC; `nil` where that is not known: then there are no buttons.
  let publicURL: String?

  init(_ settings: PortalSettings, client: PortClient, store: any Store, publicURL: String?) {
    self.settings = settings
    self.client = client
    self.store = store
    self.publicURL = publicURL
  }

  /// What became of one thing, or would.
  public struct Item: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
      case unchanged
      case made
      case changed
      /// It cannot be done from here.
      case blocked
    }

    public var subject: String
    public var outcome: Outcome
    /// What is other, or why.
    public var details: [String]
  }

  public struct Report: Sendable, Equatable {
    public var items: [Item] = []
    /// What somebody should do something about, beyond what was done.
    public var warnings: [String] = []
    /// What somebody should know.
    public var notes: [String] = []

    /// How many things are made or changed.
    public var changes: Int { items.count { $0.outcome == .made || $0.outcome == .changed } }
    public var isBlocked: Bool { items.contains { $0.outcome == .blocked } }
  }

  /// - Parameters:
  ///   - isRehearsal: whether nothing is written, and the report says what would be.
  ///   - rotatesToken: whether the token is made anew, although there is one.
  /// - Throws: a fault that names every conflict, before anything is written; or what Port's answer was.
  public func run(isRehearsal: Bool = false, rotatesToken: Bool = false) async throws -> Report {
    var report = Report()
    guard settings.dialect == .api else {
      report.notes.append(
        "The plain dialect (port.api: entities) knows neither blueprints nor actions: there is nothing to set up.")
      return report
    }
    let blueprints = try await blueprintChanges()
    let actions = try await actionChanges()
    try refuse(blueprints.flatMap(\.conflicts) + actions.flatMap(\.conflicts))
    for change in blueprints {
      if !isRehearsal { try await write(change) }
      report.items.append(change.item("blueprint"))
      report.warnings += change.warnings.map { "\(change.identifier): \($0)" }
    }
    if publicURL == nil {
      report.notes.append("There are no buttons: PORC_PUBLIC_URL does not say where Port reaches PORC.")
    } else {
      // Before the actions that use it.
      try await secret(&report, isRehearsal: isRehearsal, rotatesToken: rotatesToken)
      for change in actions {
        if !isRehearsal { try await write(change) }
        report.items.append(change.item("action"))
      }
    }
    return report
  }

  private func refuse(_ conflicts: [String]) throws {
    guard !conflicts.isEmpty else { return }
    throw Fault(
      .wrongState, (["What is in Port is in PORC's way; nothing was changed:"] + conflicts).joined(separator: "\n  - "),
      fix: "Change or remove it in Port, or choose other names: port.template_blueprint, port.instance_blueprint, "
        + "port.action_prefix.")
  }

  // MARK: Blueprints and actions

  /// What there is to do about one blueprint or action.
  private struct Change<Thing: Sendable>: Sendable {
    var identifier: String
    /// What is there; `nil` where nothing is.
    var existing: Thing?
    var wanted: Thing
    var differences: [String] = []
    var conflicts: [String] = []
    var warnings: [String] = []

    func item(_ kind: String) -> Item {
      let outcome: Item.Outcome = existing == nil ? .made : differences.isEmpty ? .unchanged : .changed
      return Item(subject: "\(kind) \(identifier)", outcome: outcome, details: existing == nil ? [] : differences)
    }
  }

  private func blueprintChanges() async throws -> [Change<Portal.Blueprint>] {
    var changes: [Change<Portal.Blueprint>] = []
    for wanted in PortBlueprints(settings).all {
      var change = Change(
        identifier: wanted.identifier, existing: try await client.blueprints.get(wanted.identifier), wanted: wanted)
      if let existing = change.existing {
        let merge = BlueprintChange(from: existing, to: wanted)
        change.differences = merge.differences
        change.warnings = merge.warnings
        change.conflicts = merge.conflicts.map { "blueprint \(wanted.identifier): \($0)" }
      }
      changes.append(change)
    }
    return changes
  }

  private func write(_ change: Change<Portal.Blueprint>) async throws {
    if change.existing != nil, change.differences.isEmpty { return }
    if change.existing == nil {
      do {
        try await client.blueprints.create(change.wanted)
        return
      } catch let error as PortError where error.kind == .conflict {
        // Another setup made it meanwhile, perhaps of an older PORC.
      }
    }
    // Read again: whoever adds something in this very moment should lose nothing.
    guard let existing = try await client.blueprints.get(change.identifier) else { return }
    let merge = BlueprintChange(from: existing, to: change.wanted)
    try refuse(merge.conflicts.map { "blueprint \(change.identifier): \($0)" })
    if let patch = merge.patch { try await client.blueprints.update(change.identifier, patch) }
  }

  private func actionChanges() async throws -> [Change<Portal.Action>] {
    guard let publicURL else { return [] }
    let all = PortActions(names: settings.names, publicURL: publicURL, usesAgent: settings.usesAgent).all
    let there = try await client.actions.list()
    return all.map { wanted in
      var change = Change(
        identifier: wanted.identifier, existing: there.first { $0.identifier == wanted.identifier }, wanted: wanted)
      if let existing = change.existing {
        let merge = ActionChange(from: existing, to: wanted)
        change.differences = merge.differences
        change.conflicts = merge.conflict.map { ["action \(wanted.identifier): \($0)"] } ?? []
        change.wanted = merge.merged
      }
      return change
    }
  }

  private func write(_ change: Change<Portal.Action>) async throws {
    guard change.existing == nil else {
      if !change.differences.isEmpty { try await client.actions.replace(change.wanted) }
      return
    }
    do {
      try await client.actions.create(change.wanted)
    } catch let error as PortError where error.kind == .conflict {
      // Another setup made it meanwhile.
    }
  }

  // MARK: The secret

  private func secret(_ report: inout Report, isRehearsal: Bool, rotatesToken: Bool) async throws {
    let name = settings.names.secretName
    let tokens = PortToken(store: store, scopes: settings.tokenScopes)
    let known = try await tokens.current()
    var item = Item(subject: "secret \(name)", outcome: .unchanged, details: [])
    defer { report.items.append(item) }
    let isThere: Bool
    do {
      isThere = try await client.secrets.get(name) != nil
    } catch let error as PortError where error.kind == .forbidden {
      item.outcome = .blocked
      let scopes = settings.tokenScopes.map { " --scope \($0.rawValue)" }.joined()
      item.details = [
        "Port does not show its secrets to this client. Make it there, of: porc token create port\(scopes)"
      ]
      return
    }
    if isThere, !rotatesToken {
      if known.isEmpty {
        report.warnings.append(
          "The secret \(name) is in Port, but PORC has no token named 'port'. If the buttons are refused (401), make it "
            + "anew: porc port setup --rotate-token")
      } else if let lacking = lacking(known) {
        report.warnings.append(
          "The token of the secret \(name) lacks the scopes \(lacking). Make it anew: porc port setup --rotate-token")
      } else if !settings.impersonates, known.contains(where: { $0.scopes.contains(.impersonate) }) {
        report.warnings.append(
          "The token of the secret \(name) may name the portal's user, although port.impersonate is 'no'. Make it anew: "
            + "porc port setup --rotate-token")
      }
      return
    }
    item.outcome = isThere ? .changed : .made
    item.details = [known.isEmpty ? "with a new token of PORC" : "with a new token of PORC; the old one is revoked"]
    if isRehearsal { return }
    let (record, value) = try await tokens.make()
    do {
      if isThere {
        try await client.secrets.update(name, value: value)
      } else {
        try await client.secrets.create(
          name, value: value, description: "The token with which Port's buttons call PORC.")
      }
    } catch let error as PortError {
      // Where the answer was lost, or was not Port's, Port may have the new one: then both are good until the next time.
      if error.isRefusal { try await tokens.revoke([record]) }
      guard error.kind == .conflict, !isThere else { throw error }
      // Another setup made it meanwhile, with a token of its own.
      item.outcome = .unchanged
      item.details = []
      return
    }
    try await tokens.revoke(known)
  }

  private func lacking(_ tokens: [TokenRecord]) -> String? {
    let held = Set(tokens.flatMap(\.scopes))
    let lacking = settings.tokenScopes.filter { !$0.isGranted(by: held) }
    return lacking.isEmpty ? nil : lacking.map(\.rawValue).joined(separator: ", ")
  }
}
