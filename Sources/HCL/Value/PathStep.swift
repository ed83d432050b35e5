/// One step from a value into a part of it.
public enum PathStep: Hashable, Sendable {
  case key(String)
  case index(Int)
}

/// Where a part of a value is, as people and as JSON write it.
public struct ValuePath: Hashable, Sendable, CustomStringConvertible {
  public let steps: [PathStep]

  public init(_ steps: [PathStep]) {
    self.steps = steps
  }

  /// As in Terraform: `node_pools[2].size`; keys that are no identifiers as `labels["a b"]`. Empty for the whole value.
  public var description: String {
    var text = ""
    for step in steps {
      switch step {
      case .index(let index): text += "[\(index)]"
      case .key(let key) where key.isIdentifier: text += (text.isEmpty ? "" : ".") + key
      case .key(let key): text += "[\(Value.string(key).hclLiteral)]"
      }
    }
    return text
  }

  /// As RFC 6901 says: `/node_pools/2/size`. Empty for the whole value.
  public var jsonPointer: String {
    steps.reduce(into: "") { text, step in
      switch step {
      case .index(let index): text += "/\(index)"
      case .key(let key):
        text += "/"
        for character in key.unicodeScalars {
          switch character {
          case "~": text += "~0"
          case "/": text += "~1"
          default: text.unicodeScalars.append(character)
          }
        }
      }
    }
  }
}

extension String {
  /// Whether HCL takes this text as a bare name.
  var isIdentifier: Bool {
    guard let first = unicodeScalars.first, first.startsIdentifier else { return false }
    return unicodeScalars.allSatisfy(\.continuesIdentifier)
  }
}

extension Unicode.Scalar {
  var startsIdentifier: Bool {
    isASCII ? self == "_" || ("a"..."z").contains(self) || ("A"..."Z").contains(self) : properties.isIDStart
  }

  var continuesIdentifier: Bool {
    isASCII ? startsIdentifier || self == "-" || ("0"..."9").contains(self) : properties.isIDContinue
  }
}
