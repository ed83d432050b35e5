public import HCL

/// A property that an organization adds to what PORC shows of an instance or a template.
public struct ExtraProperty: Sendable, Equatable {
  /// Where its value comes from. Sensitive inputs and outputs are nowhere in an entity, so never here.
  public enum Source: Sendable, Equatable {
    case constant(Value)
    case input(String)
    case output(String)
    case metadata(Metadata)
  }

  /// What a blueprint says of itself, by its name in the settings.
  public enum Metadata: String, Sendable, CaseIterable {
    case environment, owner, name, title
    case repoURL = "repo_url"
  }

  /// What Port takes as a property's `type`.
  public enum ValueType: String, Sendable, CaseIterable { case string, number, boolean, object, array }

  /// Those of Port's formats for text that can be checked here: Port refuses an entity as a whole for one value.
  public enum Format: String, Sendable, CaseIterable {
    case url, email, user, markdown, yaml, ipv4, ipv6, team
    case dateTime = "date-time"
  }

  public var key: String
  public var source: Source
  public var type: ValueType
  public var format: Format?
  public var title: String?
  public var description: String?
  public var icon: String?

  public init(
    _ key: String, _ source: Source, type: ValueType = .string, format: Format? = nil, title: String? = nil,
    description: String? = nil, icon: String? = nil
  ) {
    self.key = key
    self.source = source
    self.type = type
    self.format = format
    self.title = title
    self.description = description
    self.icon = icon
  }

  /// Its value for an entity; ``null`` where there is none, or where it does not fit the type.
  public func value(for entity: PortalEntity) -> Value {
    let value = found(in: entity)
    return fits(value) ? value : .null
  }

  /// Why it is not shown although there is a value; `nil` where it is shown, or nothing is there.
  public func misfit(in entity: PortalEntity) -> String? {
    let value = found(in: entity)
    guard !value.isNull, !fits(value) else { return nil }
    let expected = format.map { "\(type.rawValue) with the format \($0.rawValue)" } ?? type.rawValue
    return "'\(key)' of \(entity.identifier) is left out: its value is no \(expected)."
  }

  private func found(in entity: PortalEntity) -> Value {
    switch source {
    case .constant(let value): value
    case .input(let name): Self.shown(entity.properties["inputs"]?[name])
    case .output(let name): entity.properties["outputs"]?[name] ?? .null
    case .metadata(.name): .string(entity.identifier)
    case .metadata(.title): .string(entity.title)
    case .metadata(let member): entity.properties[member.rawValue] ?? .null
    }
  }

  /// An input that is sensitive is shown as that, and has no value here.
  private static func shown(_ input: Value?) -> Value {
    guard let input, input != ["sensitive": true] else { return .null }
    return input
  }

  func fits(_ value: Value) -> Bool {
    switch (value, type) {
    case (.string(let text), .string): format?.admits(text) ?? true
    case (.number, .number), (.bool, .boolean), (.object, .object), (.array, .array): true
    default: false
    }
  }
}

extension ExtraProperty.Format {
  /// Whether Port's check of the format surely takes `text`; a careful part of what it takes.
  func admits(_ text: String) -> Bool {
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    switch self {
    case .markdown, .yaml, .team: return true
    case .url:
      let parts = text.split(separator: "://", maxSplits: 1)
      return isPlain && parts.count == 2 && parts[0].first?.isLetter == true
        && parts[0].allSatisfy { $0.isLetter || $0.isNumber || "+-.".contains($0) }
        && !text.contains(where: { "\"<>\\^`{|}".contains($0) })
    case .email, .user:
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return isPlain && parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".")
        && parts[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    case .dateTime: return Timestamp.date(text) != nil
    case .ipv4:
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 4 && parts.allSatisfy { part in UInt8(part).map { "\($0)" == part } ?? false }
    case .ipv6:
      // Full and shortened forms of hexadecimal groups; those that end in an IPv4 address are left out.
      let halves = text.split(separator: "::", omittingEmptySubsequences: false)
      let groups = halves.map { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
      let count = groups.reduce(0) { $0 + $1.count }
      let isGood = groups.joined().allSatisfy { (1...4).contains($0.count) && $0.allSatisfy(\.isHexDigit) }
      return isPlain && isGood && (halves.count == 1 ? count == 8 : halves.count == 2 && count < 8)
    }
  }
}

/// All properties that an organization adds.
public struct ExtraProperties: Sendable, Equatable {
  public var instance: [ExtraProperty] = []
  public var template: [ExtraProperty] = []

  public init() {}

  public func of(_ kind: PortalEntity.Kind) -> [ExtraProperty] {
    switch kind {
    case .template: template
    case .instance: instance
    }
  }

  /// The entity with what an organization adds to it.
  public func added(to entity: PortalEntity) -> PortalEntity {
    var entity = entity
    for property in of(entity.kind) { entity.properties[property.key] = property.value(for: entity) }
    return entity
  }
}
