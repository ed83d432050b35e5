import PorcCore

/// A readable table of outcomes by state. A line is `state state …: outcome`; the outcome is the names of the facts, `nothing`,
/// or `!` with the reason of a refusal.
struct Table {
  private(set) var outcomes: [RunState: String] = [:]

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      for word in parts[0].split(separator: " ") {
        guard let state = RunState(rawValue: String(word)) else { continue }
        outcomes[state] = parts[1].split(separator: " ").joined(separator: " ")
      }
    }
  }

  subscript(state: RunState) -> String? { outcomes[state] }

  /// What `action` came to, in the words of a table.
  static func outcome(_ action: () throws -> [String]) rethrows -> String {
    do {
      let facts = try action()
      return facts.isEmpty ? "nothing" : facts.joined(separator: " ")
    } catch let refusal as Refusal {
      return "!\(refusal.reason.rawValue)"
    }
  }
}
