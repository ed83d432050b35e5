import Foundation
import HCL
import HTTPTypes
import Hummingbird
import NIOCore
import PorcCore

extension Response {
  static func json(_ body: some Encodable, status: HTTPResponse.Status = .ok, location: String? = nil) throws
    -> Response
  {
    bytes(try JSONEncoder.porc.encode(body), status: status, location: location)
  }

  static func bytes(
    _ body: Data, type: String = "application/json", status: HTTPResponse.Status = .ok, location: String? = nil
  ) -> Response {
    var headers: HTTPFields = [.contentType: type]
    if let location { headers[.location] = location }
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }

  static func problem(_ fault: Fault, requestID: String) -> Response {
    // A document of plain texts and numbers always encodes.
    let body = (try? JSONEncoder.porc.encode(ProblemDocument(fault, requestID: requestID))) ?? Data()
    return bytes(body, type: "application/problem+json", status: HTTPResponse.Status(code: fault.code.status))
  }
}

extension Request {
  /// The whole body.
  ///
  /// - Throws: a fault if it is larger than a blueprint may be.
  func bodyBytes(atMost limit: Int = Blueprint.maximumSize) async throws -> [UInt8] {
    let tooLarge = Fault(.tooLarge, "The body is larger than \(limit / 1024) KiB.", fix: "Send less.")
    if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit { throw tooLarge }
    do {
      return Array(buffer: try await body.collect(upTo: limit))
    } catch is NIOTooManyBytesError {
      throw tooLarge
    }
  }

  /// A JSON body; an empty one counts as `{}`. A member that is none of `known` is refused: it may have been meant to name
  /// the plan that was seen. Only an action of Port sends others of its own: beside a `port_context`, or in an envelope
  /// with `context` and `payload`.
  ///
  /// - Throws: a fault for such a member, and for what is no such body.
  func optionalBody<Body: Decodable, Key: CodingKey & CaseIterable>(
    _: Body.Type, _ known: Key.Type
  ) async throws -> (body: Body, bytes: [UInt8]) {
    let bytes = try await bodyBytes()
    let isBlank = bytes.allSatisfy { " \t\r\n".utf8.contains($0) }
    let names = Key.allCases.map(\.stringValue)
    let given = (isBlank ? nil : try? JSONText.parse(bytes).value.objectValue)?.keys.sorted() ?? []
    let isOfPort = given.contains("port_context") || (given.contains("context") && given.contains("payload"))
    for name in given where !isOfPort && !names.contains(name) {
      throw Fault(
        .malformedRequest, "The body's '\(name)' is unknown.",
        fix: Suggestion.closest(to: name, among: names).map { "Did you mean '\($0)'?" }
          ?? "Known here: \(names.joined(separator: ", ")).")
    }
    return (try JSONDecoder.porc.decode(Body.self, from: isBlank ? Data("{}".utf8) : Data(bytes)), bytes)
  }

  /// - Throws: a fault for a parameter that is none of `names`: a list that was to be filtered by it would be whole.
  func allowQuery(_ names: String...) throws {
    for (name, _) in uri.queryParameters where !names.contains(String(name)) {
      let near = Suggestion.closest(to: String(name), among: names)
      throw Fault(
        .malformedRequest, "The query parameter '\(name)' is unknown.",
        fix: near.map { "Did you mean '\($0)'?" } ?? "Known here: \(names.joined(separator: ", ")).")
    }
  }

  func query(_ name: String) -> String? { uri.queryParameters[Substring(name)].map(String.init) }

  /// A whole number within a range, or a fault that says so.
  func query(_ name: String, in range: ClosedRange<Int>, default value: Int) throws -> Int {
    guard let text = query(name) else { return value }
    guard let number = Int(text), range.contains(number) else {
      throw Fault(
        .malformedRequest, "'\(name)' is not a whole number from \(range.lowerBound) to \(range.upperBound).",
        fix: "Send one, or leave it out.")
    }
    return number
  }

  var wantsEventStream: Bool { headers[.accept]?.contains("text/event-stream") ?? false }
}
