/// A value read from a text that still knows where each part of it stood.
public struct SourceValue: Hashable, Sendable {
  public let range: SourceRange
  public let content: Content

  public init(range: SourceRange, content: Content) {
    self.range = range
    self.content = content
  }

  public enum Content: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([SourceValue])
    /// In the order of the text; as ``JSONText`` reads it, no key is there twice.
    case object([Member])
  }

  public struct Member: Hashable, Sendable {
    public let key: String
    public let keyRange: SourceRange
    public let value: SourceValue

    public init(key: String, keyRange: SourceRange, value: SourceValue) {
      self.key = key
      self.keyRange = keyRange
      self.value = value
    }
  }

  /// The value without the positions. Should a key be there twice, the last one counts.
  public var value: Value {
    switch content {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let elements): .array(elements.map(\.value))
    case .object(let members): .object(Dictionary(members.map { ($0.key, $0.value.value) }) { _, last in last })
    }
  }

  /// The member of an object with this key.
  public func member(_ key: String) -> Member? {
    guard case .object(let members) = content else { return nil }
    return members.last { $0.key == key }
  }

  /// What `path` leads to, if all its steps exist.
  public func node(at path: [PathStep]) -> SourceValue? {
    path.reduce(self) { (node: SourceValue?, step) in
      switch (step, node?.content) {
      case (.key(let key), .object): node?.member(key)?.value
      case (.index(let index), .array(let elements)) where elements.indices.contains(index): elements[index]
      default: nil
      }
    }
  }

  /// The deepest part on the way along `path` that exists: where to point at when something is missing.
  public func nearestNode(to path: [PathStep]) -> SourceValue {
    var node = self
    for step in path {
      guard let next = node.node(at: [step]) else { break }
      node = next
    }
    return node
  }
}
