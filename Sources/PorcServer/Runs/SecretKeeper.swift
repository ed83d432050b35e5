import HCL
import PorcCore
import PorcStore

/// Opens what is kept encrypted of sensitive inputs.
struct SecretKeeper: Sendable {
  let store: any Store
  let vault: InputVault

  /// The values that a plan of the run passes on in secret.
  ///
  /// - Throws: an error of the vault, if they were sealed with another key.
  func inputs(of located: Located) async throws -> [String: Value] {
    // A destroy passes the variables of the run it removes.
    let owner = located.run.operation == .destroy ? located.situation.instance.basis?.run : located.run.id
    guard let owner, let sealed = try await store.sealedInputs(of: owner) else { return [:] }
    return try vault.open(sealed, of: owner)
  }

  /// Those of all runs of the instance: what an earlier one was given lives on in Terraform's state, and is shown when it
  /// is changed or destroyed.
  ///
  /// - Throws: an error of the vault, if any were sealed with another key.
  func texts(of instance: Instance.ID) async throws -> SecretTexts {
    let sealed = try await store.sealedInputs(ofRunsOf: instance)
    return SecretTexts(try sealed.flatMap { try vault.open($0.bytes, of: $0.run).values })
  }
}
