import Foundation
import HCL
import PorcCore
import PorcStore
import Testing

@testable import PorcServer

/// The OpenAPI document says what the server does: the same routes and scopes, and bodies that are exactly the types' own.
struct OpenAPITests {
  private static let shared = try? APIDocument(OpenAPIDocument.bytes)
  /// Nil only if it is not even JSON.
  let document = OpenAPITests.shared

  @Test func itIsOpenAPI31() throws {
    let document = try #require(document)
    #expect(document.root["openapi"] == "3.1.0")
    #expect(document.root["info"]?["version"]?.stringValue == PorcVersion.current)
  }

  @Test func itNamesExactlyTheRoutesThatExistWithTheirScopes() async throws {
    let document = try #require(document)
    let routes = try await AssembledServer.routes()
    let existing = Set(
      routes.map { "\($0.method) \($0.path) needs \($0.scope?.rawValue ?? "no token")" })
    let documented = Set(
      document.operations.map { operation in
        "\(operation.method) \(operation.path) needs \(operation.body["x-porc-scope"]?.stringValue ?? "no token")"
      })
    #expect(existing.subtracting(documented).sorted() == [], "not in the document")
    #expect(documented.subtracting(existing).sorted() == [], "not in the server")
  }

  @Test func everyOperationNamesItsScopeAndOnlyThoseWithoutOneNeedNoToken() throws {
    for operation in try #require(document).operations {
      let scope = try #require(operation.body["x-porc-scope"], "\(operation.name)")
      #expect(scope.isNull || scope.stringValue.flatMap(Scope.init) != nil, "\(operation.name)")
      #expect(scope.isNull == (operation.body["security"] == .array([])), "\(operation.name)")
    }
  }

  @Test func everyReferenceLeadsSomewhere() throws {
    let document = try #require(document)
    let references = document.references
    #expect(references.count > 100)
    for reference in Set(references) where document.resolve(reference) == nil {
      Issue.record("\(reference) leads nowhere")
    }
  }

  @Test func everyParameterOfAPathIsDeclared() throws {
    let document = try #require(document)
    for (path, item) in document.paths {
      let declared = (item["parameters"]?.arrayValue ?? []).compactMap { document.followed($0) }
        .filter { $0["in"] == "path" }.compactMap { $0["name"]?.stringValue }
      let named = path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
      #expect(declared == named, "\(path)")
    }
  }

  @Test func bothSpellingsOfARunsPathSayTheSame() throws {
    let document = try #require(document)
    let spoken = document.paths.filter { $0.key.hasPrefix("/runs/") }
    #expect(spoken.count == document.paths.count { $0.key.hasPrefix("/run/") })
    for (path, item) in spoken {
      let other = try #require(document.paths["/run/" + path.dropFirst("/runs/".count)], "\(path)")
      #expect(item.withoutNames == other.withoutNames, "\(path)")
    }
  }

  @Test func operationIdentifiersAreUnique() throws {
    let names = try #require(document).operations.compactMap { $0.body["operationId"]?.stringValue }
    #expect(names.count == Set(names).count)
  }

  @Test func everyProblemIsAnsweredWithTheStatusOfItsCode() throws {
    let document = try #require(document)
    for operation in document.operations {
      for (status, response) in operation.body["responses"]?.objectValue ?? [:] {
        let response = try #require(document.followed(response))
        let codes = (response["x-porc-codes"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(codes.isEmpty == (status < "4"), "\(operation.name) \(status)")
        for code in codes {
          #expect(Fault.Code(rawValue: code).map { String($0.status) } == status, "\(operation.name) \(code)")
        }
      }
    }
  }

  @Test(arguments: [
    ("/components/schemas/RunState/enum", RunState.allCases.map(\.rawValue)),
    (
      "/components/schemas/RunStatus/properties/terraform_status/enum",
      RunState.allCases.map(\.rawValue) + ["destroyed"]
    ),
    ("/components/schemas/Operation/enum", Run.Operation.allCases.map(\.rawValue)),
    ("/components/schemas/TemplateStatus/enum", Template.Status.allCases.map(\.rawValue)),
    ("/components/schemas/Event/properties/type/enum", EventBody.allTypes),
    ("/components/parameters/EventSubject/schema/enum", EventSubject.allCases.map(\.rawValue)),
    ("/components/schemas/Wait/properties/reason/enum", Wait.allNames),
    ("/components/schemas/Token/properties/scopes/items/enum", Scope.allCases.map(\.rawValue)),
    (
      "/components/schemas/ProblemDocument/properties/title/enum",
      Fault.Code.allCases.filter { $0 != .unreachable }.map(\.rawValue)
    ),
  ])
  func closedListsAreThoseOfTheTypes(pointer: String, words: [String]) throws {
    let listed = try #require(document?.resolve("#" + pointer)?.arrayValue)
    #expect(listed.compactMap(\.stringValue) == words)
  }

  /// For every schema that documents a type: its examples decode as that type and come back unchanged, and a property is
  /// required exactly where the type always writes it.
  @Test(arguments: DocumentedType.all)
  func theSchemaIsTheType(type: DocumentedType) throws {
    let document = try #require(document)
    for (example, places) in try type.examples(in: document) {
      #expect(try type.roundTrip(example) == example)
      for place in places {
        for key in place.members.keys {
          let rest = example.removing(key, at: place.path)
          // What cannot be decoded without it, or is written even so, is required.
          let isWritten = (try? type.roundTrip(rest)).map { $0.value(at: place.path)?[key] != nil } ?? true
          #expect(isWritten == place.required.contains(key), "\(type.schema) \(ValuePath(place.path + [.key(key)]))")
        }
      }
    }
  }

  /// So that the test before this one has looked at all of them, and the schema has none that the type lacks.
  @Test func theExamplesHaveEveryPropertyThereIs() throws {
    let document = try #require(document)
    var missing: [Set<String>: Set<String>] = [:]
    for type in DocumentedType.all {
      for place in try type.examples(in: document).flatMap(\.places) {
        missing[place.properties, default: place.properties].subtract(place.members.keys)
      }
    }
    #expect(missing.count > 20)
    for (properties, missing) in missing {
      #expect(missing.sorted() == [], "no example has it, of \(properties.sorted())")
    }
  }
}

/// A body's type and the name of its schema.
struct DocumentedType: Sendable, CustomTestStringConvertible {
  let schema: String
  /// Decodes a value and encodes it again, as the server would.
  let roundTrip: @Sendable (Value) throws -> Value

  var testDescription: String { schema }

  init<Body: Codable & SendableMetatype>(_ schema: String, _: Body.Type) {
    self.schema = schema
    roundTrip = { value in
      let body = try JSONDecoder.porc.decode(Body.self, from: Data(value.json().utf8))
      return try JSONText.parse(Array(try JSONEncoder.porc.encode(body))).value
    }
  }

  /// The examples of its schema, each with the objects in it.
  func examples(in document: APIDocument) throws -> [(example: Value, places: [APIDocument.Place])] {
    let schema = try #require(document.resolve("#/components/schemas/\(schema)"))
    return try #require(schema["examples"]?.arrayValue).map { ($0, document.objects(in: $0, schema)) }
  }

  static let all = [
    DocumentedType("PlanBody", PlanBody.self), DocumentedType("DecisionBody", DecisionBody.self),
    DocumentedType("RunStatus", RunStatus.self), DocumentedType("RunSummary", RunSummary.self),
    DocumentedType("RunList", RunList.self), DocumentedType("Instance", InstanceBody.self),
    DocumentedType("InstanceList", InstanceList.self), DocumentedType("Template", TemplateBody.self),
    DocumentedType("TemplateList", TemplateList.self), DocumentedType("Source", SourceBody.self),
    DocumentedType("EventList", EventList.self), DocumentedType("ProblemDocument", ProblemDocument.self),
  ]
}
