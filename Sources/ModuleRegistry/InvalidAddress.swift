/// Why a text is no address of a host or a module.
public struct InvalidAddress: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text, cut where it is very long.
  public let text: String
  /// What is wrong with it, as the end of a sentence.
  public let reason: String

  init(_ text: some StringProtocol, _ reason: String) {
    self.text = String(text.prefix(200))
    self.reason = reason
  }

  /// What is wrong, and what would be right.
  public var description: String { "'\(text)' \(reason)." }
}
