import AsyncHTTPClient
import FoundationEssentials
import HTTPExchange
import Logging
import NIOCore
import NIOHTTP1
import Retry

extension Client {
  /// Sends a call, again where that is safe, and returns its successful answer.
  ///
  /// - Throws: ``TFEError`` for everything but a 2xx, or `CancellationError`.
  func send(_ call: Call) async throws -> Answer {
    let root = try await apiRoot.path(for: self)
    let name = call.name(root: root)
    var answer = try await sendRepeatedly(call, root: root, name: name)
    // Targets of redirects are signed, and so are read without the token; three hops are more than TFE ever makes.
    for _ in 0..<3 where (300..<400).contains(answer.status) {
      guard call.mayRedirect, let location = answer.headers.first(name: "Location") else { break }
      var next = Call(call.method, signed: SignedURL(location), name: "redirect of \(name)")
      next.isTransfer = call.isTransfer
      answer = try await sendRepeatedly(next, root: root, name: next.name(root: root))
    }
    guard (200..<300).contains(answer.status) else {
      throw TFEError(
        .protocolViolation, status: answer.status, method: call.method.rawValue, path: name,
        explanation: "It redirects where no redirect is expected; the configured address may be wrong.")
    }
    return answer
  }

  /// Reads a document that holds one resource.
  func fetch<R: Resource>(_ call: Call, as type: R.Type = R.self) async throws -> R {
    let answer = try await send(call)
    return try decode(SingleDocument<R>.self, from: answer, of: call).resource
  }

  /// Reads a document that holds resources and no further pages.
  func fetchAll<R: Resource>(_ call: Call, of type: R.Type = R.self) async throws -> [R] {
    let answer = try await send(call)
    return try decode(ListDocument<R>.self, from: answer, of: call).resources
  }

  /// Reads resources page after page, as they are asked for.
  func pages<R: Resource>(_ call: Call, pageSize: Int, of type: R.Type = R.self) -> PagedList<R> {
    PagedList { page in
      var call = call
      call.query += [("page[number]", String(page)), ("page[size]", String(min(max(pageSize, 1), 100)))]
      let answer = try await send(call)
      let document = try decode(ListDocument<R>.self, from: answer, of: call)
      return .init(elements: document.resources, next: document.nextPage)
    }
  }

  /// Decodes an answer's body; what does not fit is a violation of the protocol.
  func decode<T: Decodable>(_ type: T.Type, from answer: Answer, of call: Call) throws -> T {
    do {
      return try JSONDecoder().decode(type, from: answer.data)
    } catch {
      throw TFEError(
        .protocolViolation, status: answer.status, method: call.method.rawValue,
        path: call.name(root: apiRoot.known ?? APIRoot.usual),
        explanation: "The answer is not the document expected: \(DocumentProblem(error)).")
    }
  }

  private func sendRepeatedly(_ call: Call, root: String, name: String) async throws -> Answer {
    let request = try request(for: call, root: root, name: name)
    return try await retrying(
      configuration.retryPolicy, clock: configuration.clock, random: configuration.random,
      classify: { error in
        let decision = decision(about: error, of: call)
        if case .retry = decision {
          logger.info(
            "terraform enterprise did not do what it was asked, asking again",
            metadata: ["tfe.call": "\(call.method.rawValue) \(name)", "error": "\(error)"])
        }
        return decision
      }
    ) { _ in
      let answer = try await sendOnce(request, call, name: name)
      if let error = TFEError(answer: answer, method: call.method.rawValue, path: name) { throw error }
      return answer
    }
  }

  private func decision(about error: any Error, of call: Call) -> RetryDecision {
    guard let error = error as? TFEError, error.isRetryable else { return .giveUp }
    return call.isRepeatable || error.wasNotExecuted ? .retry(after: error.retryAfter) : .giveUp
  }

  /// One attempt, when the budget allows it.
  func sendOnce(_ request: HTTPClientRequest, _ call: Call, name: String) async throws -> Answer {
    guard let budget = configuration.budget, case .api = call.target else {
      return try await exchange(request, call, name: name)
    }
    try await budget.take(call.scope, priority: priority)
    do {
      let answer = try await exchange(request, call, name: name)
      budget.hear(RateLimitWord(status: answer.status, headers: answer.headers), of: call.scope)
      return answer
    } catch {
      budget.hear(.nothing, of: call.scope)
      throw error
    }
  }

  /// Time is measured by a real clock here: the network knows no other.
  private func exchange(_ request: HTTPClientRequest, _ call: Call, name: String) async throws -> Answer {
    let limit = call.isTransfer ? configuration.maximumPlanBytes : configuration.maximumAnswerBytes
    let timeout = call.isTransfer ? configuration.transferTimeout : configuration.requestTimeout
    do {
      return try await withDeadline(timeout) { [httpClient] in
        let response = try await httpClient.execute(request, deadline: .distantFuture)
        let body = try await response.body.collect(upTo: limit)
        return Answer(status: Int(response.status.code), headers: response.headers, body: body)
      }
    } catch {
      if Task.isCancelled { throw CancellationError() }
      if error is NIOTooManyBytesError {
        throw TFEError(
          .protocolViolation, method: call.method.rawValue, path: name,
          explanation: "The answer is larger than \(limit) bytes.")
      }
      throw TFEError(transport: error, method: call.method.rawValue, path: name)
    }
  }

  private func request(for call: Call, root: String, name: String) throws -> HTTPClientRequest {
    let origin = try origin(method: call.method, name: name)
    var url: String
    switch call.target {
    case .api(let path): url = origin + root + PercentEncoding.path(path)
    case .signed(let signed, _): url = signed.value.hasPrefix("/") ? origin + signed.value : signed.value
    }
    if !call.query.isEmpty {
      url += (url.contains("?") ? "&" : "?") + PercentEncoding.query(call.query)
    }
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: call.method.rawValue)
    request.headers.add(name: "User-Agent", value: configuration.userAgent)
    if case .api = call.target {
      request.headers.add(name: "Authorization", value: configuration.token.authorization)
      request.headers.add(name: "Accept", value: "application/vnd.api+json, application/json")
    }
    if let body = call.body {
      request.headers.add(name: "Content-Type", value: body.contentType)
      request.body = .bytes(body.bytes)
    }
    return request
  }

  /// `scheme://host[:port]` of the configured address.
  func origin(method: Call.Method, name: String) throws -> String {
    let address = configuration.address
    guard let scheme = address.scheme?.lowercased(), ["http", "https"].contains(scheme),
      let host = address.host(percentEncoded: true), !host.isEmpty
    else {
      throw TFEError(
        .protocolViolation, method: method.rawValue, path: name,
        explanation: "The configured address is not of the form https://HOST.")
    }
    // An IPv6 address comes without its brackets.
    let literal = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    return "\(scheme)://\(literal)" + (address.port.map { ":\($0)" } ?? "")
  }
}
