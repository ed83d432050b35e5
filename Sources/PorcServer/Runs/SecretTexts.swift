import HCL
import PorcCore

/// The texts that must not be shown because an instance's sensitive inputs hold them, even where its module shows them, by
/// `nonsensitive()` or by a provider that quotes them in an error.
struct SecretTexts: Sendable {
  /// The longest first, since one may be part of another.
  private let texts: [String]

  static let none = SecretTexts([])

  /// Shorter ones are too likely to be parts of harmless words.
  private static let minimumLength = 6

  init(_ values: some Sequence<Value>) {
    let leaves = Set(values.flatMap(Self.leaves)).filter { $0.count >= Self.minimumLength }
    texts = Set(leaves.flatMap(Self.spellings)).sorted { $0.utf8.count > $1.utf8.count }
  }

  /// The texts and the lines of texts in a value: a log shows a long one line by line.
  private static func leaves(_ value: Value) -> [String] {
    if let text = value.stringValue {
      return [text] + text.split(whereSeparator: \.isNewline).map(String.init)
    }
    if let list = value.arrayValue { return list.flatMap(leaves) }
    if let object = value.objectValue { return object.values.flatMap(leaves) }
    if case .number = value { return [value.hclLiteral] }
    return []
  }

  /// How Terraform and programs write a text: as it is, and within quotes in HCL, in JSON, and as Go quotes it.
  private static func spellings(_ text: String) -> [String] {
    let inner = { (quoted: String) in String(quoted.dropFirst().dropLast()) }
    let json = inner(Value.string(text).json())
    // Terraform's jsonencode escapes what might be markup.
    let cautious = json.replacing("<", with: "\\u003c").replacing(">", with: "\\u003e").replacing("&", with: "\\u0026")
    var go = json
    for code in (0..<0x20 as Range<UInt8>) + [0x7F] {
      let hex = (code < 16 ? "0" : "") + String(code, radix: 16)
      go = go.replacing("\\u00\(hex)", with: "\\x\(hex)").replacing("\\u00\(hex.uppercased())", with: "\\x\(hex)")
    }
    return [text, inner(Value.string(text).hclLiteral), json, cautious, go]
  }

  func masked(_ text: String) -> String {
    texts.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "(sensitive value)") : $0 }
  }

  func masked(_ failure: Failure) -> Failure {
    Failure(masked(failure.summary), detail: failure.detail.map(masked), address: failure.address.map(masked))
  }

  /// Whether a value holds one of them, in whatever depth, as a key too.
  func isIn(_ value: Value) -> Bool {
    guard !texts.isEmpty else { return false }
    let text = value.json()
    return texts.contains { text.contains($0) }
  }
}
