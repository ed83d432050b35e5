/// A policy as it stood in the policy file when a run was made.
struct Policy: Codable, Sendable {
  enum Enforcement: String, Codable, CaseIterable {
    /// A failure is shown and changes nothing.
    case advisory
    /// A failure waits for somebody to override it.
    case softMandatory = "soft-mandatory"
    /// A failure ends the run.
    case hardMandatory = "hard-mandatory"
  }

  /// What policies say together.
  enum Verdict {
    case passed, overridable, refused
  }

  let name: String
  let description: String
  let enforcement: Enforcement
  let passes: Bool
}

extension [Policy] {
  var passedCount: Int { count { $0.passes } }

  func failedCount(_ enforcement: Policy.Enforcement) -> Int { count { !$0.passes && $0.enforcement == enforcement } }

  var verdict: Policy.Verdict {
    if failedCount(.hardMandatory) > 0 { return .refused }
    return failedCount(.softMandatory) > 0 ? .overridable : .passed
  }
}
