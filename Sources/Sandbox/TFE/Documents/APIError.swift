import Hummingbird

/// A refusal, as a JSON:API error object:
/// `{"errors": [{"status": "422", "title": "invalid attribute", "detail": "…", "source": {"pointer": "…"}}]}`.
struct APIError: HTTPResponseError {
  let status: HTTPResponse.Status
  let title: String
  var detail: String?
  var pointer: String?

  static let notFound = APIError(status: .notFound, title: "not found")
  static let unauthorized = APIError(status: .unauthorized, title: "unauthorized")

  static func forbidden(_ detail: String) -> APIError {
    APIError(status: .forbidden, title: "forbidden", detail: detail)
  }

  static func conflict(_ detail: String) -> APIError { APIError(status: .conflict, title: "conflict", detail: detail) }

  static func badRequest(_ title: String, _ detail: String? = nil) -> APIError {
    APIError(status: .badRequest, title: title, detail: detail)
  }

  /// An attribute that breaks a rule.
  static func invalid(_ attribute: String, _ detail: String) -> APIError {
    unprocessable("/data/attributes/\(attribute)", detail)
  }

  static func unprocessable(_ pointer: String, _ detail: String) -> APIError {
    APIError(status: .unprocessableContent, title: "invalid attribute", detail: detail, pointer: pointer)
  }

  var document: JSONValue {
    var error: JSONValue = ["status": .string(String(status.code)), "title": .string(title)]
    if let detail { error["detail"] = .string(detail) }
    if let pointer { error["source"] = ["pointer": .string(pointer)] }
    return ["errors": [error]]
  }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    .json(document, status: status, contentType: JSONAPI.mediaType)
  }
}
