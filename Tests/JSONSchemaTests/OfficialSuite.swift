import Foundation
import HCL
import JSONSchema
import Testing

/// The files of the JSON Schema Test Suite, see its README.
enum OfficialSuite {
  struct File: Sendable, CustomTestStringConvertible {
    let draft: JSONSchema.Draft
    let name: String

    var testDescription: String { "\(draft == .draft7 ? "draft7" : "draft2020-12")/\(name)" }

    func groups() throws -> [Group] {
      try OfficialSuite.read(OfficialSuite.folder.appending(path: testDescription)).arrayValue?.map(Group.init) ?? []
    }
  }

  struct Group {
    let description: String
    let schema: Value
    let tests: [(description: String, value: Value, isValid: Bool)]

    init(_ group: Value) {
      description = group["description"]?.stringValue ?? ""
      schema = group["schema"] ?? .null
      tests = (group["tests"]?.arrayValue ?? []).map {
        ($0["description"]?.stringValue ?? "", $0["data"] ?? .null, $0["valid"] == .bool(true))
      }
    }
  }

  static let folder = Bundle.module.bundleURL.appending(path: "Suite")

  static let files: [File] = [("draft7", JSONSchema.Draft.draft7), ("draft2020-12", .draft2020)].flatMap {
    name, draft in
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: name).path)) ?? []
    return names.sorted().map { File(draft: draft, name: $0) }
  }

  /// What the tests refer to, by URI.
  static let remotes: [String: Value] = {
    let remotes = folder.appending(path: "remotes")
    var documents: [String: Value] = [:]
    for path in FileManager.default.enumerator(atPath: remotes.path)?.compactMap({ $0 as? String }) ?? []
    where path.hasSuffix(".json") {
      documents["http://localhost:1234/\(path)"] = try? read(remotes.appending(path: path))
    }
    return documents
  }()

  static func read(_ file: URL) throws -> Value {
    try JSONText.parse(try Data(contentsOf: file)).value
  }
}
