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
