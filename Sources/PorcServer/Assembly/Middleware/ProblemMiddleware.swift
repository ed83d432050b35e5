import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import PorcCore
import PorcStore
import ServiceLifecycle
import TerraformEnterprise

/// Outermost: every error becomes a problem document, and every answer names its request.
struct ProblemMiddleware: RouterMiddleware {
  let logger: Logger

  func handle(
    _ request: Request, context: PorcContext, next: (Request, PorcContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = answer(to: error, request, context)
    }
    // A body after HEAD would be read as the next answer (RFC 9110, section 9.3.2).
    if request.method == .head { response = response.createHeadResponse() }
    response.headers[.requestID] = context.requestID
    logger.info(
      "request answered",
      metadata: [
        "request.id": "\(context.requestID)", "method": "\(request.method)", "path": "\(request.shownPath)",
        "status": "\(response.status.code)",
        "duration_ms": "\((ContinuousClock.now - start).milliseconds)",
      ])
    return response
  }

  private func answer(to error: any Error, _ request: Request, _ context: PorcContext) -> Response {
    let fault = Faults.fault(from: error)
    if fault.code == .bug {
      logger.error(
        "request failed unforeseen",
        metadata: ["request.id": "\(context.requestID)", "path": "\(request.shownPath)", "error": "\(error)"])
    }
    var response = Response.problem(fault, requestID: context.requestID)
    if let seconds = fault.retryAfter { response.headers[.retryAfter] = String(seconds) }
    if fault.code == .notSignedIn { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

/// Turns whatever was thrown into the one error type that reaches people.
enum Faults {
  static func fault(from error: any Error) -> Fault {
    switch error {
    case let convertible as any FaultConvertible: return convertible.fault
    case is CancellationError where !Task.isCancelled && !Task.isShuttingDownGracefully:
      return Fault(.busy, "It was ended before it was done.", fix: "Send it again.", retryAfter: 1, cause: error)
    case is CancellationError:
      return Fault(.busy, "PORC is stopping.", fix: "Send it again in a moment.", retryAfter: 1)
    case let error as StoreError: return fault(from: error)
    case let error as HTTPError: return fault(from: error)
    case let error as TFEError: return Fault(error)
    case let error as InputVaultError: return Fault(.wrongState, error.message, fix: error.fix, cause: error)
    case is HTTPParserError:
      return Fault(.malformedRequest, "The request ended before its body did.", fix: "Send it again.", cause: error)
    case is DecodingError:
      return Fault(.malformedRequest, "The body is not the JSON that this call takes.", fix: "See /openapi.json.")
    default: return Fault(.bug, "Something went wrong that should not have.", fix: nil, cause: error)
    }
  }

  private static func fault(from error: StoreError) -> Fault {
    switch error {
    case .notFound: Fault(.notFound, "There is no such thing.", fix: "Check the id.", cause: error)
    case .alreadyPressed:
      Fault(
        .idempotencyKeyReused, "The portal's action run was sent before with another request.",
        fix: "Press the button again: each press is an action run of its own.", cause: error)
    case .leaseLost, .alreadyAnswered: Fault(.bug, "Something was done twice.", cause: error)
    case .unusable(let what, let fix): Fault(.busy, what, fix: fix, retryAfter: 5, cause: error)
    }
  }

  private static func fault(from error: HTTPError) -> Fault {
    switch error.status {
    case .contentTooLarge:
      Fault(
        .tooLarge, "The body is larger than \(Blueprint.maximumSize / 1024) KiB.", fix: "Send less.", cause: error)
    case .notFound: Fault(.notFound, "There is no such route.", fix: "See /openapi.json.", cause: error)
    case .badRequest, .unsupportedMediaType, .unprocessableContent:
      Fault(.malformedRequest, error.body ?? "The request cannot be read.", fix: "See /openapi.json.", cause: error)
    default: Fault(.bug, "Something went wrong that should not have.", cause: error)
    }
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

extension HTTPField.Name {
  /// RFC-less but common: the id that logs and problem documents name.
  static let requestID = HTTPField.Name("X-Request-ID")!  // a literal token, valid by RFC 9110
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")!  // likewise
  static let lastEventID = HTTPField.Name("Last-Event-ID")!  // likewise
}
