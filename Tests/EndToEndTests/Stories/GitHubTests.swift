import Crypto
import Foundation
import Processes
import TestKit
import Testing

/// Templates in a repository that people push to, as on GitHub, from `git push` to Port.
@Suite struct GitHubTests {
  private static func module(_ text: String) -> String {
    """
    variable "region" { type = string }
    resource "terraform_data" "one" { input = "\(text) in ${var.region}" }
    output "text" { value = terraform_data.one.output }
    """
  }

  @Test(.timeLimit(.minutes(2)))
  func aPushAndASignedWebhookBringANewTemplateToPort() async throws {
    try await withServer { dev, repository, url in
      let added = try await dev.porc.post("/templates/sources", ["name": "platform", "git": .string(url)])
        .expecting(201)
      #expect(added.json["templates"] == 1)
      while try await dev.template("queue-1-0-0")?["properties"]["commit"].string?.count != 40 {}

      // As people push: from a clone of their own, over HTTP.
      let clone = dev.folder.file("clone").path
      try await GitRepository.git(["clone", "--quiet", url, clone])
      try dev.folder.write(Self.module("second"), to: "clone/queue/1.1.0/main.tf")
      try await GitRepository.git(["-C", clone, "add", "."])
      try await GitRepository.git(["-C", clone, "commit", "--quiet", "--message", "queue 1.1.0"])
      try await GitRepository.git(["-C", clone, "push", "--quiet", "origin", "main"])

      let body = #"{"ref": "refs/heads/main", "repository": {"clone_url": "\#(url)"}}"#
      #expect(try await dev.deliver(body, as: "d-1", signedWith: "wrong").status == 401)
      let taken = try await dev.deliver(body, as: "d-2")
      #expect(taken.status == 202 && taken.json["sources"] == ["platform"])
      while try await dev.template("queue-1-1-0") == nil {}
      #expect(try await dev.deliver(body, as: "d-2").json["repeated"] == true)
    }
  }

  /// What was submitted is what is built, whatever happens to the branch meanwhile.
  @Test(.timeLimit(.minutes(2)))
  func aForcePushBetweenSubmitAndBuildChangesNothing() async throws {
    try await withServer { dev, repository, url in
      try await dev.porc.post("/templates/sources", ["name": "platform", "git": .string(url)]).expecting(201)
      let run = try await dev.submit(Blueprint.of("queue", named: "kept", ["region": "eu"]))
      let commit = try await dev.summary(run)["template"]["commit"]
      try await repository.commit(["queue/1.0.0/main.tf": Self.module("forged")], isOrphan: true)
      try await dev.porc.post("/templates/sync").expecting(200)
      while try await dev.template("queue-1-0-0")?["properties"]["commit"] == commit {}

      try await dev.plan(run)
      try await dev.apply(run)
      let summary = try await dev.summary(run)
      #expect(summary["outputs"]["text"]["value"] == "first in eu" && summary["template"]["commit"] == commit)
      // A run that is submitted now builds from what is there now.
      let next = try await dev.deploy(Blueprint.of("queue", named: "kept", ["region": "eu"]))
      #expect(try await dev.summary(next)["outputs"]["text"]["value"] == "forged in eu")
    }
  }

  private func withServer(_ body: (DevServer, GitRepository, _ url: String) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("modules.git").path)
    try await repository.commit(["queue/1.0.0/main.tf": Self.module("first")])
    try await GitHTTPServer(folder: folder.path).serve { url in
      try await DevServer.run(environment: ["GITHUB_WEBHOOK_SECRET": "secret"]) { dev in
        try await body(dev, repository, "\(url)/modules.git")
      }
    }
  }
}

extension DevServer {
  /// A template as Port shows it.
  fileprivate func template(_ id: String) async throws -> JSON? {
    try await entity(id, of: "blueprint_template")
  }

  fileprivate func deliver(_ body: String, as delivery: String, signedWith secret: String = "secret") async throws
    -> API.Answer
  {
    let code = HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8)))
    let signature = Data(code).map { String(format: "%02x", $0) }.joined()
    return try await porc.send(
      "POST /webhooks/github", .bytes(Data(body.utf8), type: "application/json"),
      headers: [
        "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": "sha256=\(signature)",
      ])
  }
}
