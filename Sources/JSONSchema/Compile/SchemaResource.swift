import HCL

/// A place in one of the documents.
struct SchemaPlace: Hashable {
  let document: Int
  /// A JSON pointer from the root of the document.
  let pointer: String

  func appending(_ token: some StringProtocol) -> SchemaPlace {
    SchemaPlace(document: document, pointer: pointer + ValuePath([.key(String(token))]).jsonPointer)
  }

  /// The place around this one; nil for the root.
  var parent: SchemaPlace? {
    pointer.unicodeScalars.lastIndex(of: "/").map { SchemaPlace(document: document, pointer: String(pointer[..<$0])) }
  }
}

/// A schema with a URI of its own, and what is inside it up to the next such schema.
struct SchemaResource: Sendable {
  /// The URI that references inside it start from.
  let base: String
  let document: Int
  /// Where in the document it begins.
  let pointer: String
  let dialect: SchemaDialect
  /// By name, where in the document.
  var anchors: [String: String] = [:]
  var dynamicAnchors: Set<String> = []
  /// The compiled schemas of `dynamicAnchors`.
  var dynamicNodes: [String: Int] = [:]

  var place: SchemaPlace { SchemaPlace(document: document, pointer: pointer) }
}

/// How the keywords of a resource are to be read.
struct SchemaDialect: Sendable, Hashable {
  let draft: JSONSchema.Draft
  var appliesSchemas = true
  var validates = true
  var seesUnevaluated = true

  init(_ draft: JSONSchema.Draft) {
    self.draft = draft
  }

  /// Keywords whose value is one schema.
  var schemaKeywords: [String] {
    switch draft {
    case .draft7:
      ["additionalItems", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"]
    case .draft2020:
      [
        "additionalProperties", "propertyNames", "items", "contains", "unevaluatedItems", "unevaluatedProperties",
        "not", "if",
        "then", "else", "contentSchema",
      ]
    }
  }

  /// Keywords whose value is an array of schemas.
  var listKeywords: [String] {
    switch draft {
    case .draft7: ["allOf", "anyOf", "oneOf"]
    case .draft2020: ["allOf", "anyOf", "oneOf", "prefixItems"]
    }
  }

  /// Keywords whose value is an object of schemas. `definitions` was only renamed: both drafts may refer into it.
  var mapKeywords: [String] {
    switch draft {
    case .draft7: ["properties", "patternProperties", "definitions"]
    case .draft2020: ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]
    }
  }
}
