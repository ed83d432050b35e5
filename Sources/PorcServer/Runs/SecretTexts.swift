import HCL
import PorcCore
import PorcStore

/// The texts that must not be shown because a run's sensitive inputs hold them, even where its module shows them, by
/// `nonsensitive()` or by a provider that quotes them in an error.
struct SecretTexts: Sendable {
  /// The longest first, since one may be part of another.
  private let texts: [String]

  static let none = SecretTexts([])

  /// Shorter ones are too likely to be parts of harmless words.
  private static let minimumLength = 6

  init(_ values: some Sequence<Value>) {
    let found = Set(values.flatMap(Self.leaves)).filter { $0.count >= Self.minimumLength }
    texts = found.sorted { $0.utf8.count > $1.utf8.count }
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

  func masked(_ text: String) -> String {
    texts.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "(sensitive value)") : $0 }
  }

  func masked(_ failure: Failure) -> Failure {
    Failure(masked(failure.summary), detail: failure.detail.map(masked), address: failure.address.map(masked))
  }

  /// Whether a value holds one of them.
  func isIn(_ value: Value) -> Bool {
    guard !texts.isEmpty else { return false }
    return Self.leaves(value).contains { leaf in texts.contains { leaf.contains($0) } }
  }
}

/// Finds them.
struct SecretKeeper: Sendable {
  let store: any Store
  let vault: InputVault

  /// The values that a plan of the run passes on in secret.
  ///
  /// - Throws: an error of the vault, if they were sealed with another key.
  func inputs(of located: Located) async throws -> [String: Value] {
    // A destroy passes the variables of the run it removes.
    let owner = located.run.operation == .destroy ? located.situation.instance.basis?.run : located.run.id
    guard let owner, let sealed = try await store.sealedInputs(of: owner) else { return [:] }
    return try vault.open(sealed, of: owner)
  }

  func texts(of located: Located) async throws -> SecretTexts {
    guard located.situation.instance.holdsSensitiveVariables else { return .none }
    return SecretTexts(try await inputs(of: located).values)
  }
}
