import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// One event of a `text/event-stream` (HTML Living Standard, section 9.2).
struct ServerSentEvent: Sendable {
  var id: String?
  var event: String
  var data: Data

  var bytes: ByteBuffer {
    var buffer = ByteBuffer()
    if let id { buffer.writeString("id: \(id)\n") }
    buffer.writeString("event: \(event)\n")
    // A carriage return ends a line as well: what is behind it would be read as a field of its own.
    let isEnd = { (byte: UInt8) in byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    for line in data.split(omittingEmptySubsequences: false, whereSeparator: isEnd) {
      buffer.writeString("data: ")
      buffer.writeBytes(line)
      buffer.writeString("\n")
    }
    buffer.writeString("\n")
    return buffer
  }
}

/// Writes events to one client.
struct EventStreamWriter {
  var body: any ResponseBodyWriter
  private let isStillAllowed: @Sendable () async throws -> Bool
  private var lastWrite = ContinuousClock.now
  private var lastCheck = ContinuousClock.now

  /// The token that a stream was asked for with was revoked: it is over.
  struct Revoked: Error {}

  init(_ body: any ResponseBodyWriter, while isStillAllowed: @escaping @Sendable () async throws -> Bool) {
    self.body = body
    self.isStillAllowed = isStillAllowed
  }

  mutating func write(_ event: ServerSentEvent) async throws { try await write(event.bytes) }

  /// - Parameter event: a whole event, as ``ServerSentEvent/bytes`` has it.
  mutating func write(_ event: ByteBuffer) async throws {
    try await check()
    try await body.write(event)
    lastWrite = .now
  }

  /// Once a second, whether the reader may still read.
  private mutating func check() async throws {
    guard ContinuousClock.now - lastCheck >= .seconds(1) else { return }
    guard try await isStillAllowed() else { throw Revoked() }
    lastCheck = .now
  }

  /// A comment every 15 s keeps proxies from closing a quiet stream, and notices a client that is gone. To be called every
  /// second.
  mutating func keepAlive() async throws {
    try await check()
    guard ContinuousClock.now - lastWrite > .seconds(15) else { return }
    try await body.write(ByteBuffer(string: ": still here\n\n"))
    lastWrite = .now
  }
}

extension Response {
  /// - Parameters:
  ///   - place: what counts the stream, for as long as it is open.
  ///   - isStillAllowed: asked every second; the stream ends where it is not.
  static func eventStream(
    holding place: Limit.Place, while isStillAllowed: @escaping @Sendable () async throws -> Bool,
    _ write: @escaping @Sendable (inout EventStreamWriter) async throws -> Void
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: ResponseBody { body in
        var writer = EventStreamWriter(body, while: isStillAllowed)
        // The head goes out at once, so that the client knows it is connected.
        try await writer.body.write(ByteBuffer(string: ": connected\n\n"))
        do {
          try await write(&writer)
        } catch is EventStreamWriter.Revoked {
          // Whoever comes back is told why.
        }
        try await writer.body.finish(nil)
        withExtendedLifetime(place) {}
      })
  }
}
