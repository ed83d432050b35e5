import HCL
import JSONSchema
import Testing

/// All required tests of the JSON Schema Test Suite, for both drafts. None is excluded.
struct OfficialSuiteTests {
  @Test(arguments: OfficialSuite.files)
  func aValueIsJudgedAsTheSuiteSays(file: OfficialSuite.File) throws {
    for group in try file.groups() {
      let schema: JSONSchema
      do {
        schema = try JSONSchema(group.schema, default: file.draft, documents: OfficialSuite.remotes)
      } catch {
        Issue.record("\(group.description): \(error)")
        continue
      }
      for test in group.tests {
        let violations = schema.violations(of: test.value)
        #expect(violations.isEmpty == test.isValid, "\(group.description): \(test.description): \(violations)")
      }
    }
  }

  @Test(arguments: [(JSONSchema.Draft.draft7, 927), (.draft2020, 1_299)])
  func theSuiteIsWhole(draft: JSONSchema.Draft, count: Int) throws {
    let groups = try OfficialSuite.files.filter { $0.draft == draft }.flatMap { try $0.groups() }
    #expect(groups.reduce(0) { $0 + $1.tests.count } == count)
  }

  /// Each draft's own schema takes all schemas of the suite, so our embedded copies are whole.
  @Test(arguments: OfficialSuite.files)
  func theMetaschemaTakesTheSchemasOfTheSuite(file: OfficialSuite.File) throws {
    let metaschema = try JSONSchema(["$ref": .string(file.draft.rawValue)])
    for group in try file.groups() {
      #expect(metaschema.violations(of: group.schema) == [], "\(group.description)")
    }
  }
}
