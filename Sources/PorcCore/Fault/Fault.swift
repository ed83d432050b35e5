/// An error as it reaches people: what happened, to what, and what to do now.
public struct Fault: Error, Sendable {
  /// Stable; clients branch on it.
  public var code: Code
  /// One sentence that names the thing it happened to.
  public var message: String
  /// What the reader can do; absent only if nothing.
  public var fix: String?
  /// Every violation of an input, all at once.
  public var findings: [Finding]
  /// The current plan's TFE id, where the one named was superseded.
  public var supersededBy: String?
  /// When it makes sense to come back, in seconds.
  public var retryAfter: Int?
  /// For logs; never sent.
  public var cause: (any Error)?

  public init(
    _ code: Code, _ message: String, fix: String? = nil, findings: [Finding] = [], supersededBy: String? = nil,
    retryAfter: Int? = nil, cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.fix = fix
    self.findings = findings
    self.supersededBy = supersededBy
    self.retryAfter = retryAfter
    self.cause = cause
  }

  /// The message with those of the findings, where only one text can be shown.
  public var fullMessage: String { ([message] + findings.map(\.message)).joined(separator: " ") }
}

/// An error that knows how it is said to people.
public protocol FaultConvertible: Error {
  var fault: Fault { get }
}

extension Fault: FaultConvertible {
  public var fault: Fault { self }
}

extension Refusal: FaultConvertible {
  public var fault: Fault {
    let code: Fault.Code =
      switch reason {
      case .wrongState: .wrongState
      case .planSuperseded: .planSuperseded
      case .approvalMissing: .approvalMissing
      case .notAllowed: .forbidden
      case .notFound: .notFound
      }
    return Fault(code, message, fix: fix, supersededBy: supersededBy, cause: self)
  }
}
