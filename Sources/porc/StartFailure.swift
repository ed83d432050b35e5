import Foundation
import NIOCore
import PorcStore

/// What kept a server from starting, in words.
enum StartFailure {
  static func explain(_ error: any Error) -> (message: String, fix: String?)? {
    switch error {
    case StoreError.unusable(let message, let fix): (message, fix)
    case let error as InputVaultError: (error.message, error.fix)
    case let error as IOError where error.errnoCode == EADDRINUSE:
      (
        "The address is in use already.",
        "Stop what listens there, or choose another with --listen (port 0 picks a free one)."
      )
    case let error as IOError where error.errnoCode == EACCES:
      ("This user may not listen there.", "Choose a port above 1023.")
    default: nil
    }
  }
}
