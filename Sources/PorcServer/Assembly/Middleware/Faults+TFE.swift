import PorcCore
import TerraformEnterprise

extension Fault {
  /// What a caller reads when TFE answered badly to something they asked for directly.
  init(_ error: TFEError) {
    self.init(
      .upstreamFailed, "Terraform Enterprise could not answer: \(error.message)",
      fix: error.isRetryable
        ? "Try again in a moment." : "Give PORC a valid TFE_ADDRESS and TFE_TOKEN; porc doctor tries them.",
      retryAfter: error.isRetryable ? 5 : nil, cause: error)
  }
}
