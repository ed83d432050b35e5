import ModuleRegistry
import PorcCore
import TerraformEnterprise

/// A registry's errors as PORC's.
enum RegistryFault {
  static func translating<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
      return try await work()
    } catch let error as RegistryError {
      throw fault(error)
    } catch let error as TFEError {
      throw Fault(.upstreamFailed, "Terraform Enterprise's registry cannot be read: \(error)", fix: "Check its token.")
    }
  }

  static func fault(_ error: RegistryError) -> Fault {
    let code: Fault.Code =
      switch error.kind {
      case .notFound: .notFound
      case .refused: .forbidden
      case .tooLarge: .tooLarge
      case .invalid: .invalidInput
      default: .upstreamFailed
      }
    return Fault(code, "\(error.message) (\(error.place))", fix: error.fix)
  }
}
