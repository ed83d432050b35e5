/// The address of a module in a registry: `[HOST[:PORT]/]NAMESPACE/NAME/SYSTEM`.
///
/// As strict as Terraform's own address parser, so its parts need no escaping in a path.
public struct ModuleAddress: Sendable, Hashable, CustomStringConvertible {
  /// Where it lives, if the address says so.
  public let host: RegistryHost?
  /// The organization on a private registry.
  public let namespace: String
  /// The module's name.
  public let name: String
  /// What it is for, mostly the name of a provider: `aws`.
  public let system: String

  /// An address from its parts.
  public init(host: RegistryHost? = nil, namespace: String, name: String, system: String) throws(InvalidAddress) {
    for (part, what) in [(namespace, "namespace"), (name, "module name")] where !Self.isName(part) {
      throw InvalidAddress(
        part, "is not a \(what): 1 to 64 letters, digits, '-' and '_', with a letter or digit at both ends")
    }
    guard 1...64 ~= system.utf8.count, system.utf8.allSatisfy({ $0.isLetterOrDigit }), system == system.lowercased()
    else { throw InvalidAddress(system, "is not a target system: 1 to 64 lower-case letters and digits") }
    (self.host, self.namespace, self.name, self.system) = (host, namespace, name, system)
  }

  /// Reads an address; a host in it has a dot, or is `localhost`.
  public init(_ text: String) throws(InvalidAddress) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    var host: RegistryHost?
    switch parts.count {
    case 3: break
    case 4:
      host = try RegistryHost(String(parts[0]))
      guard let name = host?.name, name.contains(".") || name == "localhost" else {
        throw InvalidAddress(text, "begins with '\(parts[0])', which is not a host name: it has no dot")
      }
    default: throw InvalidAddress(text, "is not of the form [HOST/]NAMESPACE/NAME/SYSTEM")
    }
    let own = parts.suffix(3).map(String.init)
    try self.init(host: host, namespace: own[0], name: own[1], system: own[2])
  }

  /// The address as Terraform writes it.
  public var description: String { (host.map { "\($0)/" } ?? "") + path }

  /// `NAMESPACE/NAME/SYSTEM`.
  var path: String { "\(namespace)/\(name)/\(system)" }

  private static func isName(_ text: String) -> Bool {
    guard 1...64 ~= text.utf8.count, let first = text.utf8.first, let last = text.utf8.last else { return false }
    return first.isLetterOrDigit && last.isLetterOrDigit
      && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }
}
