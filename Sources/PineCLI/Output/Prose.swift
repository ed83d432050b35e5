/// Text for people: what is written in this program as it is, what is put in from elsewhere with its control characters
/// made visible, so that nobody's blueprint can drive somebody's terminal.
///
/// ```swift
/// "run \(status.runID) is \(state, .green)"
/// ```
struct Prose: ExpressibleByStringInterpolation, Sendable {
  struct Piece: Sendable {
    var text: String
    var style: Style?
  }
  private(set) var pieces: [Piece]

  init(stringLiteral value: String) { pieces = [Piece(text: value)] }

  init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

  /// Text from elsewhere.
  init(_ text: String, _ style: Style? = nil) { pieces = [Piece(text: TerminalText.visible(text), style: style)] }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { pieces.append(Piece(text: literal)) }
    }
    mutating func appendInterpolation(_ text: String, _ style: Style? = nil) { pieces += Prose(text, style).pieces }
    mutating func appendInterpolation(_ number: Int) { pieces.append(Piece(text: String(number))) }
    mutating func appendInterpolation(_ prose: Prose) { pieces += prose.pieces }
  }

  /// Columns on a terminal, taking one for each character.
  var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

  func rendered(_ palette: Palette) -> String { pieces.map { palette.paint($0.text, $0.style) }.joined() }

  static func + (one: Prose, other: Prose) -> Prose {
    var sum = one
    sum.pieces += other.pieces
    return sum
  }
}

extension [Prose] {
  func joined(_ separator: String) -> Prose {
    var sum: Prose = ""
    for (index, prose) in enumerated() { sum = index == 0 ? prose : "\(sum)\(separator)\(prose)" }
    return sum
  }
}
