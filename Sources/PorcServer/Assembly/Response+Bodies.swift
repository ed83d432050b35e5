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

  /// - Throws: a fault for a parameter that is none of `names`: a list that was to be filtered by it would be whole.
  func allowQuery(_ names: String...) throws { try allowQuery(names) }

  func allowQuery(_ names: [String]) throws {
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
