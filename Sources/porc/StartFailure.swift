import Foundation
import NIOCore
import PorcCore
import PorcStore
import ServiceLifecycle

/// What kept a server from starting, in words.
enum StartFailure {
  static func explain(_ error: any Error) -> (message: String, fix: String?)? {
    switch error {
    case StoreError.unusable(let message, let fix): (message, fix)
    case let error as InputVaultError: (error.message, error.fix)
    default: nil
    }
  }

  /// Does work that begins to listen, and says where and by whose will if it may not.
  ///
  /// - Parameters:
  ///   - address: `HOST:PORT`.
  ///   - setting: what chooses the address, e.g. `--listen`.
  static func naming<Value>(
    _ address: String, _ setting: String, _ work: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await work()
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw Fault(
        .busy, "The address \(address) is in use already.",
        fix: "Stop what listens there, or choose another with \(setting) (port 0 picks a free one).", cause: error)
    } catch let error as IOError where error.errnoCode == EACCES {
      throw Fault(
        .busy, "This user may not listen on \(address).", fix: "Choose a port above 1023 with \(setting).",
        cause: error)
    }
  }
}

/// A service that listens, and names its address if it may not.
struct Listening<Base: Service>: Service {
  let base: Base
  let address: String
  let setting: String

  func run() async throws { try await StartFailure.naming(address, setting, base.run) }
}
