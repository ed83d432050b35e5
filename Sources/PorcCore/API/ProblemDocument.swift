/// An error as it goes over the wire: `application/problem+json` (RFC 9457).
///
/// ```json
/// {"type": "https://porc.dev/problems/wrong-state", "title": "wrong-state", "status": 409,
///  "detail": "The run porc-01… is discarded, so it cannot take 'apply'.", "fix": "Submit a new run.", "request_id": "…"}
/// ```
public struct ProblemDocument: Codable, Sendable, Equatable {
  public var type: String
  /// The code; see ``Fault/Code``.
  public var title: String
  public var status: Int
  public var detail: String
  public var fix: String?
  public var findings: [Finding]?
  public var supersededBy: String?
  public var requestID: String?

  enum CodingKeys: String, CodingKey {
    case type, title, status, detail, fix, findings
    case supersededBy = "superseded_by"
    case requestID = "request_id"
  }

  public init(_ fault: Fault, requestID: String? = nil) {
    type = "https://porc.dev/problems/\(fault.code.rawValue)"
    title = fault.code.rawValue
    status = fault.code.status
    detail = fault.message
    fix = fault.fix
    findings = fault.findings.isEmpty ? nil : fault.findings
    supersededBy = fault.supersededBy
    self.requestID = requestID
  }

  /// The fault that a client reads out of it; an unknown title counts by its status.
  public var fault: Fault {
    let code = Fault.Code(rawValue: title) ?? Fault.Code.allCases.first { $0.status == status } ?? .bug
    return Fault(code, detail, fix: fix, findings: findings ?? [], supersededBy: supersededBy)
  }
}
