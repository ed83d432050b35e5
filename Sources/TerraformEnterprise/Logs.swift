/// A piece of a plan's or an apply's output.
public struct LogChunk: Sendable, Hashable {
  /// The output itself, without the marks that TFE puts around it. A piece may end within a character.
  public let bytes: [UInt8]
  /// Where the next piece begins.
  public let nextOffset: Int
  /// Whether the log ends here. A log whose writer died never ends: look at the plan's or apply's status too.
  public let isComplete: Bool

  /// A piece, for whoever plays the log's part.
  public init(bytes: [UInt8], nextOffset: Int, isComplete: Bool) {
    self.bytes = bytes
    self.nextOffset = nextOffset
    self.isComplete = isComplete
  }
}

/// Reading the output of plans and applies.
public struct LogsService: Sendable {
  let client: Client

  /// Marks that frame a log: start and end of text, as TFE sends them.
  private static let start: UInt8 = 0x02
  private static let end: UInt8 = 0x03

  /// Reads a piece of a log, which may still be growing, without the token.
  ///
  /// - Parameters:
  ///   - url: the plan's or apply's `logReadURL`.
  ///   - offset: 0, or the ``LogChunk/nextOffset`` of the piece before.
  ///   - limit: how many bytes at most.
  /// - Returns: an empty piece where nothing has been written since.
  public func read(_ url: SignedURL, offset: Int = 0, limit: Int = 65_536) async throws -> LogChunk {
    var call = Call(.get, signed: url, name: "log")
    call.query = [("limit", String(limit)), ("offset", String(offset))]
    let raw: [UInt8]
    do {
      raw = try await client.send(call).bytes
    } catch let error as TFEError where error.status == 416 {
      // Some object stores answer so beyond the end, where TFE answers with nothing.
      raw = []
    }
    var text = raw[...]
    if offset == 0, text.first == Self.start { text = text.dropFirst() }
    let isComplete = text.last == Self.end
    if isComplete { text = text.dropLast() }
    return LogChunk(bytes: Array(text), nextOffset: offset + raw.count, isComplete: isComplete)
  }
}

extension Client {
  /// Reading the output of plans and applies.
  public var logs: LogsService { LogsService(client: self) }
}
