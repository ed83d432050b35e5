import HTTPTypes
import Hummingbird
import PorcCore

/// Answers paths that nobody took: a wrong method with 405 and the right ones, the rest with 404.
struct NotFoundMiddleware: RouterMiddleware {
  let routes: RouteTable

  func handle(
    _ request: Request, context: PorcContext, next: (Request, PorcContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      let methods = routes.methods(of: request.uri.path)
      guard !methods.isEmpty else { throw error }
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var response = Response.problem(
        Fault(
          .methodNotAllowed, "\(request.shownPath) does not take \(request.method.rawValue).", fix: "Use \(allowed)."),
        requestID: context.requestID)
      response.headers[.allow] = allowed
      return response
    }
  }
}
