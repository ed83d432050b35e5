/// A regular expression of ECMA-262 that is matched in time proportional to the text, whatever its author intended.
///
/// All ways through the pattern are followed at once, character by character, so nothing is ever tried twice. What looks
/// ahead or behind is decided for every place of the text before the pattern itself is, in one walk over the text each: a
/// look-ahead by walking from the end with its body turned around. References back to a group have no such way and are
/// refused.
struct Pattern: Sendable {
  /// How many instructions a pattern may become; `a{1000}` is thousands.
  static let maximumSize = 10_000

  let text: String
  /// How many instructions the pattern became.
  let size: Int
  private let program: PatternProgram
  /// Those inside others come first.
  private let looks: [(program: PatternProgram, isAhead: Bool)]

  init(_ text: String) throws(PatternFailure) {
    var parser = PatternParser(text)
    let syntax = try parser.pattern()
    let limit = Self.maximumSize + 1
    size = parser.looks.reduce(syntax.size(limit: limit)) { $0 + $1.body.size(limit: limit) }
    guard size <= Self.maximumSize else {
      throw PatternFailure(
        message: "it is too long, or its repetitions multiply too far", fix: "Repeat less often.", position: 1)
    }
    self.text = text
    program = PatternProgram(syntax)
    looks = parser.looks.map { (PatternProgram($0.body, isReversed: $0.isAhead), $0.isAhead) }
  }

  /// Whether the pattern matches somewhere in `string`.
  ///
  /// - Parameter work: lowered by one for each step.
  /// - Returns: nil once `work` is used up.
  func matches(_ string: String, _ work: inout Int) -> Bool? {
    let scalars = string.unicodeScalars.map(\.value)
    var places: [[Bool]] = []
    for look in looks {
      var run = PatternRun(look.program, text: scalars, looks: places)
      guard let holds = run.matchingPlaces(isBackwards: look.isAhead, &work) else { return nil }
      places.append(holds)
    }
    work -= program.instructions.count / 16  // making room for the states is work too
    var run = PatternRun(program, text: scalars, looks: places)
    return run.matchesAnywhere(&work)
  }
}
