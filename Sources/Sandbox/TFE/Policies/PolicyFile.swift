import FoundationEssentials

/// The file in which a developer writes down what policies and the cost estimate are to say. It is read for each new
/// run.
///
/// ```json
/// {
///   "seconds": 1.5,
///   "cost": {"monthly": "25.50", "prior": "10", "workspaces": "*-dev"},
///   "policies": [
///     {"name": "no-public-buckets", "kind": "sentinel", "enforcement": "soft-mandatory", "result": "fail",
///      "description": "Buckets are private.", "workspaces": ["shop-*", "blog"]}
///   ]
/// }
/// ```
struct PolicyFile: Sendable {
  /// What is wrong with the file, and where.
  struct Problem: Error {
    let reason: String
  }

  private struct Entry {
    let policy: Policy
    let isOPA: Bool
    let workspaces: [String]
  }

  private struct Cost {
    let monthly: String
    let prior: String
    let workspaces: [String]
  }

  private var entries: [Entry] = []
  private var cost: Cost?
  private var milliseconds = 0

  private static let maximumBytes = 1 << 20

  /// What is ahead of a new run of a workspace; nil for nothing. A file that cannot be read gives a policy check that
  /// says so and fails, since a policy that nobody hears of is worse than one that stops a run.
  static func checks(at path: String, workspace: String) -> RunChecks? {
    do {
      guard let bytes = try DurableFile.read(path, from: 0, upTo: maximumBytes + 1) else { return nil }
      guard bytes.count <= maximumBytes else { throw Problem(reason: "it is larger than \(maximumBytes) bytes") }
      return try PolicyFile(bytes).checks(for: workspace)
    } catch {
      let reason = (error as? Problem)?.reason ?? "\(error)"
      return RunChecks(policyCheck: .init(policies: [], problem: "The policy file \(path) cannot be used: \(reason)."))
    }
  }

  init(_ bytes: [UInt8]) throws {
    let document = try JSONValue(parsing: bytes)
    let members = try Self.members(of: document, "the file", ["seconds", "cost", "policies"])
    if let seconds = members["seconds"] {
      guard let value = seconds.double, (0...3600).contains(value) else {
        throw Problem(reason: "'seconds' is no number from 0 to 3600")
      }
      milliseconds = Int(value * 1000)
    }
    cost = try members["cost"].map { try Self.cost($0) }
    guard let policies = (members["policies"] ?? []).array else {
      throw Problem(reason: "'policies' is no list")
    }
    entries = try policies.enumerated().map { index, policy in try Self.entry(policy, "policy \(index + 1)") }
  }

  private func checks(for workspace: String) -> RunChecks? {
    // TFE does not tell names of workspaces apart by case.
    let workspace = workspace.lowercased()
    func applies(_ patterns: [String]) -> Bool {
      patterns.contains { Wildcard($0.lowercased()).matches(workspace) }
    }
    let mine = entries.filter { applies($0.workspaces) }
    let (opa, sentinel) = (mine.filter(\.isOPA).map(\.policy), mine.filter { !$0.isOPA }.map(\.policy))
    let cost = cost.flatMap { applies($0.workspaces) ? $0 : nil }
    if mine.isEmpty, cost == nil { return nil }
    return RunChecks(
      milliseconds: milliseconds, taskStage: opa.isEmpty ? nil : .init(policies: opa),
      costEstimate: cost.map { .init(monthly: $0.monthly, prior: $0.prior) },
      policyCheck: sentinel.isEmpty ? nil : .init(policies: sentinel))
  }

  private static func cost(_ value: JSONValue) throws -> Cost {
    let members = try members(of: value, "'cost'", ["monthly", "prior", "workspaces"])
    func amount(_ name: String) throws -> String? {
      guard let value = members[name] else { return nil }
      let text: String
      switch value {
      case .number(let digits): text = digits
      case .string(let digits): text = digits
      default: text = ""
      }
      guard text.wholeMatch(of: #/[0-9]{1,12}(\.[0-9]{1,6})?/#) != nil else {
        throw Problem(reason: "'\(name)' of 'cost' is no amount such as \"25.50\"")
      }
      return text
    }
    guard let monthly = try amount("monthly") else { throw Problem(reason: "'cost' has no 'monthly'") }
    return Cost(
      monthly: monthly, prior: try amount("prior") ?? "0.0",
      workspaces: try patterns(members["workspaces"], "'cost'"))
  }

  private static func entry(_ value: JSONValue, _ place: String) throws -> Entry {
    let members = try members(
      of: value, place, ["name", "description", "kind", "enforcement", "result", "workspaces"])
    func word(_ name: String, _ allowed: [String], default value: String? = nil) throws -> String {
      guard let word = members[name]?.string ?? (members[name] == nil ? value : nil), allowed.contains(word) else {
        throw Problem(reason: "'\(name)' of \(place) is none of \(allowed.joined(separator: ", "))")
      }
      return word
    }
    guard let name = members["name"]?.string, !name.isEmpty else { throw Problem(reason: "\(place) has no 'name'") }
    let enforcement = try word("enforcement", Policy.Enforcement.allCases.map(\.rawValue))
    let policy = Policy(
      name: name, description: members["description"]?.string ?? "",
      enforcement: Policy.Enforcement(rawValue: enforcement) ?? .advisory,
      passes: try word("result", ["pass", "fail"]) == "pass")
    return Entry(
      policy: policy, isOPA: try word("kind", ["sentinel", "opa"], default: "sentinel") == "opa",
      workspaces: try patterns(members["workspaces"], place))
  }

  /// One pattern or a list of them; all workspaces where there is none.
  private static func patterns(_ value: JSONValue?, _ place: String) throws -> [String] {
    guard let value else { return ["*"] }
    if let pattern = value.string { return [pattern] }
    guard let list = value.array, !list.isEmpty, list.allSatisfy({ $0.string != nil }) else {
      throw Problem(reason: "'workspaces' of \(place) is neither a pattern nor a list of patterns")
    }
    return list.compactMap(\.string)
  }

  /// A misspelt member would be a policy that silently says something else.
  private static func members(
    of value: JSONValue, _ place: String, _ known: Set<String>
  ) throws -> [String: JSONValue] {
    guard let members = value.object else { throw Problem(reason: "\(place) is no object") }
    if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw Problem(reason: "\(place) has an unknown member '\(unknown)'")
    }
    return members
  }
}
