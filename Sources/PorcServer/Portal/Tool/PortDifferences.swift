public import Foundation
public import HCL
import PorcCore
import PorcStore
import PortPortal

/// What PORC wants Port to show, beside what Port shows. The JSON of `porc port diff --json`.
public struct PortDifferences: Sendable, Equatable, Encodable {
  /// An entity, by its blueprint and its identifier.
  public struct Subject: Sendable, Equatable, Encodable {
    public var blueprint: String
    public var identifier: String
  }

  /// An entity that is shown otherwise than it should be.
  public struct Different: Sendable, Equatable, Encodable {
    public var subject: Subject
    public var properties: [Property]
  }

  public struct Property: Sendable, Equatable, Encodable {
    /// A property's or a relation's name, or `title`.
    public var name: String
    /// What Port has.
    public var port: Value
    public var porc: Value
  }

  /// An entity that waits: with what, and since when.
  public struct Waiting: Sendable, Equatable, Encodable {
    public var subject: Subject
    /// Port's words, where it refused it.
    public var reason: String?
    public var since: Date
  }

  /// Those that Port does not have.
  public internal(set) var missing: [Subject] = []
  public internal(set) var different: [Different] = []
  /// Those that should go from Port and have not gone yet.
  public internal(set) var removals: [Waiting] = []
  /// Those that Port refuses as they are.
  public internal(set) var parked: [Waiting] = []
  /// Those that a PORC wrote, and that this one knows nothing of. It leaves them alone.
  public internal(set) var unknown: [Subject] = []
  /// How many entities others have in the same blueprints.
  public internal(set) var others = 0
  /// Values that the settings ask for and that do not fit, in words.
  public internal(set) var leftOut: [String] = []

  /// Whether Port shows what it should.
  public var isInSync: Bool { missing.isEmpty && different.isEmpty && removals.isEmpty && parked.isEmpty }

  enum CodingKeys: String, CodingKey {
    case missing, different, removals, parked, unknown, others
    case isInSync = "in_sync"
    case leftOut = "left_out"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isInSync, forKey: .isInSync)
    try container.encode(missing, forKey: .missing)
    try container.encode(different, forKey: .different)
    try container.encode(removals, forKey: .removals)
    try container.encode(parked, forKey: .parked)
    try container.encode(unknown, forKey: .unknown)
    try container.encode(others, forKey: .others)
    try container.encode(leftOut, forKey: .leftOut)
  }
}

extension PortDifferences.Subject: CustomStringConvertible {
  public var description: String { "\(blueprint)/\(identifier)" }
}

extension PortDifferences.Property: CustomStringConvertible {
  public var description: String {
    let shown = port.isNull ? "is not set in Port" : "is \(Self.text(port)) in Port"
    return "\(name) \(shown), and should \(porc.isNull ? "not be set" : "be \(Self.text(porc))")"
  }

  /// Longer values are cut: whoever wants them whole asks for JSON.
  private static func text(_ value: Value) -> String {
    let text = value.json()
    return text.count > 80 ? "\(text.prefix(80))…" : text
  }
}

extension PortDifferences.Different {
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(subject.blueprint, forKey: .blueprint)
    try container.encode(subject.identifier, forKey: .identifier)
    try container.encode(properties, forKey: .properties)
  }

  private enum CodingKeys: String, CodingKey { case blueprint, identifier, properties }
}

extension PortDifferences.Waiting {
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(subject.blueprint, forKey: .blueprint)
    try container.encode(subject.identifier, forKey: .identifier)
    try container.encodeIfPresent(reason, forKey: .reason)
    try container.encode(since, forKey: .since)
  }

  private enum CodingKeys: String, CodingKey { case blueprint, identifier, reason, since }
}

/// Reads both sides, and changes neither.
struct PortComparing: Sendable {
  let settings: PortalSettings
  let store: any Store
  let client: PortClient

  /// What one look lists at most of each sort.
  private static let limit = 100_000

  func differences() async throws -> PortDifferences {
    var found = PortDifferences()
    found.parked = try await store.parkedEntities(limit: Self.limit).map {
      PortDifferences.Waiting(subject: subject($0.kind, $0.identifier), reason: $0.reason, since: $0.behindSince)
    }
    for kind in PortalEntity.Kind.writingOrder {
      let removals = try await store.outstandingRemovals(kind, limit: Self.limit)
      found.removals += removals.map {
        PortDifferences.Waiting(subject: subject(kind, $0.identifier), since: $0.behindSince)
      }
      let comparison = PortalComparison(store: store, client: client, names: settings.names)
      let others = try await comparison.run(kind) { findings in
        for finding in findings { add(finding, to: &found) }
      }
      let unknown = try await unknown(kind, removals: Set(removals.map(\.identifier)))
      found.unknown += unknown.map { subject(kind, $0) }
      found.others += max(others - unknown.count - removals.count, 0)
      for entity in try await store.desiredEntities(kind) {
        found.leftOut += settings.extras.of(kind).compactMap { $0.misfit(in: entity) }
      }
    }
    return found
  }

  private func subject(_ kind: PortalEntity.Kind, _ identifier: String) -> PortDifferences.Subject {
    PortDifferences.Subject(blueprint: settings.names.blueprint(kind), identifier: identifier)
  }

  private func add(_ finding: PortalComparison.Finding, to found: inout PortDifferences) {
    let desired = finding.desired
    let subject = subject(desired.kind, desired.identifier)
    guard let remote = finding.remote else {
      found.missing.append(subject)
      return
    }
    let shown = desired.shown(by: remote)
    let properties = finding.keys.map { key in
      PortDifferences.Property(name: key, port: shown.value(of: key), porc: desired.value(of: key))
    }
    found.different.append(PortDifferences.Different(subject: subject, properties: properties))
  }

  /// What a PORC was the last to write, by Port's own word, and this one neither wants there nor wants gone.
  private func unknown(_ kind: PortalEntity.Kind, removals: Set<String>) async throws -> [String] {
    let query = EntityQuery(
      rules: [
        "combinator": "and", "rules": [["property": "$datasource", "operator": "beginsWith", "value": "porc/"]],
      ], include: ["$identifier"])
    let known = removals.union(try await store.portalVersions(kind).keys)
    var unknown: [String] = []
    for try await entity in client.entities.search(in: settings.names.blueprint(kind), query)
    where !known.contains(entity.identifier) { unknown.append(entity.identifier) }
    return unknown.sorted()
  }
}

extension PortalEntity {
  /// What is shown under a name that ``keysShownOtherwise(by:)`` gives.
  fileprivate func value(of key: String) -> Value {
    if let value = properties[key] { return value }
    return relations[key] ?? (key == "title" ? .string(title) : .null)
  }
}
