import Foundation
import HCL
import JSONSchema
import Synchronization

/// The OpenAPI document that Port publishes, to hold requests and answers against.
///
/// Requests are taken strictly, path, query and body. Of answers more is allowed, as the real Port gives it: statuses
/// that the document does not have, the stamps and the blueprint of entities, and 200 where it only has 201. Branches of
/// Port's `oneOf` are not always exclusive, so one that fits is enough. What the document does not have at all
/// (``isDeclared(_:_:)``) has problems of its own to be looked at.
public final class PortContract: Sendable {
  /// Reads the document, which lies with the tests.
  public init() throws {
    let file = URL(filePath: #filePath).appending(path: "../../Contracts/port-openapi.json").standardized
    let document = try JSONText.parse(try Data(contentsOf: file)).value
    paths = document["paths"]?.objectValue ?? [:]
    requests = Self.relaxed(document, isAnswer: false)
    answers = Self.relaxed(document, isAnswer: true)
  }

  private let paths: [String: Value]
  private let requests: Value
  private let answers: Value
  private let compiled = Mutex<[String: JSONSchema]>([:])

  /// Whether the document has an operation.
  ///
  /// - Parameter target: path and query as they are sent.
  public func isDeclared(_ method: String, _ target: String) -> Bool { operation(method, target) != nil }

  /// What is wrong with a request; nothing where it is as the document says.
  public func problems(ofRequest method: String, _ target: String, body: [UInt8]) -> [String] {
    guard let operation = operation(method, target) else { return ["\(method) \(target) is not declared"] }
    var problems = queryProblems(target, operation.value)
    let declared = operation.value["requestBody"]
    if body.isEmpty {
      if declared?["required"]?.boolValue == true { problems.append("the body is missing") }
    } else if schema(in: declared) != nil {
      problems += self.problems(body, operation.pointer + "/requestBody", in: requests, "requests")
    } else {
      problems.append("a body is not declared")
    }
    return problems.map { "\(method) \(target): \($0)" }
  }

  /// What is wrong with an answer.
  public func problems(ofAnswer status: Int, to method: String, _ target: String, body: [UInt8]) -> [String] {
    guard let operation = operation(method, target) else { return ["\(method) \(target) is not declared"] }
    let responses = operation.value["responses"]
    // Every 2xx is one of the declared ones, see above.
    let code = [String(status), "200", "201", "202"].first { code in
      responses?[code] != nil && (code == String(status) || (200..<300).contains(status))
    }
    let problems: [String]
    if let code, schema(in: responses?[code]) != nil {
      problems = self.problems(
        body, operation.pointer + "/responses/\(code)", in: answers, "answers")
    } else {
      problems = undeclaredProblems(status, body)
    }
    return problems.map { "\(method) \(target) -> \(status): \($0)" }
  }

  /// Of an answer whose status the document does not have, or has without a schema.
  private func undeclaredProblems(_ status: Int, _ body: [UInt8]) -> [String] {
    guard let document = try? JSONText.parse(Data(body)).value else { return ["the body is not JSON"] }
    if (200..<300).contains(status) { return document["ok"]?.boolValue == true ? [] : ["'ok' is not true"] }
    guard document["ok"]?.boolValue == false, document["error"]?.stringValue != nil,
      document["message"]?.stringValue != nil
    else { return ["the body is not {ok: false, error, message}"] }
    return []
  }

  // MARK: Operations

  /// An operation and the JSON pointer to it. Literal segments win over parameters.
  private func operation(_ method: String, _ target: String) -> (value: Value, pointer: String)? {
    let segments = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
    let fitting = paths.keys.filter { template in
      let parts = template.split(separator: "/", omittingEmptySubsequences: false)
      return parts.count == segments.count && paths[template]?[method.lowercased()] != nil
        && zip(parts, segments).allSatisfy { $0 == $1 || ($0.hasPrefix("{") && !$1.isEmpty) }
    }
    guard let template = fitting.min(by: { Self.parameters($0) < Self.parameters($1) }),
      let value = paths[template]?[method.lowercased()]
    else { return nil }
    return (value, "/paths/" + Self.token(template) + "/" + method.lowercased())
  }

  private static func parameters(_ template: String) -> Int { template.count { $0 == "{" } }

  private static func token(_ name: String) -> String {
    // A pointer in a URI: `{` and `}` are not allowed there as they are.
    name.replacing("~", with: "~0").replacing("/", with: "~1").replacing("{", with: "%7B").replacing("}", with: "%7D")
  }

  private func queryProblems(_ target: String, _ operation: Value) -> [String] {
    let query = target.drop { $0 != "?" }.dropFirst()
    let declared = (operation["parameters"]?.arrayValue ?? []).filter { $0["in"]?.stringValue == "query" }
    return query.split(separator: "&").compactMap { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0]).replacing("%5B%5D", with: "").replacing("[]", with: "")
      guard let schema = declared.first(where: { $0["name"]?.stringValue == name })?["schema"] else {
        return "the parameter \(name) is not declared"
      }
      let text = parts.count > 1 ? String(parts[1]) : ""
      let isFine =
        switch schema["type"]?.stringValue {
        case "boolean": ["true", "false"].contains(text)
        case "number", "integer": Double(text) != nil
        default: schema["enum"]?.arrayValue.map { $0.contains(.string(text)) } ?? true
        }
      return isFine ? nil : "the parameter \(name) is '\(text)'"
    }
  }

  // MARK: Schemas

  private func schema(in content: Value?) -> Value? { content?["content"]?["application/json"]?["schema"] }

  private func problems(
    _ body: [UInt8], _ pointer: String, in document: Value, _ name: String
  ) -> [String] {
    guard let value = try? JSONText.parse(Data(body)).value else { return ["the body is not JSON"] }
    let reference = "https://port.test/\(name).json#\(pointer)/content/application~1json/schema"
    do {
      let schema = try compiled.withLock { compiled in
        if let known = compiled[reference] { return known }
        let new = try JSONSchema(
          ["$ref": .string(reference)], documents: ["https://port.test/\(name).json": document])
        compiled[reference] = new
        return new
      }
      return schema.violations(of: value).map { "\(ValuePath($0.path)) \($0.message)" }
    } catch {
      return ["the schema cannot be read: \(error)"]
    }
  }

  /// The document with what ``PortContract`` allows beyond it.
  private static func relaxed(_ value: Value, isAnswer: Bool) -> Value {
    if let elements = value.arrayValue { return .array(elements.map { relaxed($0, isAnswer: isAnswer) }) }
    guard var members = value.objectValue?.mapValues({ relaxed($0, isAnswer: isAnswer) }) else { return value }
    if members["oneOf"]?.arrayValue != nil, members["anyOf"] == nil {
      members["anyOf"] = members.removeValue(forKey: "oneOf")
    }
    let properties = members["properties"]?.objectValue ?? [:]
    if isAnswer, members["additionalProperties"]?.boolValue == false,
      ["identifier", "properties", "relations"].allSatisfy({ properties[$0] != nil })
    {
      let beyond = ["blueprint", "createdAt", "createdBy", "updatedAt", "updatedBy"]
      members["properties"] = .object(properties.merging(beyond.map { ($0, .bool(true)) }) { own, _ in own })
    }
    return .object(members)
  }
}
