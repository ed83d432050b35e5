import Foundation
import Processes
import TestKit
import Testing

/// Inputs arrive in Terraform as the text they are, and sensitive ones arrive nowhere else.
struct InputTests {
  private static let hostile = [
    #"plain "quotes" and 'others' \ \\ \n \u0041 \\" end"#,
    "line one\nline two\r\n\ttabbed\n\n",
    "${var.text} ${path.module} $${escaped} $${ ${file(\"/etc/passwd\")}",
    "%{ if true }yes%{ endif } %%{literal} %{ %%{",
    "ünïcödé 日本語 🚀 e\u{301} \u{2028} \u{FEFF} עברית",
    "<<EOT\nheredoc\nEOT\n# comment // and /* more */",
    " leading and trailing ", "", "true", "null", "00123", "1e3", "~",
  ]

  @Test(.timeLimit(.minutes(1)))
  func hostileTextsArriveAsTheyAre() async throws {
    try await DevServer.run { dev in
      let texts = Self.hostile
      let text = texts.joined(separator: "\n--\n")
      let map = JSON.object(Dictionary(uniqueKeysWithValues: texts.map { ("key \($0)", JSON.string($0)) }))
      let list = JSON.array(texts.map(JSON.string))
      let file = dev.folder.file("echo.txt")
      let run = try await dev.deploy(
        Blueprint.of(
          "echo", named: "echo", ["text": .string(text), "list": list, "map": map, "file": .string(file.path)]))

      let outputs = try await dev.summary(run)["outputs"]
      #expect(outputs["text"]["value"] == .string(text))
      #expect(outputs["list"]["value"] == list)
      #expect(outputs["map"]["value"] == map)
      #expect(try String(contentsOf: file, encoding: .utf8) == text, "what a program that Terraform started was given")
      let shown = try await dev.shows("echo", ["terraform_status": "applied"])
      #expect(shown["inputs"]?["map"] == map && shown["inputs"]?["text"] == .string(text))
      #expect(shown["outputs"]?["map"] == map && shown["outputs"]?["list"] == list)
    }
  }

