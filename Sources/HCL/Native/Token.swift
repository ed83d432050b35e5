/// A piece of HCL's native syntax. Comments and white space are none.
struct Token {
  let kind: Kind
  /// Offsets in the bytes of the file.
  let range: Range<Int>

  enum Kind: Equatable {
    case identifier, number
    case openQuote, closeQuote
    /// `<<ID` or `<<-ID` with the line feed behind it, and the closing line without its line feed.
    case openHeredoc, closeHeredoc
    /// Text of a template as it is written. In heredocs a piece ends with each line.
    case text
    /// `${` and `%{` with the `~` behind them; `}` with the `~` before it.
    case openInterpolation, openDirective, closeTemplate
    case openParenthesis, closeParenthesis, openBracket, closeBracket, openBrace, closeBrace
    case newline, comma, equals, colon, doubleColon, question, dot, ellipsis, arrow, minus, star, bang
    /// An operator that only stands between two values.
    case binaryOperator
    case invalid
    case end
  }

  /// What ends what this token begins.
  var closer: Kind? {
    switch kind {
    case .openQuote: .closeQuote
    case .openHeredoc: .closeHeredoc
    case .openInterpolation, .openDirective: .closeTemplate
    case .openParenthesis: .closeParenthesis
    case .openBracket: .closeBracket
    case .openBrace: .closeBrace
    default: nil
    }
  }

  var isCloser: Bool {
    switch kind {
    case .closeQuote, .closeHeredoc, .closeTemplate, .closeParenthesis, .closeBracket, .closeBrace: true
    default: false
    }
  }
}
