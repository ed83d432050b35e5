import HCL

/// The schemas of schemas, for the rare document that refers to one: those of draft-07 and of draft 2020-12 with its
/// vocabularies, as json-schema.org publishes them, by their URIs.
enum Metaschemas {
  /// Read when first asked for.
  static let documents: [String: Value] = {
    // The bytes are our own, so this cannot fail; a test reads them.
    let document = try? JSONText.parse(PackageResources.metaschemas_json).value
    return document?.objectValue ?? [:]
  }()
}