  /// Terraform quotes the line in which a variable was given a value that its validation refuses.
  @Test(.timeLimit(.minutes(1)))
  func aSensitiveInputThatIsRefusedIsNotQuoted() async throws {
    try await DevServer.run(["--log-level", "trace"]) { dev in
      let marker = "s3cr3t-\(UUID().uuidString)"
      let run = try await dev.submit(Blueprint.of("guarded", named: "guarded", ["password": .string(marker)]))
      try await dev.ask("plan", run)
      try await dev.until(run, is: "plan_failed")
      let shown = try await dev.shows("guarded", ["terraform_status": "plan_failed"])
      #expect(shown["last_error"]?.string?.contains("too short") == true, "\(shown)")
      let logs = try await dev.porc.get("/runs/\(run)/logs").expecting(200).text
      #expect(logs.contains("The password is too short."))
      let said = [
        logs, try await dev.summary(run).data.text, try JSON.object(shown).data.text,
        try await dev.pine("logs", "--run-id", run).exiting(0).output,
        try await dev.porc.get("/events").text, try String(contentsOf: dev.log, encoding: .utf8),
      ]
      for text in said { #expect(!text.contains(marker), "\(text)") }
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func whatTerraformMaySeeOfTheEnvironmentIsInNoLog() async throws {
    let secret = "cl0ud-\(UUID().uuidString)"
    let dev = try await DevServer.start(
      ["--log-level", "trace", "--worker-env", "CLOUD_SECRET"], environment: ["CLOUD_SECRET": secret])
    try await dev.deploy(Blueprint.service(named: "clouded"))
    try await dev.server.stop()
    #expect(try !String(contentsOf: dev.log, encoding: .utf8).contains(secret))
  }

  private static let plain = "not-a-secret-at-all"

  @Test(.timeLimit(.minutes(1)))
  func aSensitiveInputIsUsedAndFoundNowhere() async throws {
    let marker = "s3cr3t-\(UUID().uuidString)"
    let other = "0th3r-\(UUID().uuidString)"
    let password = #"\#(marker) ${x} %{y} "q" \ ü"# + "\nsecond line"
    let keys: JSON = [#"${a}"b"#: [.string(other), "x"]]
    let dev = try await DevServer.start(["--log-level", "trace"])
    do {
      func blueprint(_ text: String) -> JSON {
        Blueprint.of("vault", named: "vault", ["password": .string(password), "keys": keys, "text": .string(text)])
      }
      var said: [API.Answer] = []
      let submitted = try await dev.porc.post("/runs", blueprint(Self.plain), headers: ["Idempotency-Key": "v-1"])
        .expecting(201)
      let run = try #require(submitted.json["run_id"].string)
      said.append(submitted)
      #expect(submitted.json["inputs"]["password"] == ["sensitive": true])
      try await dev.plan(run)
      said.append(try await dev.porc.get("/runs/\(run)/summary"))
      try await dev.plan(run)
      try await dev.apply(run)

      let outputs = try await dev.summary(run)["outputs"]
      #expect(outputs["length"]["value"].number == Double(password.unicodeScalars.count))
      #expect(outputs["hash"]["value"] == .string(try await Self.sha256(password)))
      #expect(outputs["keys_hash"]["value"] == .string(try await Self.sha256(#"{"${a}\"b":["\#(other)","x"]}"#)))
      #expect(outputs["password"] == ["sensitive": true])

      // Planned again with nothing new, then changed, then refused for its type: always the same silence.
      let second = try await dev.deploy(blueprint("second"))
      said.append(
        try await dev.porc.post(
          "/runs", Blueprint.of("vault", named: "vault", ["password": ["a": .string(marker)], "keys": .string(other)])
        ).expecting(422))
      let removal = try await dev.planDestroy("vault")
      try await dev.apply(removal)
      try await dev.shows("vault", ["terraform_status": "destroyed"])

      for path in ["/runs", "/instances", "/instances/vault", "/events?limit=1000", "/templates", "/metrics"] {
        said.append(try await dev.porc.get(path).expecting(200))
      }
      for run in [run, second, removal] {
        for part in ["", "/status", "/events", "/logs"] {
          said.append(try await dev.porc.get("/runs/\(run)\(part)").expecting(200))
        }
        said.append(try await dev.port.get("/v1/blueprints/blueprint_instance/entities"))
        said.append(
          contentsOf: [
            try await dev.pine("summary", run), try await dev.pine("logs", run),
          ].map { API.Answer(call: $0.call, status: 200, headers: [:], body: Data(($0.output + $0.error).utf8)) })
      }
      for answer in said where answer.text.contains(marker) || answer.text.contains(other) {
        Issue.record("A secret is in the answer to \(answer.call)")
      }
    } catch {
      await dev.server.abandon()
      throw error
    }
    try await dev.server.stop()
    try await Self.search(dev, for: [marker, other])
  }

  /// Looks through everything that PORC and Port wrote, and what TFE logged and was sent. What Terraform itself keeps (its
  /// states and its plans) is the vault that such values belong in, and TFE's own list of variables.
  private static func search(_ dev: DevServer, for secrets: [String]) async throws {
    let files = try #require(FileManager.default.enumerator(atPath: dev.folder.path)).compactMap { $0 as? String }
      .filter { FileManager.default.isRegularFile(dev.folder.file($0).path) }
    let own = files.filter { !$0.hasPrefix("data/tfe/") && !$0.hasPrefix("templates/") }
    #expect(own.contains("porc.log") && own.contains("data/porc.sqlite") && own.contains("data/port/journal"))
    let logged = files.filter { $0.hasPrefix("data/tfe/") && ($0.contains("requests.jsonl") || $0.hasSuffix("log")) }
    #expect(logged.count >= 3, "\(files.filter { $0.hasPrefix("data/tfe/") })")
    let paths = (own + logged).map { dev.folder.file($0).path }
    // What is no secret is found this way.
    let plain = try await run("grep", ["-lF", "-e", Self.plain, "--"] + paths)
    #expect(plain.outputText.contains("data/porc.sqlite") && plain.outputText.contains("data/port/"))
    let found = try await run("grep", ["-lF"] + secrets.flatMap { ["-e", $0] } + ["--"] + paths)
    #expect(found.status == .exited(1) && found.outputText.isEmpty, "in \(found.outputText)")

    let bundles = files.filter { $0.hasPrefix("data/tfe/archives/") }
    #expect(bundles.count >= 2)
    for bundle in bundles {
      let unpacked = try await run("tar", ["-xzOf", dev.folder.file(bundle).path])
      #expect(unpacked.status.isSuccess && unpacked.outputText.contains("sensitive = true"))
      for secret in secrets where unpacked.outputText.contains(secret) {
        Issue.record("A secret is in the bundle \(bundle)")
      }
    }
  }

  private static func run(_ program: String, _ arguments: [String]) async throws -> Command.Captured {
    try await Command(program, arguments, environment: Executable.environment()).capture()
  }

  private static func sha256(_ text: String) async throws -> String {
    let sum = try await Command(
      "sh", ["-c", #"printf %s "$TEXT" | sha256sum | cut -d ' ' -f 1"#],
      environment: Executable.environment(["TEXT": text])
    ).capture()
    return sum.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension FileManager {
  func isRegularFile(_ path: String) -> Bool {
    (try? attributesOfItem(atPath: path)[.type] as? FileAttributeType) == .typeRegular
  }
}

extension Data {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
