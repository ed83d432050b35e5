import PorcCore
import Testing

@Suite struct FaultTests {
  /// The table of the API and of the command line.
  static let table: [Fault.Code: (status: Int, exit: Int32)] = [
    .malformedRequest: (400, 6), .invalidInput: (422, 6), .idempotencyKeyReused: (422, 5), .notSignedIn: (401, 3),
    .forbidden: (403, 3), .tooLarge: (413, 6), .notFound: (404, 4), .methodNotAllowed: (405, 4),
    .unsupportedMediaType: (415, 4), .wrongState: (409, 5), .planSuperseded: (409, 5), .approvalMissing: (409, 5),
    .stillRunning: (409, 7), .rateLimited: (429, 7), .busy: (503, 7), .upstreamFailed: (502, 7),
    .unreachable: (502, 7), .bug: (500, 70),
  ]

  @Test(arguments: Fault.Code.allCases) func everyCodeHasItsStatusAndItsExit(code: Fault.Code) {
    #expect(Self.table[code]?.status == code.status)
    #expect(Self.table[code]?.exit == code.exitStatus.rawValue)
  }

  @Test func theNamesAreThoseOfTheContract() {
    #expect(
      Fault.Code.allCases.map(\.rawValue) == [
        "malformed-request", "invalid-input", "idempotency-key-reused", "not-signed-in", "forbidden", "too-large",
        "not-found", "method-not-allowed", "unsupported-media-type", "wrong-state", "plan-superseded",
        "approval-missing", "still-running", "rate-limited", "busy", "upstream-failed", "unreachable", "bug",
      ])
    #expect(Fault.ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 64, 70, 130])
  }

  @Test(arguments: Refusal.Reason.allCases) func aRefusalBecomesItsFault(reason: Refusal.Reason) {
    let fault = Refusal(reason, "No.", fix: "Yes.", supersededBy: "run-2").fault
    let code: Fault.Code =
      switch reason {
      case .wrongState: .wrongState
      case .planSuperseded: .planSuperseded
      case .approvalMissing: .approvalMissing
      case .notAllowed: .forbidden
      case .notFound: .notFound
      }
    #expect(fault.code == code)
    #expect(fault.message == "No." && fault.fix == "Yes." && fault.supersededBy == "run-2")
  }

  @Test(arguments: Fault.Code.allCases) func aProblemDocumentCarriesTheFault(code: Fault.Code) {
    let finding = Finding(at: "/inputs/region", "No region.", line: 3, column: 5)
    let problem = ProblemDocument(Fault(code, "No.", fix: "Yes.", findings: [finding], supersededBy: "run-2"))
    #expect(problem.type == "https://porc.dev/problems/\(code.rawValue)")
    #expect(problem.status == code.status)
    #expect(problem.fault.code == code)
    #expect(problem.fault.findings == [finding] && problem.fault.supersededBy == "run-2")
  }

  @Test func anUnknownTitleCountsByItsStatus() {
    var problem = ProblemDocument(Fault(.notFound, "No."))
    problem.title = "something-new"
    #expect(problem.fault.code == .notFound)
    problem.status = 418
    #expect(problem.fault.code == .bug)
  }

  @Test func everyScopeMayReadAndAdminMayEverything() {
    for scope in Scope.allCases {
      #expect(Scope.read.isGranted(by: [scope]))
      #expect(scope.isGranted(by: [.admin]))
      #expect(scope.isGranted(by: [scope]))
      #expect(!scope.isGranted(by: []))
      if scope != .read, scope != .admin { #expect(!Scope.approve.isGranted(by: [scope]) || scope == .approve) }
    }
  }
}
