extension Fault {
  /// What kind of error it is. The raw values go over the wire: never rename or reuse one.
  public enum Code: String, Codable, Sendable, CaseIterable {
    case malformedRequest = "malformed-request"
    case invalidInput = "invalid-input"
    case idempotencyKeyReused = "idempotency-key-reused"
    case notSignedIn = "not-signed-in"
    case forbidden
    case tooLarge = "too-large"
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case unsupportedMediaType = "unsupported-media-type"
    case wrongState = "wrong-state"
    case planSuperseded = "plan-superseded"
    case approvalMissing = "approval-missing"
    case stillRunning = "still-running"
    case rateLimited = "rate-limited"
    case busy
    case upstreamFailed = "upstream-failed"
    /// `pine` alone: PORC did not answer.
    case unreachable
    case bug

    /// The HTTP status it is answered with.
    public var status: Int {
      switch self {
      case .malformedRequest: 400
      case .invalidInput, .idempotencyKeyReused: 422
      case .notSignedIn: 401
      case .forbidden: 403
      case .tooLarge: 413
      case .notFound: 404
      case .methodNotAllowed: 405
      case .unsupportedMediaType: 415
      case .wrongState, .planSuperseded, .approvalMissing, .stillRunning: 409
      case .rateLimited: 429
      case .busy: 503
      case .upstreamFailed, .unreachable: 502
      case .bug: 500
      }
    }

    /// The status `pine` exits with.
    public var exitStatus: ExitStatus {
      switch self {
      case .malformedRequest, .invalidInput, .tooLarge: .invalidInput
      case .idempotencyKeyReused, .wrongState, .planSuperseded, .approvalMissing: .refused
      case .notSignedIn, .forbidden: .notAllowed
      case .notFound, .methodNotAllowed, .unsupportedMediaType: .notFound
      case .stillRunning, .rateLimited, .busy, .upstreamFailed, .unreachable: .unavailable
      case .bug: .bug
      }
    }
  }

  /// How `pine` ends. A contract with scripts: never change a number.
  public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case runFailed = 1
    /// The plan has changes (`--detailed-exitcode`).
    case changesPending = 2
    case notAllowed = 3
    case notFound = 4
    case refused = 5
    case invalidInput = 6
    case unavailable = 7
    case wrongUsage = 64
    case bug = 70
    case interrupted = 130
  }
}
