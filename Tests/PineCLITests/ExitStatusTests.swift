import HTTPTypes
import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExitStatusTests {
  /// `unreachable` is never sent: it is what `pine` says of an absent PORC.
  @Test(arguments: Fault.Code.allCases.filter { $0 != .unreachable })
  func everyCodeEndsAsTheTableSays(code: Fault.Code) async throws {
    let shell = try Shell()
    shell.porc.always("GET /run/porc-1/status") { _ in Wire.problem(code, "The run is odd.") }
    let ending = try await shell.pine("status", "porc-1")
    #expect(ending.status == code.exitStatus.rawValue)
    #expect(ending.output.isEmpty)
    #expect(ending.error.hasPrefix("error: The run is odd.\n  try: "))
  }

  @Test func anAbsentPorcIsUnreachable() async throws {
    let shell = try Shell()
    // Port 1 of the loopback: nothing listens there.
    let ending = await shell.run(
      ["status", "porc-1"], environment: ["PORC_URL": "http://127.0.0.1:1", "PORC_TOKEN": "t"])
    #expect(ending.status == 7)
    #expect(ending.error.hasPrefix("error: PORC cannot be reached at http://127.0.0.1:1"))
    #expect(shell.clock.slept == [.milliseconds(250), .milliseconds(500), .seconds(1)])
  }

  @Test(arguments: [
    ["status"], ["status", "a", "--run-id", "b"], ["plan", "porc-1", "--json", "--quiet"], ["nonsense"],
    ["plan", "porc-1", "--timeout", "0"], ["override", "porc-1"], ["override", "porc-1", "--reason", " "],
    ["runs", "--state", "sleeping"], ["up", "-"], ["up", "f.yaml", "--no-wait"], ["logs", "a", "--phase", "build"],
  ])
  func wrongUsageIs64(arguments: [String]) async throws {
    let ending = try await Shell().run(arguments)
    #expect(ending.status == 64)
    #expect(ending.output.isEmpty)
    #expect(!ending.error.isEmpty)
  }

  @Test(arguments: [
    "submit", "build", "plan", "apply", "up", "status", "summary", "logs", "watch", "why", "runs", "instances",
    "templates", "approve", "override", "discard", "cancel", "destroy", "doctor",
  ])
  func everyVerbHasHelpWithAnExample(verb: String) async throws {
    let ending = try await Shell().run([verb, "--help"])
    #expect(ending.status == 0)
    #expect(ending.output.contains("Example: pine \(verb)"))
    #expect(ending.error.isEmpty)
  }

  @Test func theVersionIsPrinted() async throws {
    let ending = try await Shell().run(["--version"])
    #expect(ending.status == 0)
    #expect(ending.output == "0.1.0\n")
  }

  @Test func anAnswerThatIsNotPorcsIsSaidSo() async throws {
    let shell = try Shell()
    shell.porc.on("GET /run/porc-1/status", .json("{}"))
    let ending = try await shell.pine("status", "porc-1")
    #expect(ending.status == 70)
    #expect(ending.error.contains("pine doctor"))
  }

  @Test func aRedirectIsNotFollowed() async throws {
    let shell = try Shell()
    shell.porc.on("GET /run/porc-1/status", .status(302, headers: [.location: "http://elsewhere.example/"]))
    let ending = try await shell.pine("status", "porc-1")
    #expect(ending.status == 70)
    #expect(ending.error.contains("redirects to http://elsewhere.example/"))
    #expect(shell.porc.calls.count == 1)
  }
}
