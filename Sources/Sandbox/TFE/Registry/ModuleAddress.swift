/// Which module a path names.
struct ModuleAddress: Sendable {
  let organization: String
  let registry: String
  let namespace: String
  let name: String
  /// nil for all providers.
  let provider: String?

  /// Refuses other organizations and registries than the one there is.
  func check(_ organization: String) throws {
    guard self.organization == organization, namespace == organization, registry == "private" else {
      throw APIError.notFound
    }
  }
}
