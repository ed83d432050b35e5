import Hummingbird

/// A request that Port refuses: `{"ok": false, "error": CODE, "message": TEXT}`.
///
/// Of the codes only `not_found` and `unauthorized` are known from Port's own clients; the others are ours, and nobody
/// should branch on them.
struct PortFailure: Error, HTTPResponseError, Hashable {
  let status: HTTPResponse.Status
  let error: String
  let message: String

  static func notFound(_ kind: String, _ identifier: String) -> PortFailure {
    PortFailure(
      status: .notFound, error: "not_found", message: "\(kind) with identifier \"\(identifier)\" was not found")
  }

  static func invalid(_ message: String) -> PortFailure {
    PortFailure(status: .unprocessableContent, error: "invalid_request", message: message)
  }

  static func conflict(_ error: String, _ message: String) -> PortFailure {
    PortFailure(status: .conflict, error: error, message: message)
  }

  static func unauthorized(_ message: String) -> PortFailure {
    PortFailure(status: .unauthorized, error: "unauthorized", message: message)
  }

  var json: JSONValue { ["ok": false, "error": .string(error), "message": .string(message)] }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    .json(json, status: status)
  }
}

extension PortFailure {
  /// Whatever went wrong, in Port's form.
  init(_ failure: RequestFailure) {
    if let own = failure.error as? PortFailure {
      self = own
      return
    }
    switch failure.status {
    case .notFound:
      self.init(status: .notFound, error: "not_found", message: "This route does not exist")
    case .contentTooLarge:
      self.init(status: .contentTooLarge, error: "payload_too_large", message: "The request body is larger than 1 MiB")
    default:
      self.init(
        status: failure.status, error: failure.status == .internalServerError ? "internal_error" : "bad_request",
        message: failure.message ?? failure.status.reasonPhrase)
    }
  }
}
