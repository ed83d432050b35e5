/// How a piece of text stands out.
enum Style: String, Sendable {
  case bold = "1"
  case dim = "2"
  case red = "31"
  case green = "32"
  case yellow = "33"
  case cyan = "36"
}

/// Colours, where there are any.
struct Palette: Sendable {
  let isOn: Bool

  /// On a terminal that can and a person who wants them (no-color.org).
  init(isTerminal: Bool, environment: [String: String]) {
    isOn = isTerminal && environment.value("NO_COLOR") == nil && environment["TERM"] != "dumb"
  }

  func paint(_ text: String, _ style: Style?) -> String {
    guard isOn, let style, !text.isEmpty else { return text }
    return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
  }
}
