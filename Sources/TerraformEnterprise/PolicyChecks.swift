/// How a policy check stands.
public struct PolicyCheckStatus: OpenEnumeration {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: PolicyCheckStatus = "pending"
  public static let queued: PolicyCheckStatus = "queued"
  public static let passed: PolicyCheckStatus = "passed"
  public static let softFailed: PolicyCheckStatus = "soft_failed"
  public static let hardFailed: PolicyCheckStatus = "hard_failed"
  public static let overridden: PolicyCheckStatus = "overridden"
  public static let errored: PolicyCheckStatus = "errored"
  public static let canceled: PolicyCheckStatus = "canceled"
  public static let unreachable: PolicyCheckStatus = "unreachable"
}

/// The outcome of a run's Sentinel policies, in the older mode. Newer policies hang on a ``TaskStage``.
public struct PolicyCheck: Sendable, Hashable, Identifiable, Resource {
  /// `polchk-…`
  public let id: String
  /// How it stands.
  public let status: PolicyCheckStatus
  /// `organization` or `workspace`.
  public let scope: String?
  /// Whether an override is possible now.
  public let isOverridable: Bool
  /// Whether the token may override it, where TFE says.
  public let canOverride: Bool?
  /// How many policies passed.
  public let passed: Int
  /// How many mandatory policies failed that can be overridden.
  public let softFailed: Int
  /// How many mandatory policies failed that cannot.
  public let hardFailed: Int
  /// How many advisory policies failed.
  public let advisoryFailed: Int

  init(_ source: ResourceSource) throws {
    struct Result: Decodable {
      var passed: Int?
      var softFailed: Int?
      var hardFailed: Int?
      var advisoryFailed: Int?
      private enum CodingKeys: String, CodingKey {
        case passed
        case softFailed = "soft-failed"
        case hardFailed = "hard-failed"
        case advisoryFailed = "advisory-failed"
      }
    }
    id = source.id
    status = try source.require("status")
    scope = try source.optional("scope")
    isOverridable = try source.optional("actions", as: [String: Bool?].self)?["is-overridable"] == true
    canOverride = try source.optional("permissions", as: [String: Bool?].self)?["can-override"] ?? nil
    let result: Result? = try source.optional("result")
    passed = result?.passed ?? 0
    softFailed = result?.softFailed ?? 0
    hardFailed = result?.hardFailed ?? 0
    advisoryFailed = result?.advisoryFailed ?? 0
  }
}

/// What the output of a ``PolicyCheck`` says of one policy.
public struct PolicyCheckVerdict: Sendable, Hashable {
  /// Its name, with that of its set before it where it belongs to one.
  public var name: String
  /// `advisory`, `soft-mandatory` or `hard-mandatory`.
  public var enforcementLevel: String
  /// Whether it passed; `nil` where the output does not say.
  public var passed: Bool?
  /// What the policy is about.
  public var description: String?

  /// Reads the text that Sentinel writes for people, since the API has no other stable form of it: for each policy a line
  /// `## Policy 1: SET/NAME (soft-mandatory)`, later `Result: false`, and then what it is about, with `Description:` before
  /// it or without, until an empty line.
  static func all(in text: String) -> [PolicyCheckVerdict] {
    var verdicts: [PolicyCheckVerdict] = []
    var mayDescribe = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var words = String(line.drop { $0 == " " || $0 == "\t" }).trimmingSuffix { $0.isWhitespace }
      if let verdict = heading(words) {
        verdicts.append(verdict)
        mayDescribe = false
        continue
      }
      guard let last = verdicts.indices.last else { continue }
      if words.hasPrefix("Result: ") {
        verdicts[last].passed = verdicts[last].passed ?? (words == "Result: true")
        mayDescribe = true
        continue
      }
      if words.hasPrefix("Description:") {
        words = String(words.dropFirst("Description:".count).drop { $0 == " " })
        mayDescribe = true
        if words.isEmpty { continue }
      }
      guard mayDescribe else { continue }
      if words.isEmpty || isTrace(words) {
        mayDescribe = verdicts[last].description == nil && !isTrace(words)
      } else {
        verdicts[last].description = verdicts[last].description.map { "\($0) \(words)" } ?? words
      }
    }
    return verdicts
  }

  /// How a policy came to its result, rule by rule.
  private static func isTrace(_ words: String) -> Bool {
    words.hasPrefix("TRUE - ") || words.hasPrefix("FALSE - ") || words.contains(#" - Rule ""#)
  }

  private static func heading(_ words: String) -> PolicyCheckVerdict? {
    guard words.hasPrefix("## Policy "), words.hasSuffix(")"), let colon = words.firstIndex(of: ":"),
      let parenthesis = words.lastIndex(of: "("), colon < parenthesis
    else { return nil }
    let name = words[words.index(after: colon)..<parenthesis].drop { $0 == " " }
    return PolicyCheckVerdict(
      name: String(name).trimmingSuffix { $0.isWhitespace },
      enforcementLevel: String(words[words.index(after: parenthesis)...].dropLast()))
  }
}

extension String {
  fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
    var rest = self[...]
    while let last = rest.last, isDropped(last) { rest.removeLast() }
    return String(rest)
  }
}

/// Calls of the Policy Checks API.
public struct PolicyChecksService: Sendable {
  let client: Client

  /// `GET /runs/ID/policy-checks`.
  public func list(run id: String, pageSize: Int = 20) -> PagedList<PolicyCheck> {
    client.pages(Call(.get, "runs", id, "policy-checks"), pageSize: pageSize)
  }

  /// `GET /policy-checks/ID`.
  public func read(_ id: PolicyCheck.ID) async throws -> PolicyCheck {
    try await client.fetch(Call(.get, "policy-checks", id))
  }

  /// `GET /policy-checks/ID/output`: what each policy said, read from the text for people.
  public func output(_ id: PolicyCheck.ID) async throws -> [PolicyCheckVerdict] {
    var call = Call(.get, "policy-checks", id, "output")
    call.mayRedirect = true
    return PolicyCheckVerdict.all(in: String(decoding: try await client.send(call).bytes, as: UTF8.self))
  }

  /// `POST /policy-checks/ID/actions/override`. Needs the organization's permission to manage policy overrides; a check
  /// that cannot be overridden is a 409.
  public func override(_ id: PolicyCheck.ID) async throws {
    _ = try await client.send(Call(.post, "policy-checks", id, "actions", "override"))
  }
}

extension Client {
  /// Calls of the Policy Checks API.
  public var policyChecks: PolicyChecksService { PolicyChecksService(client: self) }
}
