import HCL

/// Takes the known members of a mapping one by one, and notes everything that is wrong with them.
struct DocumentReader {
  let source: SourceValue
  /// The JSON pointer of the mapping.
  let pointer: String
  private(set) var findings: [Finding] = []
  /// Beyond this many, unknown keys are only counted: nobody mends a thousand one by one.
  static let maximumUnknown = 100
  private var known: [String] = []

  init(_ source: SourceValue, at pointer: String = "") {
    self.source = source
    self.pointer = pointer
    if case .object = source.content { return }
    note(
      source, pointer, pointer.isEmpty ? "The document is not a mapping." : "'\(name)' is not a mapping.",
      fix: "Write keys and values there.")
  }

  private var name: String { pointer.split(separator: "/").joined(separator: ".") }

  mutating func member(_ key: String) -> SourceValue? {
    known.append(key)
    return source.member(key)?.value
  }

  /// - Parameter maximum: how many characters it may have.
  mutating func text(_ key: String, isRequired: Bool = false, maximum: Int = 255) -> String? {
    guard let value = member(key), value.content != .null else {
      if isRequired { missing(key) }
      return nil
    }
    guard case .string(let text) = value.content else {
      if BlueprintSkeleton.isPlaceholder(value.value) {
        toBeFilledIn(value, key)
        return nil
      }
      let hint = if case .number = value.content { "Put it in quotes." } else { "Write text there." }
      note(value, path(key), "'\(dotted(key))' is not text.", fix: hint)
      return nil
    }
    if BlueprintSkeleton.isPlaceholder(text) {
      toBeFilledIn(value, key)
      return nil
    }
    if text.allSatisfy(\.isWhitespace) {
      if isRequired { note(value, path(key), "'\(dotted(key))' is empty.", fix: "Write something there.") }
      return nil
    }
    guard text.count <= maximum else {
      note(
        value, path(key), "'\(dotted(key))' is longer than \(maximum) characters.", fix: "Shorten it to \(maximum).")
      return nil
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" && $0 != "\t" }) {
      note(value, path(key), "'\(dotted(key))' holds control characters.", fix: "Remove them.")
      return nil
    }
    return text
  }

  /// Text that is an absolute http(s) URL without credentials.
  mutating func url(_ key: String) -> String? {
    guard let text = text(key, maximum: 2000) else { return nil }
    let rest = text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
    let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !host.isEmpty, !text.contains(where: \.isWhitespace) else {
      note(
        source.member(key)?.value ?? source, path(key), "'\(dotted(key))' is not an http or https URL.",
        fix: "Write it like https://github.com/acme/infra.")
      return nil
    }
    guard !host.contains("@") else {
      note(
        source.member(key)?.value ?? source, path(key), "'\(dotted(key))' holds credentials.",
        fix: "Leave the part before the '@' out.")
      return nil
    }
    return text
  }

  mutating func flag(_ key: String) -> Bool? {
    guard let value = member(key), value.content != .null else { return nil }
    guard case .bool(let flag) = value.content else {
      note(value, path(key), "'\(dotted(key))' is neither true nor false.", fix: "Write true or false.")
      return nil
    }
    return flag
  }

  mutating func oneOf<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    guard let text = text(key) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let choices = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    note(
      source.member(key)?.value ?? source, path(key), "'\(dotted(key))' is none of \(choices).", fix: "Use one of them."
    )
    return nil
  }

  mutating func refuseOthers() {
    guard case .object(let members) = source.content else { return }
    let others = members.filter { !known.contains($0.key) }
    for member in others.prefix(Self.maximumUnknown) {
      let near = Suggestion.closest(to: member.key, among: known)
      findings.append(
        Finding(
          at: path(member.key), "'\(dotted(member.key))' is unknown.",
          fix: near.map { "Did you mean '\($0)'?" } ?? "Known here: \(known.joined(separator: ", ")).",
          line: member.keyRange.start.line, column: member.keyRange.start.column))
    }
    if let more = Finding(unknown: others.dropFirst(Self.maximumUnknown), at: pointer) { findings.append(more) }
  }

  private mutating func toBeFilledIn(_ value: SourceValue, _ key: String) {
    note(value, path(key), "'\(dotted(key))' is still to be filled in.", fix: "Write text there.")
  }

  mutating func missing(_ key: String) {
    note(source, path(key), "'\(dotted(key))' is missing.", fix: "Add it.")
  }

  mutating func note(_ place: SourceValue, _ pointer: String, _ message: String, fix: String?) {
    findings.append(
      Finding(at: pointer, message, fix: fix, line: place.range.start.line, column: place.range.start.column))
  }

  mutating func adopt(_ other: DocumentReader) { findings += other.findings }

  func path(_ key: String) -> String { pointer + ValuePath([.key(key)]).jsonPointer }
  private func dotted(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }
}

extension Finding {
  /// That `members` are unknown too; `nil` if there are none.
  init?(unknown members: some Collection<SourceValue.Member>, at pointer: String) {
    guard let place = members.first?.keyRange.start else { return nil }
    self.init(
      at: pointer, "\(members.count) more keys are unknown, from here on.", fix: "Remove them.", line: place.line,
      column: place.column)
  }
}
