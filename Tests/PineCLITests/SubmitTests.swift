import HTTPTypes
import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SubmitTests {
  private let shell: Shell

  init() throws {
    shell = try Shell()
    try shell.folder.write("kind: web\n", to: "web.yaml")
    try shell.folder.write(#"{"kind":"web"}"#, to: "web.json")
    try shell.folder.write(" {\"kind\":\"web\"}", to: "blueprint")
    shell.summary(Wire.Run(state: .submitted))
  }

  private func accept(_ run: Wire.Run = Wire.Run(state: .submitted)) {
    shell.porc.on("POST /runs", .json(run.summary, status: 201))
  }

  @Test func onlyTheIdGoesToStandardOutput() async throws {
    accept(
      Wire.Run(
        state: .submitted,
        extra: [
          "warnings":
            #"[{"severity":"warning","pointer":"/inputs/size","message":"'size' is big.","line":4,"column":9}]"#
        ]))
    let ending = try await shell.pine("submit", "web.yaml")
    #expect(ending.status == 0)
    #expect(ending.output == "porc-1\n")
    #expect(ending.error.contains("web.yaml:4:9: warning: 'size' is big.\n"))
  }

  @Test(arguments: [
    ("web.yaml", "application/yaml"), ("web.json", "application/json"), ("blueprint", "application/json"),
  ])
  func theFileIsSentAsItIs(file: String, type: String) async throws {
    accept()
    #expect(try await shell.pine("submit", file).status == 0)
    let request = try #require(shell.porc.requests.first)
    #expect(request.headers[.contentType] == type)
    #expect(request.headers[.authorization] == "Bearer secret")
    #expect(request.text.contains("kind"))
  }

  @Test func standardInputIsSubmitted() async throws {
    accept()
    #expect(try await shell.pine("submit", "-", input: "kind: web\n").output == "porc-1\n")
    #expect(shell.porc.requests.first?.text == "kind: web\n")
    #expect(shell.porc.requests.first?.headers[.contentType] == "application/yaml")
  }

  @Test func everyFindingIsPrintedWithLineAndColumn() async throws {
    shell.porc.on(
      "POST /runs",
      Wire.problem(
        .invalidInput, "The blueprint has 2 errors.",
        extra: #","findings":[{"severity":"error","pointer":"/inputs/regoin","message":"There is no input 'regoin'.","#
          + #""fix":"Did you mean 'region'?","line":12,"column":3},"#
          + #"{"severity":"error","pointer":"/metadata/name","message":"A name is missing."}]"#))
    let ending = try await shell.pine("submit", "web.yaml")
    #expect(ending.status == 6)
    #expect(ending.output.isEmpty)
    #expect(
      ending.error == """
        error: The blueprint has 2 errors.
        web.yaml:12:3: error: There is no input 'regoin'.
          try: Did you mean 'region'?
        web.yaml: /metadata/name: error: A name is missing.

        """)
  }

  @Test func aFileThatIsNotThereIsInvalidInput() async throws {
    let ending = try await shell.pine("submit", "nowhere.yaml")
    #expect(ending.status == 6)
    #expect(shell.porc.calls.isEmpty)
  }

  @Test func jsonIsWhatTheAPISaid() async throws {
    accept(Wire.Run(state: .submitted))
    let ending = try await shell.pine("submit", "web.yaml", "--json", "--no-wait")
    #expect(ending.output == Wire.Run(state: .submitted).summary + "\n")
    #expect(ending.error.isEmpty)
  }

  // MARK: Sending again

  @Test func aLostAnswerIsAskedForAgainWithTheSameKey() async throws {
    shell.porc.on("POST /runs", .brokenOff)
    accept()
    let ending = try await shell.pine("submit", "web.yaml")
    #expect(ending.output == "porc-1\n")
    let keys = shell.porc.requests.filter { $0.call == "POST /runs" }.map { $0.headers[.idempotencyKey] }
    #expect(keys.count == 2)
    #expect(keys[0] != nil)
    #expect(keys[0] == keys[1])
  }

  @Test func anotherInvocationHasAnotherKey() async throws {
    accept()
    accept()
    _ = try await shell.pine("submit", "web.yaml")
    _ = try await shell.pine("submit", "web.yaml")
    let keys = shell.porc.requests.filter { $0.call == "POST /runs" }.compactMap { $0.headers[.idempotencyKey] }
    #expect(Set(keys).count == 2)
  }

  @Test(arguments: [429, 503])
  func aBusyPorcIsAskedAgainAfterItsOwnDelay(status: Int) async throws {
    shell.porc.on("POST /runs", .status(status, headers: [.retryAfter: "7"]))
    accept()
    #expect(try await shell.pine("submit", "web.yaml").status == 0)
    #expect(shell.clock.slept.first == .seconds(7))
  }

  @Test func aLongDelayIsNotWaitedFor() async throws {
    shell.porc.on("POST /runs", .status(503, headers: [.retryAfter: "3600"]))
    let ending = try await shell.pine("submit", "web.yaml")
    #expect(ending.status == 7)
    #expect(shell.clock.slept.isEmpty)
  }
}

extension HTTPField.Name {
  static let idempotencyKey = Self("Idempotency-Key") ?? .cookie
}
