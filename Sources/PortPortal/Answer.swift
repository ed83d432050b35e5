import Foundation

/// What Port answered to a request with a 2xx status.
struct Answer: Sendable {
  let request: Request
  let status: Int
  let traceID: String?
  let body: Data

  /// The body as a value.
  ///
  /// - Throws: `PortError` (`unexpectedAnswer`) where it is anything else: a proxy's page with status 200 must not pass
  ///   for success.
  func decode<Value: Decodable>(_ type: Value.Type) throws(PortError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: body)
    } catch {
      throw unexpected("The answer is not what Port's document promises: \(error)")
    }
  }

  /// Reads an answer that says no more than that it is done: `{"ok": true}`, or nothing at all.
  func acknowledge() throws(PortError) {
    guard !body.isEmpty else { return }
    guard try decode([String: JSON].self)["ok"] != .bool(false) else {
      throw unexpected("Port answered \(status), but not 'ok'.")
    }
  }

  func unexpected(_ message: String, isOfItem: Bool = false) -> PortError {
    PortError(.unexpectedAnswer, message, of: request, status: status, traceID: traceID, isOfItem: isOfItem)
  }
}

extension PortError {
  /// The error in an answer with a status other than 2xx.
  ///
  /// Port's body is `{"ok": false, "error": "not_found", "message": "…"}`, `message` being optional; one code is known
  /// to come as an object (`{"error": {"code": …, "message": …}}`), and a proxy may send no JSON at all.
  init(status: Int, body: Data, of request: Request, traceID: String?, retryAfter: Duration?) {
    let document = try? JSONDecoder().decode(JSON.self, from: body)
    let error = document?["error"]
    self.init(
      status: status, code: error?.string ?? error?["code"]?.string,
      message: document?["message"]?.string ?? error?["message"]?.string, of: request, traceID: traceID,
      retryAfter: retryAfter)
  }
}
