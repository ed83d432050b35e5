/// One folder's own entries, as git stores them.
struct TreeObject {
  struct Entry {
    let name: String
    let kind: TreeEntry.Kind
    let id: ObjectID
  }
  struct Refused {
    let name: String
    let reason: RefusedEntry.Reason
  }

  private(set) var entries: [Entry] = []
  private(set) var refused: [Refused] = []

  /// Reads `MODE SP NAME NUL ID`, again and again (gitformat-pack(5) and git's `tree-walk.c`).
  ///
  /// Whatever is there was written by others, and fetching checks no names (`GitProgram`): each is judged here.
  init(_ bytes: [UInt8], idBytes: Int) {
    var rest = bytes[...]
    var names: Set<ArraySlice<UInt8>> = []
    while !rest.isEmpty {
      guard let space = rest.prefix(8).firstIndex(of: 0x20), let end = rest[space...].firstIndex(of: 0),
        rest.endIndex - end > idBytes, let mode = Int(String(decoding: rest[..<space], as: UTF8.self), radix: 8)
      else {
        entries = []
        refused = [Refused(name: "", reason: .malformed)]
        return
      }
      let name = rest[(space + 1)..<end]
      let id = ObjectID(raw: rest[(end + 1)..<(end + 1 + idBytes)])
      rest = rest[(end + 1 + idBytes)...]
      if let reason = Self.objection(to: name) {
        refused.append(Refused(name: Self.shown(name), reason: reason))
      } else if !names.insert(name).inserted {
        refused.append(Refused(name: Self.shown(name), reason: .duplicate))
      } else if let kind = Self.kind(mode) {
        entries.append(Entry(name: String(decoding: name, as: UTF8.self), kind: kind, id: id))
      } else {
        refused.append(Refused(name: Self.shown(name), reason: .unknownKind))
      }
    }
  }

  private static func kind(_ mode: Int) -> TreeEntry.Kind? {
    switch mode & 0o170000 {
    case 0o100000: .file(isExecutable: mode & 0o100 != 0)
    case 0o120000: .link
    case 0o040000: .folder
    case 0o160000: .submodule
    default: nil
    }
  }

  private static func objection(to name: ArraySlice<UInt8>) -> RefusedEntry.Reason? {
    guard name.count <= 255 else { return .nameTooLong(limit: 255) }
    guard !name.contains(0x2F) else { return .reservedName }
    guard let text = String(validating: name, as: UTF8.self) else { return .notUTF8 }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control || $0 == "\\" }) else {
      return .forbiddenCharacter
    }
    // Windows and macOS take some of these for '.git'; what is refused here need not be thought of anywhere else.
    var bare = text.lowercased()[...]
    while bare.hasSuffix(".") || bare.hasSuffix(" ") { bare.removeLast() }
    return ["", ".git", "git~1"].contains(bare) ? .reservedName : nil
  }

  /// The name for people: printable, short.
  private static func shown(_ name: ArraySlice<UInt8>) -> String {
    let text = String(validating: name, as: UTF8.self)
    var shown = ""
    if let text {
      for scalar in text.unicodeScalars.prefix(100) {
        if scalar.properties.generalCategory == .control {
          shown += scalar.utf8.map { "\\x" + hex($0) }.joined()
        } else {
          shown.unicodeScalars.append(scalar)
        }
      }
    } else {
      shown = name.prefix(100).map { (0x20...0x7E).contains($0) ? String(UnicodeScalar($0)) : "\\x" + hex($0) }.joined()
    }
    return name.count > 100 ? shown + "…" : shown
  }

  private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
