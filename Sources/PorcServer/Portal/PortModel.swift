import HCL
import PorcCore
import PortPortal

/// Our portal entities in Port's words. Pure, and the one place where this is decided.
extension Entity {
  /// - Parameter keepingNulls: whether properties without a value are named: Port's merge leaves what is not named alone.
  init(_ entity: PortalEntity, keepingNulls: Bool = false) {
    self.init(
      identifier: entity.identifier, title: entity.title,
      properties: entity.properties.filter { keepingNulls || !$0.value.isNull }.mapValues { JSON($0) },
      relations: entity.relations.mapValues { JSON($0) })
  }
}

extension PortalEntity {
  /// The properties that should have no value now, and had one in what the portal last took, or may have had.
  func cleared(since acknowledged: PortalEntity?) -> [String] {
    properties.filter { key, value in
      value.isNull && (acknowledged == nil || acknowledged?.properties[key]?.isNull == false)
    }.keys.sorted()
  }

  /// Whether the portal shows what it should, as far as it is ours: what others added there is theirs.
  func isShown(by remote: Entity) -> Bool {
    let properties = properties.allSatisfy { key, value in
      Value(remote.properties[key] ?? .null).isSame(as: value)
    }
    let relations = relations.allSatisfy { key, value in Value(remote.relations[key] ?? .null) == value }
    return properties && relations && remote.title == title
  }
}

extension Value {
  /// Port may leave empty members out.
  fileprivate func isSame(as other: Value) -> Bool {
    switch (self, other) {
    case (.object(let mine), .object(let theirs)):
      Set(mine.keys).union(theirs.keys).allSatisfy { (mine[$0] ?? .null).isSame(as: theirs[$0] ?? .null) }
    case (.array(let mine), .array(let theirs)):
      mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.isSame(as: $1) }
    // JSON's readers keep what a double holds.
    case (.number(let mine), .number(let theirs)): mine == theirs || mine.doubleValue == theirs.doubleValue
    default: self == other
    }
  }

  init(_ json: JSON) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .number(Number(Int(value)))
    case .number(let value): self = Number(value).map(Value.number) ?? .null
    case .string(let value): self = .string(value)
    case .array(let values): self = .array(values.map { Value($0) })
    case .object(let members): self = .object(members.mapValues { Value($0) })
    }
  }
}

extension JSON {
  init(_ value: HCL.Value) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .number(let number):
      if let integer = number.intValue { self = .integer(Int64(integer)) } else { self = .number(number.doubleValue) }
    case .string(let value): self = .string(value)
    case .array(let values): self = .array(values.map { JSON($0) })
    case .object(let members): self = .object(members.mapValues { JSON($0) })
    }
  }
}
