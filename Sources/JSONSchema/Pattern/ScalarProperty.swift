/// What `\p{…}` asks of a character: a general category or a binary property of Unicode.
struct ScalarProperty: Sendable {
  private enum Test: Sendable {
    /// One bit for each general category.
    case categories(UInt32)
    case binary(@Sendable (Unicode.Scalar) -> Bool)
  }

  private let test: Test
  private let isNegated: Bool

  /// - Parameter name: what stands between the braces: `L`, `Letter`, `gc=Lu`, `General_Category=Lu`, `Alphabetic`.
  ///   Nil if it is none of these. Scripts are not supported: Swift's standard library does not know them.
  init?(_ name: String, isNegated: Bool) {
    self.isNegated = isNegated
    let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2 {
      guard parts[0] == "gc" || parts[0] == "General_Category", let mask = Self.mask(parts[1]) else { return nil }
      test = .categories(mask)
    } else if let mask = Self.mask(name) {
      test = .categories(mask)
    } else if let binary = Self.binary[name] {
      test = .binary(binary)
    } else {
      return nil
    }
  }

  func holds(for scalar: Unicode.Scalar) -> Bool {
    switch test {
    case .categories(let mask): (mask >> scalar.properties.generalCategory.bit & 1 == 1) != isNegated
    case .binary(let holds): holds(scalar) != isNegated
    }
  }

  private static func mask(_ name: String) -> UInt32? {
    let members = categories.filter { category in
      category.names.contains(name)
        || groups.contains { $0.names.contains(name) && category.names[0].hasPrefix($0.prefix) }
        || (cased.contains(name) && ["Lu", "Ll", "Lt"].contains(category.names[0]))
    }
    return members.isEmpty ? nil : members.reduce(0) { $0 | 1 << $1.category.bit }
  }

  private static let cased = ["LC", "Cased_Letter"]

  private static let groups: [(prefix: String, names: [String])] = [
    ("C", ["C", "Other"]), ("L", ["L", "Letter"]), ("M", ["M", "Mark", "Combining_Mark"]), ("N", ["N", "Number"]),
    ("P", ["P", "Punctuation", "punct"]), ("S", ["S", "Symbol"]), ("Z", ["Z", "Separator"]),
  ]

  private static let categories: [(category: Unicode.GeneralCategory, names: [String])] = [
    (.uppercaseLetter, ["Lu", "Uppercase_Letter"]), (.lowercaseLetter, ["Ll", "Lowercase_Letter"]),
    (.titlecaseLetter, ["Lt", "Titlecase_Letter"]), (.modifierLetter, ["Lm", "Modifier_Letter"]),
    (.otherLetter, ["Lo", "Other_Letter"]), (.nonspacingMark, ["Mn", "Nonspacing_Mark"]),
    (.spacingMark, ["Mc", "Spacing_Mark"]), (.enclosingMark, ["Me", "Enclosing_Mark"]),
    (.decimalNumber, ["Nd", "Decimal_Number", "digit"]), (.letterNumber, ["Nl", "Letter_Number"]),
    (.otherNumber, ["No", "Other_Number"]), (.connectorPunctuation, ["Pc", "Connector_Punctuation"]),
    (.dashPunctuation, ["Pd", "Dash_Punctuation"]), (.openPunctuation, ["Ps", "Open_Punctuation"]),
    (.closePunctuation, ["Pe", "Close_Punctuation"]), (.initialPunctuation, ["Pi", "Initial_Punctuation"]),
    (.finalPunctuation, ["Pf", "Final_Punctuation"]), (.otherPunctuation, ["Po", "Other_Punctuation"]),
    (.mathSymbol, ["Sm", "Math_Symbol"]), (.currencySymbol, ["Sc", "Currency_Symbol"]),
    (.modifierSymbol, ["Sk", "Modifier_Symbol"]), (.otherSymbol, ["So", "Other_Symbol"]),
    (.spaceSeparator, ["Zs", "Space_Separator"]), (.lineSeparator, ["Zl", "Line_Separator"]),
    (.paragraphSeparator, ["Zp", "Paragraph_Separator"]), (.control, ["Cc", "Control", "cntrl"]),
    (.format, ["Cf", "Format"]), (.surrogate, ["Cs", "Surrogate"]), (.privateUse, ["Co", "Private_Use"]),
    (.unassigned, ["Cn", "Unassigned"]),
  ]

  private static let binary: [String: @Sendable (Unicode.Scalar) -> Bool] = [
    "Any": { _ in true }, "ASCII": { $0.isASCII }, "Assigned": { $0.properties.generalCategory != .unassigned },
    "Alphabetic": { $0.properties.isAlphabetic }, "Alpha": { $0.properties.isAlphabetic },
    "Uppercase": { $0.properties.isUppercase }, "Upper": { $0.properties.isUppercase },
    "Lowercase": { $0.properties.isLowercase }, "Lower": { $0.properties.isLowercase },
    "White_Space": { $0.properties.isWhitespace }, "space": { $0.properties.isWhitespace },
    "ASCII_Hex_Digit": { $0.properties.isASCIIHexDigit }, "AHex": { $0.properties.isASCIIHexDigit },
    "Hex_Digit": { $0.properties.isHexDigit }, "Hex": { $0.properties.isHexDigit },
    "ID_Start": { $0.properties.isIDStart }, "IDS": { $0.properties.isIDStart },
    "ID_Continue": { $0.properties.isIDContinue }, "IDC": { $0.properties.isIDContinue },
    "XID_Start": { $0.properties.isXIDStart }, "XIDS": { $0.properties.isXIDStart },
    "XID_Continue": { $0.properties.isXIDContinue }, "XIDC": { $0.properties.isXIDContinue },
    "Ideographic": { $0.properties.isIdeographic }, "Ideo": { $0.properties.isIdeographic },
    "Emoji": { $0.properties.isEmoji }, "Emoji_Presentation": { $0.properties.isEmojiPresentation },
    "EPres": { $0.properties.isEmojiPresentation },
  ]
}

extension Unicode.GeneralCategory {
  /// A number below 32 for each.
  fileprivate var bit: UInt32 {
    switch self {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    case .surrogate: 27
    case .privateUse: 28
    case .unassigned: 29
    @unknown default: 30
    }
  }
}
