/// A place in a text.
public struct SourcePosition: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  /// From 1. A line ends with a line feed.
  public let line: Int
  /// From 1, in Unicode scalars.
  public let column: Int
  /// From 0, in bytes of UTF-8.
  public let offset: Int

  public init(line: Int, column: Int, offset: Int) {
    self.line = line
    self.column = column
    self.offset = offset
  }

  /// The start of a text.
  public static let start = SourcePosition(line: 1, column: 1, offset: 0)

  public static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }

  public var description: String { "line \(line), column \(column)" }
}

/// A stretch of a text.
public struct SourceRange: Hashable, Sendable, Codable {
  public let start: SourcePosition
  /// Just behind the last character.
  public let end: SourcePosition

  public init(start: SourcePosition, end: SourcePosition) {
    self.start = start
    self.end = end
  }
}

/// Why a text could not be read, and where.
public struct ParseFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence; never shows a value of the text.
  public let message: String
  public let position: SourcePosition

  public init(message: String, position: SourcePosition) {
    self.message = message
    self.position = position
  }

  public var description: String { "\(position): \(message)" }
}
