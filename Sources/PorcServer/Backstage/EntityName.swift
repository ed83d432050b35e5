import Crypto
import Foundation

/// Names as Backstage takes them: 1 to 63 characters, and no two that differ only in capitals.
enum EntityName {
  private static let maximum = 63

  /// The name of what PORC calls `text`. Lower-case letters, digits and inner `-` stay what they are, as all names of
  /// instances and nearly all identifiers of templates are. Of anything else, and of what would be too long, every other
  /// character becomes `-`, and a `.` and 64 bits of its SHA-256 tell it from others; a `.` is in no name that stays.
  ///
  /// - Parameter prefix: ends with a character that no such name has.
  static func safe(_ text: String, prefix: String = "") -> String {
    if isPlain(text), prefix.utf8.count + text.utf8.count <= maximum { return prefix + text }
    let digest = SHA256.hash(data: Data(text.utf8)).prefix(8).hex
    let head = slug(text.lowercased(), keeping: "", atMost: maximum - prefix.utf8.count - digest.utf8.count - 1)
    return "\(prefix)\(head ?? "x").\(digest)"
  }

  private static func isPlain(_ text: String) -> Bool {
    text.utf8.first?.isLowerCaseOrDigit == true && text.utf8.last?.isLowerCaseOrDigit == true
      && text.utf8.allSatisfy { $0.isLowerCaseOrDigit || $0 == UInt8(ascii: "-") }
  }

  /// Whether Backstage takes it as it is, for a name and for the value of a label.
  static func isName(_ text: some StringProtocol) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count <= maximum && bytes.first?.isLetterOrDigit == true && bytes.last?.isLetterOrDigit == true
      && bytes.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
  }

  /// ASCII letters, digits and `marks` with one `-` in the place of whatever else is between them; `nil` where there are none.
  static func slug(_ text: String, keeping marks: String = "._-", atMost length: Int = maximum) -> String? {
    var slug: [UInt8] = []
    for byte in text.utf8 {
      if byte.isLetterOrDigit || marks.utf8.contains(byte) {
        slug.append(byte)
      } else if slug.last != UInt8(ascii: "-") {
        slug.append(UInt8(ascii: "-"))
      }
    }
    slug = Array(slug.drop { !$0.isLetterOrDigit }.prefix(length))
    while let last = slug.last, !last.isLetterOrDigit { slug.removeLast() }
    return slug.isEmpty ? nil : String(decoding: slug, as: UTF8.self)
  }
}

extension UInt8 {
  /// Of ASCII.
  var isLowerCaseOrDigit: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
  }

  /// Of ASCII.
  var isLetterOrDigit: Bool {
    isLowerCaseOrDigit || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
  }
}

/// Who owns something, as Backstage names a group or a person.
struct OwnerReference {
  /// `group:default/cloud-platform`, for example.
  let text: String

  /// - `group:…`, `user:…` and `namespace/name` are references already.
  /// - `@acme/platform`, as in a CODEOWNERS file, is the group `platform`, and `@anna` the user `anna`.
  /// - `anna@example.com` is the user `anna`, the part before the `@`.
  /// - Anything else is a group's name, with `-` for what such a name cannot have.
  ///
  /// Where no namespace is named it is `default`, in which organizations usually are, and not the one of PORC's entities.
  ///
  /// - Returns: `nil` where nothing of a name is left.
  init?(_ owner: String) {
    let owner = owner.trimmingCharacters(in: .whitespacesAndNewlines)
    if let reference = Self.reference(owner) {
      text = reference
      return
    }
    var (kind, name) = ("group", owner)
    if owner.hasPrefix("@") {
      name = String(owner.dropFirst())
      if let slash = name.lastIndex(of: "/") { name.removeSubrange(...slash) } else { kind = "user" }
    } else if let at = owner.firstIndex(of: "@"), at > owner.startIndex, owner.index(after: at) < owner.endIndex {
      (kind, name) = ("user", String(owner[..<at]))
    }
    guard let slug = EntityName.slug(name) else { return nil }
    text = "\(kind):default/\(slug)"
  }

  /// `owner` in full, if it is a reference to a group or a user.
  private static func reference(_ owner: String) -> String? {
    let halves = owner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let kind = halves.count == 2 ? halves[0].lowercased() : "group"
    guard let path = halves.last, kind == "group" || kind == "user" else { return nil }
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let namespace = parts.count == 2 ? parts[0].lowercased() : "default"
    guard let name = parts.last, EntityName.isName(name), BackstageSettings.isNamespace(namespace) else { return nil }
    return "\(kind):\(namespace)/\(name)"
  }
}
