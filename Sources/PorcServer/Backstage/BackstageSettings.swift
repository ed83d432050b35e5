import Foundation

/// How PORC shows itself in Backstage's catalog.
public struct BackstageSettings: Sendable, Equatable {
  /// What the templates are there. Instances are always resources.
  public enum TemplateKind: String, Sendable, CaseIterable { case component, resource }

  /// Of all entities: two PORCs in one catalog need two.
  public var namespace = "default"
  /// Who owns what names no owner; the installation's name where there is none.
  public var defaultOwner: String?
  public var templateKind = TemplateKind.component
  /// What PORC's own annotations and labels begin with.
  public var annotationPrefix = "porc.dev"

  public init() {}

  /// A DNS label, as Backstage demands it of a namespace.
  static func isNamespace(_ text: some StringProtocol) -> Bool {
    let bytes = Array(text.utf8)
    return (1...63).contains(bytes.count) && bytes.first != UInt8(ascii: "-") && bytes.last != UInt8(ascii: "-")
      && bytes.allSatisfy { $0.isLowerCaseOrDigit || $0 == UInt8(ascii: "-") }
  }

  /// A DNS subdomain, as Backstage demands it of what stands before the `/` of a key.
  static func isPrefix(_ text: String) -> Bool {
    text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isNamespace)
  }
}
