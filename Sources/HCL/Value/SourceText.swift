/// Bytes of a text, and which line and column each of them is at.
struct SourceText: Sendable {
  let bytes: [UInt8]
  private let lineStarts: [Int]
  /// How many UTF-8 continuation bytes come before each page. Counting them from the start of the line instead would take
  /// quadratic time on a text of one long line.
  private let continuations: [Int]
  private static let pageBits = 6

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var lineStarts = [0]
    var continuations: [Int] = []
    var seen = 0
    for (offset, byte) in bytes.enumerated() {
      if offset & (1 << Self.pageBits - 1) == 0 { continuations.append(seen) }
      if byte == UInt8(ascii: "\n") { lineStarts.append(offset + 1) }
      if Self.isContinuation(byte) { seen += 1 }
    }
    continuations.append(seen)
    self.lineStarts = lineStarts
    self.continuations = continuations
  }

  func position(at offset: Int) -> SourcePosition {
    let offset = min(max(offset, 0), bytes.count)
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    let lineStart = lineStarts[low]
    let column = offset - lineStart - (continuations(before: offset) - continuations(before: lineStart)) + 1
    return SourcePosition(line: low + 1, column: column, offset: offset)
  }

  func range(_ offsets: Range<Int>) -> SourceRange {
    SourceRange(start: position(at: offsets.lowerBound), end: position(at: offsets.upperBound))
  }

  /// The text of a range; bytes that are not UTF-8 become U+FFFD.
  func text(_ offsets: Range<Int>) -> String { String(decoding: bytes[offsets], as: UTF8.self) }

  func failure(_ message: String, at offset: Int) -> ParseFailure {
    ParseFailure(message: message, position: position(at: offset))
  }

  /// Where the first byte of a part is that cannot be UTF-8; nil if all is well.
  func firstInvalidOffset(in range: Range<Int>? = nil) -> Int? {
    let part = bytes[range ?? bytes.indices]
    if part.allSatisfy({ $0 < 0x80 }) { return nil }
    var iterator = part.makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    var offset = part.startIndex
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .error: return offset
      case .emptyInput: return nil
      }
    }
  }

  private func continuations(before offset: Int) -> Int {
    let page = offset >> Self.pageBits
    var count = continuations[page]
    for place in (page << Self.pageBits)..<offset where Self.isContinuation(bytes[place]) { count += 1 }
    return count
  }

  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
