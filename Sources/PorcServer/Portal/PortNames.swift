public import PorcCore

/// What PORC's things are called in Port. An organization that has taken a name already, or has two PORCs, chooses others.
public struct PortNames: Sendable, Equatable {
  public var templateBlueprint = PortalEntity.Kind.template.rawValue
  public var instanceBlueprint = PortalEntity.Kind.instance.rawValue
  /// What the identifiers of actions begin with.
  public var actionPrefix = "porc_"
  /// The organization's secret that holds the token with which actions call PORC.
  public var secretName = "PORC_TOKEN"

  public init() {}

  /// The blueprint whose entities show things of this kind.
  public func blueprint(_ kind: PortalEntity.Kind) -> String {
    switch kind {
    case .template: templateBlueprint
    case .instance: instanceBlueprint
    }
  }
}

extension PortNames {
  /// Port's rule for blueprints: letters, digits and `@_.+:\/-`, at most 100, and not a path's `.` or `..`.
  static func isBlueprint(_ name: String) -> Bool { isName(name, beside: "@_.+:\\/-", maximum: 100) }

  /// Port's rule for actions: letters, digits and `@_.+:=-`.
  static func isActionPrefix(_ prefix: String) -> Bool { isName(prefix, beside: "@_.+:=-", maximum: 80) }

  /// Port's rule for secrets: letters and digits of ASCII, `-` and `_`.
  static func isSecret(_ name: String) -> Bool {
    name.utf8.allSatisfy { $0 < 0x80 } && isName(name, beside: "-_", maximum: 100)
  }

  private static func isName(_ name: String, beside others: String, maximum: Int) -> Bool {
    (1...maximum).contains(name.count) && name != "." && name != ".."
      && name.allSatisfy { $0.isLetter || $0.isASCII && $0.isNumber || others.contains($0) }
  }
}
