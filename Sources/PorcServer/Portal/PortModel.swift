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
    guard let acknowledged else { return properties.filter(\.value.isNull).keys.sorted() }
    return acknowledged.properties.filter { key, value in
      !value.isNull && (properties[key] ?? .null).isNull
    }.keys.sorted()
  }

  /// The properties and relations that the portal shows otherwise than it should, as far as they are ours: what others
  /// added there is theirs. `title` stands for the title.
  func keysShownOtherwise(by remote: Entity) -> [String] {
    var keys = properties.filter { key, value in !Value(remote.properties[key] ?? .null).isSame(as: value) }.keys
      .sorted()
    keys += relations.filter { key, value in Value(remote.relations[key] ?? .null) != value }.keys
      .filter { !keys.contains($0) }.sorted()
    return remote.title == title ? keys : keys + ["title"]
  }

  /// What the portal shows of that which is ours.
  func shown(by remote: Entity) -> PortalEntity {
    var shown = self
    shown.title = remote.title ?? ""
    for key in properties.keys { shown.properties[key] = Value(remote.properties[key] ?? .null) }
    for key in relations.keys { shown.relations[key] = Value(remote.relations[key] ?? .null) }
    return shown
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
    // Port spells moments in its own way: 2026-01-01T00:00:00.000Z.
    case (.string(let mine), .string(let theirs)) where mine != theirs:
      Timestamp.date(mine).map { $0 == Timestamp.date(theirs) } ?? false
    // JSON's readers keep what a double holds.
    case (.number(let mine), .number(let theirs)): mine == theirs || mine.doubleValue == theirs.doubleValue
    case (.string(let mine), .number(let theirs)): !theirs.doubleValue.isFinite && mine == theirs.description
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
      if let integer = number.intValue {
        self = .integer(Int64(integer))
      } else if number.doubleValue.isFinite {
        self = .number(number.doubleValue)
      } else {
        self = .string(number.description)  // JSON's writers cannot express it
      }
    case .string(let value): self = .string(value)
    case .array(let values): self = .array(values.map { JSON($0) })
    case .object(let members): self = .object(members.mapValues { JSON($0) })
    }
  }
}
