import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// An HTTP API as a program of somebody else's uses it: PORC's, TFE's or Port's.
struct API: Sendable {
  let base: String
  var token: String?

  struct Answer: Sendable, CustomStringConvertible {
    let call: String
    let status: Int
    /// By name in lower case.
    let headers: [String: String]
    let body: Data

    var json: JSON { (try? JSON(body)) ?? .null }
    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { headers[name.lowercased()] }
    /// The code of a problem document.
    var problem: String? { json["title"].string }
    var description: String { "\(call) was answered \(status): \(text)" }

    /// The same answer, if it has this status; anything else ends the story with what was answered.
    @discardableResult
    func expecting(_ status: Int, at location: SourceLocation = #_sourceLocation) throws -> Answer {
      try #require(self.status == status, "\(self)", sourceLocation: location)
      return self
    }
  }

  enum Body: Sendable {
    case none
    case json(JSON)
    case yaml(String)
    case bytes(Data, type: String)
  }

  /// Unlimited enough that thirty callers at once really are at once.
  private static let http = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: .init(
      redirectConfiguration: .disallow,
      connectionPool: .init(idleTimeout: .seconds(20), concurrentHTTP1ConnectionsPerHostSoftLimit: 64)))

  /// - Parameter call: method and path, e.g. `POST /runs`.
  func request(_ call: String, _ body: Body = .none, headers: [String: String] = [:]) throws -> HTTPClientRequest {
    let words = call.split(separator: " ", maxSplits: 1)
    try #require(words.count == 2, "\(call) is no call")
    var request = HTTPClientRequest(url: base + words[1])
    request.method = HTTPMethod(rawValue: String(words[0]))
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    switch body {
    case .none: break
    case .json(let json):
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: try json.data))
    case .yaml(let text):
      request.headers.add(name: "Content-Type", value: "application/yaml")
      request.body = .bytes(ByteBuffer(string: text))
    case .bytes(let data, let type):
      request.headers.add(name: "Content-Type", value: type)
      request.body = .bytes(ByteBuffer(bytes: data))
    }
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    return request
  }

  func send(_ call: String, _ body: Body = .none, headers: [String: String] = [:]) async throws -> Answer {
    let response = try await Self.http.execute(
      try request(call, body, headers: headers), timeout: .seconds(45))
    var data = Data()
    for try await buffer in response.body { data.append(contentsOf: buffer.readableBytesView) }
    let named = response.headers.map { ($0.name.lowercased(), $0.value) }
    return Answer(
      call: call, status: Int(response.status.code), headers: Dictionary(named) { "\($0), \($1)" }, body: data)
  }

  func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
    try await send("GET \(path)", headers: headers)
  }

  func post(_ path: String, _ body: JSON? = nil, headers: [String: String] = [:]) async throws -> Answer {
    try await send("POST \(path)", body.map { .json($0) } ?? .none, headers: headers)
  }

  /// A stream of server-sent events, resumed after `lastEventID`.
  func events(_ path: String, after lastEventID: String? = nil) async throws -> EventStream {
    var headers = ["Accept": "text/event-stream"]
    headers["Last-Event-ID"] = lastEventID
    let response = try await Self.http.execute(
      try request("GET \(path)", headers: headers), deadline: .now() + .seconds(50))
    try #require(response.status == .ok)
    return EventStream(response.body)
  }
}

/// Server-sent events, as they come. Ends when the server ends the stream.
struct EventStream: AsyncSequence {
  struct Event: Sendable, Equatable {
    var id: String?
    var name = ""
    var data = ""
  }

  private let body: HTTPClientResponse.Body

  init(_ body: HTTPClientResponse.Body) { self.body = body }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate var chunks: HTTPClientResponse.Body.AsyncIterator
    private var bytes: [UInt8] = []

    fileprivate init(_ body: HTTPClientResponse.Body) { chunks = body.makeAsyncIterator() }

    mutating func next() async throws -> Event? {
      var event = Event()
      var lines: [String] = []
      while let line = try await line() {
        guard !line.isEmpty else {
          if event.name.isEmpty, lines.isEmpty {  // a comment, or the place where the stream begins
            event.id = nil
            continue
          }
          event.data = lines.joined(separator: "\n")
          return event
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = String(parts.count > 1 ? parts[1].drop(while: { $0 == " " }) : "")
        switch parts[0] {
        case "id": event.id = value
        case "event": event.name = value
        case "data": lines.append(value)
        default: break
        }
      }
      return nil
    }

    private mutating func line() async throws -> String? {
      while true {
        if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
          defer { bytes.removeFirst(end + 1) }
          return String(decoding: bytes[..<end], as: UTF8.self)
        }
        guard let chunk = try await chunks.next() else { return nil }
        bytes += chunk.readableBytesView
      }
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(body) }
}
