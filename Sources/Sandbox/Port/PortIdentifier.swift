/// The names that Port accepts, as its OpenAPI document gives them.
enum PortIdentifier {
  /// `^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/='-]+$`, at most 1000 characters.
  static func isEntity(_ text: String) -> Bool {
    isName(text, longest: 1000) { isLetter($0) || "0123456789@_.+:\\/='-".unicodeScalars.contains($0) }
  }

  /// `^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/-]+$`, at most 100 characters.
  static func isBlueprint(_ text: String) -> Bool {
    isName(text, longest: 100) { isLetter($0) || "0123456789@_.+:\\/-".unicodeScalars.contains($0) }
  }

  /// `^(?!\.{1,2}$)[\p{L}0-9@_.+:=-]+$`, at most 100 characters.
  static func isAction(_ text: String) -> Bool {
    isName(text, longest: 100) { isLetter($0) || "0123456789@_.+:=-".unicodeScalars.contains($0) }
  }

  /// Of a property or a relation: `^[A-Za-z0-9@_=\\-]+$`, at most 100 characters.
  static func isKey(_ text: String) -> Bool {
    !text.isEmpty && text.count <= 100
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789@_=\\-".unicodeScalars.contains($0))
      }
  }

  /// What Port makes up: `e_` begins what it calls an entity that is created without an identifier.
  static func random(_ prefix: String = "e_") -> String {
    let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    return prefix + String((0..<16).map { _ in characters[Int.random(in: 0..<characters.count)] })
  }

  private static func isName(_ text: String, longest: Int, _ isAllowed: (Unicode.Scalar) -> Bool) -> Bool {
    !text.isEmpty && text != "." && text != ".." && text.count <= longest
      && text.unicodeScalars.allSatisfy(isAllowed)
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
