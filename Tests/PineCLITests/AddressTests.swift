import HTTPTypes
import PorcCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AddressTests {
  private let shell: Shell

  init() throws {
    shell = try Shell()
    shell.porc.always("GET /run/porc-1/status") { _ in .json(Wire.Run(state: .built).status) }
  }

  private func status(
    _ arguments: [String] = [], _ environment: [String: String] = [:], in folder: String? = nil
  ) async -> Shell.Ending {
    await shell.run(["status", "porc-1"] + arguments, environment: environment, in: folder)
  }

  private var token: String? { shell.porc.requests.last?.headers[.authorization] }

  private func developmentFile(_ url: String, in folder: String = ".porc") throws {
    try shell.folder.write(
      #"{"porc":"\#(url)","token_file":"token","tfe":"http://127.0.0.1:2"}"#, to: "\(folder)/dev.json")
    try shell.folder.write("dev-token\n", to: "\(folder)/token")
  }

  @Test func whatPorcDevLeftIsFoundFromAFolderBelow() async throws {
    try await shell.porc.serve { url in
      try developmentFile(url)
      try shell.folder.write("", to: "a/b/c.txt")
      #expect(await status(in: shell.folder.path + "/a/b").status == 0)
      #expect(token == "Bearer dev-token")
    }
  }

  @Test func anotherDataFolderIsNamedByTheEnvironment() async throws {
    try await shell.porc.serve { url in
      try developmentFile("http://127.0.0.1:1")
      try developmentFile(url, in: "elsewhere")
      #expect(await status([], ["PORC_DATA": "elsewhere"]).status == 0)
    }
  }

  @Test func theEnvironmentComesBeforePorcDevAndFlagsBeforeBoth() async throws {
    try await shell.porc.serve { url in
      try developmentFile("http://127.0.0.1:1")
      #expect(await status([], ["PORC_URL": url, "PORC_TOKEN": "mine"]).status == 0)
      #expect(token == "Bearer mine")
      try shell.folder.write("  from-a-file \n", to: "my-token")
      let wrong = ["PORC_URL": "http://127.0.0.1:1", "PORC_TOKEN": "mine"]
      #expect(await status(["--porc-url", url + "/", "--token-file", "my-token"], wrong).status == 0)
      #expect(token == "Bearer from-a-file")
    }
  }

  @Test func porcDevsTokenIsForThatPorcAlone() async throws {
    try await shell.porc.serve { url in
      try developmentFile("http://127.0.0.1:1")
      let ending = await status([], ["PORC_URL": url])
      #expect(ending.status == 3)
      #expect(ending.error.contains("PORC_TOKEN"))
      #expect(shell.porc.calls.isEmpty)
    }
  }

  @Test func aFolderCannotLeadTheTokenAway() async throws {
    try developmentFile("https://evil.example")
    let ending = await status([], ["PORC_TOKEN": "mine"])
    #expect(ending.status == 64)
    #expect(ending.error.contains("not on this machine"))
  }

  @Test func withoutAnyAddressItSaysWhereToPutOne() async throws {
    let ending = await status()
    #expect(ending.status == 64)
    #expect(ending.error.contains("PORC_URL"))
  }

  @Test(arguments: [
    "http://porc.example", "http://127.0.0.1.evil.example", "http://localhost.example", "http://10.0.0.1:8800",
  ])
  func theTokenIsRefusedOverPlainHTTP(url: String) async throws {
    let ending = await status([], ["PORC_URL": url, "PORC_TOKEN": "mine"])
    #expect(ending.status == 64)
    #expect(ending.error.contains("is not encrypted"))
    #expect(ending.error.contains("PORC_ALLOW_HTTP=1"))
  }

  @Test(arguments: [
    "porc.example", "ftp://porc.example", "https://user:pw@porc.example", "https://", "https://porc.example/?a=b",
  ])
  func whatIsNoAddressIsSaidSo(url: String) async throws {
    let ending = await status([], ["PORC_URL": url, "PORC_TOKEN": "mine"])
    #expect(ending.status == 64)
    #expect(ending.error.contains("is no address of PORC"))
  }

  @Test(arguments: ["", "two words", "line\nbreak", "naïve"])
  func whatIsNoTokenIsNotSent(text: String) async throws {
    try shell.folder.write(text, to: "token")
    let ending = await status(["--token-file", "token"], ["PORC_URL": "http://127.0.0.1:1"])
    #expect(ending.status == 3)
    #expect(!ending.error.contains("naïve"))
  }
}
