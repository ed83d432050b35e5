import FoundationEssentials

/// What a registry lists for a module.
public struct ModuleVersions: Sendable, Hashable {
  /// Strict SemVer without a leading `v`, in the registry's order (which means nothing), each once.
  public let versions: [String]
  /// What the registry lists beside them that is no version, for a warning; cut where it is long or many.
  public let unreadable: [String]
  /// The versions that the registry warns of.
  public let deprecations: [String: ModuleDeprecation]
}

/// A registry's warning about a version.
public struct ModuleDeprecation: Sendable, Hashable {
  /// Why, in its publisher's words.
  public let reason: String?
  /// Where there is more about it.
  public let link: String?
}

extension ModuleVersions {
  /// `{"modules": [{"versions": [{"version": "1.0.0", "deprecation": {"reason", "link"}}]}]}`. Only the first module
  /// counts; everything else in it is ignored, and an entry that is no version does no harm to the others.
  ///
  /// - Throws: `DecodingError` where there is no list.
  init(json: Data) throws {
    let document = try JSONDecoder().decode(Document.self, from: json)
    var versions: [String] = []
    var unreadable: [String] = []
    var deprecations: [String: ModuleDeprecation] = [:]
    var seen: Set<String> = []
    for entry in document.entries {
      guard let text = entry.version, let version = VersionText.normalized(text) else {
        if unreadable.count < 100 { unreadable.append(entry.version.map { String($0.prefix(100)) } ?? "(not a text)") }
        continue
      }
      guard seen.insert(version).inserted else { continue }
      versions.append(version)
      deprecations[version] = entry.deprecation
    }
    (self.versions, self.unreadable, self.deprecations) = (versions, unreadable, deprecations)
  }

  private struct Document: Decodable {
    let entries: [Entry]

    init(from decoder: any Decoder) throws {
      var modules = try decoder.container(keyedBy: Key.self).nestedUnkeyedContainer(forKey: .modules)
      entries = try modules.nestedContainer(keyedBy: Key.self).decode([Entry].self, forKey: .versions)
    }

    enum Key: String, CodingKey { case modules, versions }
  }

  private struct Entry: Decodable {
    var version: String?
    var deprecation: ModuleDeprecation?

    init(from decoder: any Decoder) {
      guard let entry = try? decoder.container(keyedBy: Key.self) else { return }
      version = try? entry.decode(String.self, forKey: .version)
      guard let reason = try? entry.nestedContainer(keyedBy: Key.self, forKey: .deprecation) else { return }
      deprecation = ModuleDeprecation(
        reason: try? reason.decode(String.self, forKey: .reason), link: try? reason.decode(String.self, forKey: .link))
    }

    enum Key: String, CodingKey { case version, deprecation, reason, link }
  }
}
