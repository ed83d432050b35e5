/// Why a text is no address of a host or a module.
public struct InvalidAddress: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text, cut where it is very long, and without what may be a password.
  public let text: String
  /// What is wrong with it, as the end of a sentence.
  public let reason: String

  init(_ text: some StringProtocol, _ reason: String) {
    let shown = text.lastIndex(of: "@").map { "•••" + text[$0...] } ?? String(text)
    self.text = String(shown.prefix(200))
    self.reason = reason
  }

  /// What is wrong, and what would be right.
  public var description: String { "'\(text)' \(reason)." }
}
