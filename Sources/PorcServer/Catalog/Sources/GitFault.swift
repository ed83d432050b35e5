import Git
import PorcCore

/// git's errors as PORC's.
enum GitFault {
  static func translating<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch let error as GitError {
      let code: Fault.Code =
        switch error.kind {
        case .notFound: .notFound
        case .refused: .forbidden
        case .tooLarge: .tooLarge
        case .misconfigured: .invalidInput
        default: .upstreamFailed
        }
      throw Fault(
        code, error.detail.isEmpty ? error.message : "\(error.message) (git: \(error.detail))", fix: error.fix)
    }
  }

  /// Without waiting.
  static func translated<Value>(_ work: () throws -> Value) throws -> Value {
    do { return try work() } catch let error as GitError {
      throw Fault(.invalidInput, error.message, fix: error.fix)
    }
  }
}
