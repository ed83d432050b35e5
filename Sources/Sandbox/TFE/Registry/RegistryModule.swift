/// A module of the organization's private registry, published by upload.
struct RegistryModule: Stored {
  static let kind = "registry-module"

  let id: String
  let sequence: Int
  let createdAt: String
  var updatedAt: String
  let name: String
  let provider: String

  /// Reads a name as TFE takes it: letters and digits, with dashes and underscores inside.
  static func checkName(_ name: String?) throws -> String {
    guard let name, name.utf8.count <= 64,
      name.wholeMatch(of: #/[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?/#) != nil
    else {
      throw APIError.invalid(
        "name", "Name can only include letters, numbers, and, inside, - and _, and must be at most 64 characters")
    }
    return name
  }

  static func checkProvider(_ provider: String?) throws -> String {
    guard let provider, provider.wholeMatch(of: #/[a-z0-9]{1,64}/#) != nil else {
      throw APIError.invalid(
        "provider", "Provider can only include lower-case letters and numbers, and must be at most 64 characters")
    }
    return provider
  }
}

/// A version of a module. Its archive is a file.
struct RegistryModuleVersion: Stored {
  static let kind = "registry-module-version"

  enum Status: String, Codable {
    case pending, ok
    case ingressFailed = "reg_ingress_failed"
  }

  let id: String
  let sequence: Int
  let createdAt: String
  var updatedAt: String
  let moduleID: String
  let version: SemanticVersion
  var status = Status.pending
  /// Why an upload is not `ok`.
  var error: String?
}
