import Foundation
import HCL

/// An OpenAPI document as a test looks at it.
struct APIDocument {
  let root: Value

  struct Operation {
    var method: String
    var path: String
    var body: Value
    var name: String { "\(method) \(path)" }
  }

  init(_ bytes: [UInt8]) throws {
    root = try JSONText.parse(bytes).value
  }

  var paths: [String: Value] { root["paths"]?.objectValue ?? [:] }

  var operations: [Operation] {
    paths.flatMap { path, item in
      ["get", "put", "post", "delete", "patch"].compactMap { method in
        item[method].map { Operation(method: method.uppercased(), path: path, body: $0) }
      }
    }
  }

  /// Every `$ref` there is.
  var references: [String] {
    func references(_ value: Value) -> [String] {
      switch value {
      case .array(let elements): elements.flatMap(references)
      case .object(let members):
        members.flatMap { key, value in key == "$ref" ? value.stringValue.map { [$0] } ?? [] : references(value) }
      default: []
      }
    }
    return references(root)
  }

  /// What a reference within the document leads to: `#` and a JSON pointer (RFC 6901), percent-encoded.
  func resolve(_ reference: String) -> Value? {
    guard reference.hasPrefix("#"), let pointer = reference.dropFirst().removingPercentEncoding else { return nil }
    return pointer.split(separator: "/").reduce(root) { (value: Value?, step) in
      let key = String(step.replacing("~1", with: "/").replacing("~0", with: "~"))
      return value?[key] ?? Int(key).flatMap { value?[$0] }
    }
  }

  /// The value itself, or what it refers to.
  func followed(_ value: Value) -> Value? {
    guard let reference = value["$ref"]?.stringValue else { return value }
    return resolve(reference)
  }

  // MARK: Schemas

  /// An object in an example, with what its schema says of it.
  struct Place {
    var path: [PathStep]
    var members: [String: Value]
    /// The names that the schema lists.
    var properties: Set<String>
    var required: Set<String>
  }

  /// The objects in an example whose members their schema lists.
  func objects(in example: Value, _ schema: Value) -> [Place] { objects(in: example, schema, []) }

  private func objects(in example: Value, _ schema: Value, _ path: [PathStep]) -> [Place] {
    let schema = described(schema)
    switch example {
    case .array(let elements):
      guard let items = schema["items"] else { return [] }
      return elements.enumerated().flatMap { objects(in: $1, items, path + [.index($0)]) }
    case .object(let members):
      let (properties, required) = flattened(schema)
      let rest = schema["additionalProperties"] ?? .null
      let inner = members.flatMap { key, value in
        objects(in: value, properties[key] ?? rest, path + [.key(key)])
      }
      guard !properties.isEmpty else { return inner }
      return [Place(path: path, members: members, properties: Set(properties.keys), required: required)] + inner
    default: return []
    }
  }

  /// A schema with its references followed, and the other half of `… or null` left out.
  private func described(_ schema: Value) -> Value {
    let schema = followed(schema) ?? schema
    guard let choices = schema["anyOf"]?.arrayValue, let first = choices.first else { return schema }
    return described(first)
  }

  /// All properties, those of the parts of an `allOf` too.
  private func flattened(_ schema: Value) -> (properties: [String: Value], required: Set<String>) {
    var properties = schema["properties"]?.objectValue ?? [:]
    var required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
    for part in schema["allOf"]?.arrayValue ?? [] {
      let part = flattened(described(part))
      properties.merge(part.properties) { $1 }
      required.formUnion(part.required)
    }
    return (properties, required)
  }
}

extension Value {
  /// The same without the member `key` of the object at `path`.
  func removing(_ key: String, at path: [PathStep]) -> Value {
    guard let step = path.first else {
      guard case .object(var members) = self else { return self }
      members[key] = nil
      return .object(members)
    }
    let rest = Array(path.dropFirst())
    switch (self, step) {
    case (.object(var members), .key(let name)):
      members[name] = members[name]?.removing(key, at: rest)
      return .object(members)
    case (.array(var elements), .index(let index)):
      elements[index] = elements[index].removing(key, at: rest)
      return .array(elements)
    default: return self
    }
  }

  /// An OpenAPI path item without what only one spelling of it has: names and explanations.
  var withoutNames: Value {
    guard case .object(let methods) = self else { return self }
    return .object(
      methods.mapValues { value in
        guard case .object(var members) = value else { return value }
        members["operationId"] = nil
        members["description"] = nil
        return .object(members)
      })
  }
}
