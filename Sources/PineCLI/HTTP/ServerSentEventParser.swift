import PorcCore

/// One event of a stream.
struct ServerSentEvent: Sendable, Equatable {
  /// The last id the stream has given, which resumes it.
  var id: String?
  /// `message` where the stream names none.
  var name: String
  var data: String
}

/// Reads `text/event-stream` as it comes, in whatever pieces (WHATWG HTML, "Interpreting an event stream").
struct ServerSentEventParser: Sendable {
  /// No line of ours is anywhere near this; a stream without line ends must not fill the memory.
  static let maximumLineBytes = 8 << 20

  private var line: [UInt8] = []
  private var isAfterCarriageReturn = false
  private var isAtStart = true
  private var data: [String] = []
  private var name = ""
  private var id: String?

  /// The events that end within `bytes`.
  mutating func feed(_ bytes: some Sequence<UInt8>) throws -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    for byte in bytes {
      let isSecondHalf = isAfterCarriageReturn && byte == UInt8(ascii: "\n")
      isAfterCarriageReturn = byte == UInt8(ascii: "\r")
      if isSecondHalf { continue }
      guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
        line.append(byte)
        if line.count > Self.maximumLineBytes { throw Fault(.bug, "PORC's stream of events has no lines.") }
        continue
      }
      if let event = endOfLine() { events.append(event) }
    }
    return events
  }

  private mutating func endOfLine() -> ServerSentEvent? {
    if isAtStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    isAtStart = false
    defer { line.removeAll(keepingCapacity: true) }
    if line.isEmpty { return dispatch() }
    let colon = line.firstIndex(of: UInt8(ascii: ":"))
    if colon == line.startIndex { return nil }
    let field = String(decoding: line[..<(colon ?? line.endIndex)], as: UTF8.self)
    var rest = colon.map { line[line.index(after: $0)...] } ?? []
    if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
    let value = String(decoding: rest, as: UTF8.self)
    switch field {
    case "data": data.append(value)
    case "event": name = value
    case "id" where !rest.contains(0): id = value
    default: break
    }
    return nil
  }

  private mutating func dispatch() -> ServerSentEvent? {
    defer {
      data = []
      name = ""
    }
    // An event without data is none, but for one that is only a name: ours says so that a log has ended.
    guard !data.isEmpty || !name.isEmpty else { return nil }
    return ServerSentEvent(id: id, name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n"))
  }
}
