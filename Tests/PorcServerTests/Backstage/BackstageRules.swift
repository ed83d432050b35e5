import Foundation
import HCL
import JSONSchema
import Testing

/// What Backstage's catalog demands of an entity: its schemas, and what it checks in code
/// (https://backstage.io/docs/features/software-catalog/descriptor-format).
enum BackstageRules {
  private static let folder = URL(filePath: #filePath).appending(path: "../../../Contracts/backstage").standardized

  private static func read(_ path: String) throws -> Value {
    try JSONText.parse(try Data(contentsOf: folder.appending(path: path))).value
  }

  /// By kind.
  static let schemas: [String: JSONSchema] = {
    do {
      let shared = try ["Entity", "EntityEnvelope", "EntityMeta", "shared/common"].map {
        try read("\($0).schema.json")
      }
      let documents = Dictionary(
        uniqueKeysWithValues: shared.map { ($0["$id"]?.stringValue ?? "", $0) })
      return Dictionary(
        uniqueKeysWithValues: try ["Component", "Resource", "System", "Location"].map { kind in
          (kind, try JSONSchema(read("kinds/\(kind).v1alpha1.schema.json"), default: .draft7, documents: documents))
        })
    } catch {
      Issue.record("Backstage's schemas cannot be read: \(error)")
      return [:]
    }
  }()

  /// Everything that is wrong with an entity.
  static func problems(of entity: Value) -> [String] {
    guard let kind = entity["kind"]?.stringValue, let schema = schemas[kind] else { return ["no known kind"] }
    var problems = schema.violations(of: entity).map { "\(ValuePath($0.path)): \($0.message)" }
    func check(_ isRight: Bool, _ what: String, _ value: Any?) {
      if !isRight { problems.append("\(what): \(value ?? "nothing")") }
    }
    let metadata = entity["metadata"] ?? .null
    let root = Set(entity.objectValue?.keys.map(\.self) ?? [])
    check(root.isSubset(of: ["apiVersion", "kind", "metadata", "spec"]), "root", root)
    check(entity["apiVersion"] == "backstage.io/v1alpha1", "apiVersion", entity["apiVersion"])
    check(isName(metadata["name"]?.stringValue), "name", metadata["name"])
    check(isNamespace(metadata["namespace"]?.stringValue), "namespace", metadata["namespace"])
    for text in ["title", "description"] {
      guard let value = metadata[text] else { continue }
      check(isLine(value.stringValue), text, value)
    }
    for (key, value) in metadata["labels"]?.objectValue ?? [:] {
      check(isKey(key), "label", key)
      check(value.stringValue == "" || isName(value.stringValue), "label \(key)", value)
    }
    for (key, value) in metadata["annotations"]?.objectValue ?? [:] {
      check(isKey(key), "annotation", key)
      check(isLine(value.stringValue), "annotation \(key)", value)
    }
    for name in ["backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"] where kind != "Location"
    {
      let location = metadata["annotations"]?[name]?.stringValue ?? ""
      check(location.wholeMatch(of: /[^:]+:.+/) != nil && !location.hasPrefix("http"), name, location)
    }
    let tags = metadata["tags"]?.arrayValue ?? []
    for tag in tags {
      check(
        tag.stringValue?.wholeMatch(of: /[a-z0-9:+#]+(-[a-z0-9:+#]+)*/) != nil && tag.stringValue?.count ?? 64 < 64,
        "tag", tag)
    }
    for link in metadata["links"]?.arrayValue ?? [] {
      let url = link["url"]?.stringValue ?? ""
      check(isURL(url), "link", url)
      check(link["title"]?.stringValue?.contains { !$0.isWhitespace } == true, "link's title", link)
      check(link["icon"].map { isName($0.stringValue) } ?? true, "link's icon", link)
    }
    let spec = entity["spec"] ?? .null
    if kind != "Location" {
      check(isReference(spec["owner"]?.stringValue, of: ["group", "user"]), "owner", spec["owner"])
    }
    if let system = spec["system"] { check(isReference(system.stringValue, of: ["system"]), "system", system) }
    for other in spec["dependsOn"]?.arrayValue ?? [] {
      check(isReference(other.stringValue, of: ["component", "resource"]), "dependsOn", other)
    }
    if let type = spec["type"] { check(isLine(type.stringValue), "type", type) }
    return problems
  }

  /// Entities that Backstage would take for the same: it compares without regard to capitals.
  static func repeated(among entities: [Value]) -> [String] {
    let references = entities.map(reference)
    return Dictionary(grouping: references, by: \.self).filter { $0.value.count > 1 }.keys.sorted()
  }

  static func reference(_ entity: Value) -> String {
    let metadata = entity["metadata"] ?? .null
    return [
      entity["kind"]?.stringValue ?? "", ":", metadata["namespace"]?.stringValue ?? "default", "/",
      metadata["name"]?.stringValue ?? "",
    ].joined().lowercased()
  }

  static func isName(_ text: String?) -> Bool {
    guard let text else { return false }
    return text.count <= 63 && text.wholeMatch(of: /([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]/) != nil
  }

  static func isNamespace(_ text: String?) -> Bool {
    guard let text else { return false }
    return text.count <= 63 && text.wholeMatch(of: /[a-z0-9]+(?:-+[a-z0-9]+)*/) != nil
  }

  static func isKey(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, isName(parts.last) else { return false }
    return parts.count == 1
      || parts[0].count <= 253
        && parts[0].split(separator: ".", omittingEmptySubsequences: false)
          .allSatisfy { isNamespace(String($0)) }
  }

  static func isReference(_ text: String?, of kinds: [String]) -> Bool {
    guard let match = (text ?? "").wholeMatch(of: /([a-z]+):([^\/:]+)\/([^\/:]+)/) else { return false }
    return kinds.contains(String(match.1)) && isNamespace(String(match.2)) && isName(String(match.3))
  }

  /// One line of what all YAML readers take, and not blank.
  static func isLine(_ text: String?) -> Bool {
    guard let text, text.contains(where: { !$0.isWhitespace }) else { return false }
    return text.unicodeScalars.allSatisfy { scalar in
      let properties = scalar.properties
      return properties.generalCategory != .control && !properties.isNoncharacterCodePoint
        && !["\u{2028}", "\u{2029}", "\u{FEFF}"].contains(scalar)
    }
  }

  static func isURL(_ text: String) -> Bool {
    guard let url = URL(string: text), let host = url.host else { return false }
    return ["http", "https"].contains(url.scheme) && !host.isEmpty && url.user == nil && url.password == nil
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
