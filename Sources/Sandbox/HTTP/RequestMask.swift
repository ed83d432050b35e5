/// What of a request is secret, and so never recorded.
struct RequestMask: Sendable {
  /// Everything after one of these in a path is masked.
  var pathPrefixes: [String] = []
  /// Whether the member `key` of `object`, anywhere in the JSON body of a request to `path`, is secret.
  var isSecret: @Sendable (_ path: String, _ key: String, _ object: [String: JSONValue]) -> Bool = { _, _, _ in false }

  static let mask = "•••"

  func path(_ path: String) -> String {
    for prefix in pathPrefixes where path.hasPrefix(prefix) { return prefix + Self.mask }
    return path
  }

  func body(_ value: JSONValue, path: String) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map { body($0, path: path) })
    case .object(let members):
      var masked: [String: JSONValue] = [:]
      for (key, member) in members {
        masked[key] = isSecret(path, key, members) ? .string(Self.mask) : body(member, path: path)
      }
      return .object(masked)
    default: return value
    }
  }
}
