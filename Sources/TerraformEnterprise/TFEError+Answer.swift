import FoundationEssentials
import HTTPExchange
import NIOHTTP1

extension TFEError {
  /// What an answer means as an error, or `nil` where it is none (2xx, and 3xx, which the caller judges).
  init?(answer: Answer, method: String, path: String) {
    let kind: Kind
    switch answer.status {
    case 200..<400: return nil
    case 401: kind = .unauthorized
    case 403: kind = .forbidden
    case 404: kind = .notFound
    case 409: kind = .conflict
    case 422: kind = .unprocessable
    case 429: kind = .rateLimited
    case 400..<500: kind = .refused
    case 500..<600: kind = .server
    default: kind = .protocolViolation
    }
    let document = try? JSONDecoder().decode(ErrorDocument.self, from: answer.data)
    self.init(
      kind, status: answer.status, method: method, path: path, details: document?.details ?? [],
      retryAfter: Self.advisedWait(answer.headers))
  }

  /// What an error of the HTTP client means.
  init(transport error: any Error, method: String, path: String) {
    self.init(
      .transport(ExchangeFailure(error)), method: method, path: path, explanation: ExchangeFailure.reason(of: error))
  }

  /// The longer of `X-RateLimit-Reset` and `Retry-After`, both seconds.
  ///
  /// `X-RateLimit-Reset` is a wait with a fraction, not a time of day: HashiCorp's Go client reads it so. The policy
  /// cuts absurd values.
  static func advisedWait(_ headers: HTTPHeaders) -> Duration? {
    ["X-RateLimit-Reset", "Retry-After"]
      .compactMap { headers.first(name: $0).flatMap(Double.init) }
      .filter { $0.isFinite && $0 >= 0 }
      .max().map { .seconds(min($0, 86_400)) }
  }
}

/// `{"errors": [{"status": "422", "title": "…", "detail": "…", "source": {"pointer": "…"}}]}`, read leniently: some
/// of TFE's errors are plain strings.
private struct ErrorDocument: Decodable {
  let details: [TFEError.Detail]

  init(from decoder: any Decoder) throws {
    let entries = try decoder.container(keyedBy: JSONKey.self).decode([JSONValue].self, forKey: "errors")
    details = entries.compactMap { entry in
      switch entry {
      case .string(let text): return .init(title: text)
      case .object(let members):
        let pointer: String? = if case .object(let source)? = members["source"] { source["pointer"]?.text } else { nil }
        guard let title = members["title"]?.text ?? members["detail"]?.text else { return nil }
        return .init(title: title, detail: members["detail"]?.text, pointer: pointer)
      default: return nil
      }
    }
  }
}

extension JSONValue {
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}

/// Says where a document is not what was expected, without showing any of its values.
struct DocumentProblem: CustomStringConvertible {
  let description: String

  init(_ error: any Error) {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the document" : "'" + path.map(\.stringValue).joined(separator: ".") + "'"
    }
    switch error {
    case DecodingError.keyNotFound(let key, let context): description = "\(place(context.codingPath + [key])) is absent"
    case DecodingError.valueNotFound(_, let context): description = "\(place(context.codingPath)) is null"
    case DecodingError.typeMismatch(_, let context): description = "\(place(context.codingPath)) is of another type"
    case DecodingError.dataCorrupted(let context): description = "\(place(context.codingPath)) is not readable"
    default: description = "it cannot be read"
    }
  }
}
