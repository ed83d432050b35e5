/// Reads what `git cat-file --batch` and `--batch-check` write, in chunks as they come: one answer per name, in order.
struct BatchParser {
  enum Answer {
    case missing
    /// - content: empty with `--batch-check`, and for an object over the limit.
    case object(id: ObjectID, type: String, size: Int, content: [UInt8])
  }
  /// The program wrote something else.
  struct Nonsense: Error {}

  private enum State {
    case header
    case content(id: ObjectID, type: String, size: Int, left: Int)
  }

  /// Whether contents follow the headers.
  let hasContents: Bool
  /// Contents over this many bytes are passed over.
  let limit: Int
  private var state = State.header
  private var line: [UInt8] = []
  private var content: [UInt8] = []

  init(hasContents: Bool, limit: Int) {
    self.hasContents = hasContents
    self.limit = limit
  }

  /// Whether the last answer is whole.
  var isAtEnd: Bool {
    if case .header = state { line.isEmpty } else { false }
  }

  mutating func feed(_ chunk: [UInt8], onAnswer: (Answer) throws -> Void) throws {
    var rest = chunk[...]
    while !rest.isEmpty {
      switch state {
      case .header:
        guard let end = rest.firstIndex(of: 0x0A) else {
          line += rest
          guard line.count <= 64 << 10 else { throw Nonsense() }
          return
        }
        line += rest[..<end]
        rest = rest[(end + 1)...]
        try takeHeader(onAnswer)
        line.removeAll(keepingCapacity: true)
      case .content(let id, let type, let size, let left):
        // A line feed follows the content.
        let taken = rest.prefix(left)
        if size <= limit { content += taken }
        rest = rest.dropFirst(taken.count)
        if taken.count < left {
          state = .content(id: id, type: type, size: size, left: left - taken.count)
        } else {
          if size <= limit { content.removeLast() }
          state = .header
          let whole = content
          content = []
          try onAnswer(.object(id: id, type: type, size: size, content: whole))
        }
      }
    }
  }

  private mutating func takeHeader(_ onAnswer: (Answer) throws -> Void) throws {
    let text = String(decoding: line, as: UTF8.self)
    let parts = text.split(separator: " ")
    if parts.count == 3, let id = ObjectID(String(parts[0])), let size = Int(parts[2]), size >= 0 {
      guard hasContents else {
        return try onAnswer(.object(id: id, type: String(parts[1]), size: size, content: []))
      }
      content.reserveCapacity(size <= limit ? size + 1 : 0)
      state = .content(id: id, type: String(parts[1]), size: size, left: size + 1)
    } else if text.hasSuffix(" missing") || text.hasSuffix(" ambiguous") {
      try onAnswer(.missing)
    } else {
      throw Nonsense()
    }
  }
}
