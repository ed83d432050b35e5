/// Terraform's own output on its way to the person: colours pass on a terminal that shows them, every other escape
/// sequence is taken out, and what a provider printed can neither move the cursor nor set the clipboard.
///
/// Keeps its place between pieces, so a sequence may be split anywhere.
struct TerraformText: Sendable {
  let allowsColours: Bool
  private var state = State.text
  private var isColoured = false

  private enum State: Sendable {
    case text
    case escape
    /// `ESC [`: parameters and intermediates so far.
    case control(String)
    /// A string command (`ESC ]`, `ESC P`, …), until BEL or `ESC \`.
    case string
    case stringEscape
    /// `ESC (` and the like: one more character belongs to it.
    case designation
  }

  init(allowsColours: Bool) { self.allowsColours = allowsColours }

  /// What of `text` is shown.
  mutating func shown(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars { take(scalar, into: &result) }
    return result
  }

  /// Ends a colour that was left on.
  mutating func ending() -> String {
    defer {
      isColoured = false
      state = .text
    }
    return isColoured ? "\u{1B}[0m" : ""
  }

  private mutating func take(_ scalar: Unicode.Scalar, into result: inout String) {
    switch state {
    case .text: text(scalar, into: &result)
    case .escape: state = Self.state(after: scalar)
    case .designation: state = .text
    case .control(let begun):
      switch scalar.value {
      // A sequence ends with a byte of 0x40 to 0x7E (ECMA-48, 5.4); longer parameters than these mean nothing.
      case 0x20...0x3F where begun.utf8.count < 64: state = .control(begun + String(scalar))
      case 0x40...0x7E:
        state = .text
        if scalar == "m", allowsColours, begun.unicodeScalars.allSatisfy({ ("0"..."9").contains($0) || $0 == ";" }) {
          isColoured = !(begun.isEmpty || begun == "0")
          result += "\u{1B}[\(begun)m"
        }
      case 0x1B: state = .escape
      default:
        state = .text
        text(scalar, into: &result)
      }
    case .string:
      if scalar == "\u{7}" || scalar == "\u{9C}" { state = .text }
      if scalar == "\u{1B}" { state = .stringEscape }
      // Such a string has no lines: one that was left open must not swallow the rest of the log.
      if scalar == "\n" {
        state = .text
        result += "\n"
      }
    case .stringEscape:
      state = scalar == "\\" ? .text : Self.state(after: scalar)
    }
  }

  private mutating func text(_ scalar: Unicode.Scalar, into result: inout String) {
    switch scalar {
    case "\u{1B}": state = .escape
    case "\u{9B}": state = .control("")
    case "\u{90}", "\u{98}", "\u{9D}", "\u{9E}", "\u{9F}": state = .string
    case "\n", "\t": result.unicodeScalars.append(scalar)
    case _ where TerminalText.acts(scalar): break
    default: result.unicodeScalars.append(scalar)
    }
  }

  private static func state(after scalar: Unicode.Scalar) -> State {
    switch scalar {
    case "[": .control("")
    case "]", "P", "X", "^", "_": .string
    case "\u{20}"..."\u{2F}": .designation
    case "\u{1B}": .escape
    default: .text
    }
  }
}
