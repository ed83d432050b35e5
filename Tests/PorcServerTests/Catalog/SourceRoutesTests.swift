import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// Sources over the API.
struct SourceRoutesTests {
  private static let module = #"variable "region" { type = string }"#

  private func withRepository(
    demanding credentials: String? = nil, _ body: @Sendable (TestServer, GitRepository, String) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("modules.git").path)
    try await repository.commit(["queue/1.0.0/main.tf": Self.module])
    try await GitHTTPServer(folder: folder.path, demanding: credentials).serve { url in
      try await TestServer.run { test in try await body(test, repository, "\(url)/modules.git") }
    }
  }

  private func names(_ test: TestServer) async throws -> [String] {
    try await test.get("/templates").json["templates"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
  }

  @Test func aSourceIsAddedReadAndRemoved() async throws {
    try await withRepository { test, repository, url in
      let added = try await test.post("/templates/sources", #"{"name": "platform", "git": "\#(url)"}"#)
      #expect(added.status == 201, "\(added.text)")
      #expect(added.json["templates"] == 1 && added.json["read_only"] == false && added.json["kind"] == "git")
      #expect(try await names(test).contains("queue-1-0-0"))
      // The same once more is no other.
      #expect(try await test.post("/templates/sources", #"{"name": "platform", "git": "\#(url)"}"#).status == 201)
      let other = try await test.post("/templates/sources", #"{"name": "platform", "git": "\#(url)", "branch": "b"}"#)
      #expect(other.code == "wrong-state" && other.status == 409)

      try await repository.commit(["queue/1.1.0/main.tf": Self.module])
      let synced = try await test.post("/templates/sync?source=platform")
      #expect(synced.json["sources"]?.arrayValue?.map { $0["templates"] } == [2])
      #expect(try await test.post("/templates/sync?source=unknown").status == 404)

      let list = try await test.get("/templates/sources").json["sources"]?.arrayValue ?? []
      #expect(list.compactMap { $0["kind"]?.stringValue }.sorted() == ["folder", "git"])

      #expect(try await test.call("DELETE", "/templates/sources/platform").status == 204)
      #expect(try await !names(test).contains { $0.hasPrefix("queue") })
      #expect(try await test.call("DELETE", "/templates/sources/platform").status == 404)
    }
  }

  /// A host that takes the connection and never answers.
  @Test(.timeLimit(.minutes(1))) func aSourceThatHangsIsAddedAndRemovedAtOnce() async throws {
    try await TestServer.run { test in
      let silent = ScriptedServer { _ in .silence }
      try await silent.serve { url in
        let body = #"{"name": "hang", "git": "\#(url)/modules.git"}"#
        let added = try await test.post("/templates/sources?wait=false", body)
        #expect(added.status == 201)
        while silent.requests.isEmpty { await Task.yield() }
        // Whether it can be read is not known yet.
        let metrics = try await test.get("/metrics").text
        #expect(metrics.contains(#"porc_source_templates{source="hang"} 0"#))
        #expect(!metrics.contains(#"porc_source_up{source="hang"}"#) && metrics.contains("porc_source_up{"))
        let removed = try await test.call("DELETE", "/templates/sources/hang")
        #expect(removed.status == 204)
        let wrong = try await test.post("/templates/sources?wait=perhaps", body)
        #expect(wrong.status == 400)
      }
    }
  }

  @Test func theListOfTemplatesComesInPages() async throws {
    try await withRepository { test, repository, url in
      var files: [String: String?] = [:]
      for version in ["1.9.0", "1.10.0", "2.0.0-rc.1"] { files["queue/\(version)/main.tf"] = Self.module }
      try await repository.commit(files)
      _ = try await test.post("/templates/sources", #"{"name": "platform", "git": "\#(url)"}"#)
      var seen: [String] = []
      var cursor = ""
      repeat {
        let page = try await test.get("/templates?name=queue&limit=3" + (cursor.isEmpty ? "" : "&cursor=\(cursor)"))
          .json
        seen += page["templates"]?.arrayValue?.compactMap { $0["version"]?.stringValue } ?? []
        cursor = page["next_cursor"]?.stringValue ?? ""
        // What is gone meanwhile does not lose the place.
        if !cursor.isEmpty {
          try await repository.commit(["queue/1.9.0": nil])
          _ = try await test.post("/templates/sync")
        }
      } while !cursor.isEmpty
      #expect(seen == ["2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0"])
      let wrong = try await test.get("/templates?cursor=queue")
      #expect(wrong.status == 400 && wrong.json["fix"]?.stringValue?.contains("next_cursor") == true)
    }
  }

  @Test func aTokenIsUsedAndNeverShown() async throws {
    try await withRepository(demanding: "porc:t0p-s3cret") { test, _, url in
      let refused = try await test.post("/templates/sources", #"{"name": "a", "git": "\#(url)"}"#)
      #expect(refused.status == 201 && refused.json["error"]?.stringValue?.isEmpty == false)
      let added = try await test.post(
        "/templates/sources", #"{"name": "b", "git": "\#(url)", "token": "t0p-s3cret", "username": "porc"}"#)
      #expect(added.json["templates"] == 1 && added.json["has_credentials"] == true, "\(added.text)")
      let list = try await test.get("/templates/sources")
      let stored = try await test.server.store.sources()
      for text in [added.text, list.text, "\(stored)", test.log.lines.joined()] {
        #expect(!text.contains("t0p-s3cret"))
      }
      let bytes = try #require(stored.first { $0.name == "b" }?.secret)
      #expect(bytes.range(of: Data("t0p-s3cret".utf8)) == nil)
    }
  }

  @Test(arguments: [
    (#"{"name": "a", "git": "https://user:pw@example.com/a.git"}"#, "/git"),
    (#"{"name": "a", "git": "ext::sh -c id"}"#, "/git"),
    (#"{"name": "a", "git": "/etc"}"#, "/git"),
    (#"{"name": "a", "git": "--upload-pack=id"}"#, "/git"),
    (#"{"name": "a", "registry": "example.com", "modules": ["x"]}"#, "/modules/0"),
    (#"{"name": "a", "git": "https://example.com/a.git", "token": "two\nlines"}"#, "/token"),
    (#"{"name": "a", "registry": "user:pw@example.com", "modules": ["a/b/c"]}"#, "/registry"),
    (#"{"name": "a", "registry": "exa mple", "modules": ["a/b/c"]}"#, "/registry"),
    (#"{"name": "a", "folder": "/etc"}"#, "/folder"),
    (#"{"git": "https://example.com/a.git"}"#, "/name"),
  ])
  func whatIsWrongIsRefusedAndNothingIsAdded(body: String, pointer: String) async throws {
    try await TestServer.run { test in
      let reply = try await test.post("/templates/sources", body)
      #expect(reply.status == 422 && reply.code == "invalid-input", "\(reply.text)")
      #expect(
        reply.json["findings"]?.arrayValue?.contains { $0["pointer"]?.stringValue == pointer } == true, "\(reply.text)")
      #expect(!reply.text.contains("user:pw"))
      #expect(try await test.get("/templates/sources").json["sources"]?.arrayValue?.count == 1)
    }
  }

  @Test func whatTheConfigurationNamesIsChangedThere() async throws {
    try await TestServer.run { test in
      let name = "folder:\(test.templates.path)"
      let encoded = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      let reply = try await test.call("DELETE", "/templates/sources/\(encoded)")
      #expect(reply.status == 409 && reply.json["fix"]?.stringValue?.contains("configuration") == true, "\(reply.text)")
    }
  }

  @Test func theSameAddedAtOnceIsAddedOnceForEverybody() async throws {
    try await withRepository { test, _, url in
      let statuses = try await withThrowingTaskGroup { group in
        for _ in 0..<20 {
          group.addTask { try await test.post("/templates/sources", #"{"name": "platform", "git": "\#(url)"}"#) }
        }
        return try await group.reduce(into: []) { $0.append(($1.status, $1.json["templates"])) }
      }
      #expect(statuses.count == 20 && statuses.allSatisfy { $0 == (201, 1) }, "\(statuses)")
    }
  }

  /// Who removes and adds at once ends nobody's removal, and gets no answer that says nothing.
  @Test(.timeLimit(.minutes(1))) func removingAndAddingAtOnceIsDoneEachTime() async throws {
    try await withRepository { test, _, url in
      let body = #"{"name": "platform", "git": "\#(url)"}"#
      for _ in 0..<8 {
        try await withThrowingTaskGroup { group in
          for _ in 0..<3 {
            group.addTask {
              let reply = try await test.call("DELETE", "/templates/sources/platform")
              #expect([204, 404].contains(reply.status), "\(reply.text)")
            }
            group.addTask {
              let reply = try await test.post("/templates/sources", body)
              // Somebody else may have removed it meanwhile.
              let isRead = reply.status == 201 && reply.json["synced_at"] != nil
              #expect(isRead || reply.status == 404, "\(reply.text)")
            }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func whatARemovedSourceHadAnotherHasAtOnce() async throws {
    try await withRepository { test, _, url in
      for name in ["first", "second"] {
        let added = try await test.post("/templates/sources", #"{"name": "\#(name)", "git": "\#(url)"}"#)
        #expect(added.json["templates"] == (name == "first" ? 1 : 0))
      }
      #expect(try await test.call("DELETE", "/templates/sources/first").status == 204)
      let start = ContinuousClock.now
      while try await test.get("/templates/queue-1-0-0").status != 200 {}
      #expect(start.duration(to: .now) < .seconds(20), "the time between two looks is 30 seconds")
    }
  }

  /// What was read before is in the database: nobody waits for it.
  @Test(.timeLimit(.minutes(1))) func aSourceThatWasReadBeforeKeepsNoServerFromBeingReady() async throws {
    let data = try TemporaryFolder()
    let path = data.file("porc.sqlite").path
    let store = try SQLiteStore.open(path: path)
    try await store.noteSource("platform", fingerprint: "", report: SourceReport(templates: 1, syncedAt: Date()))
    try await store.close()
    let silent = ScriptedServer { _ in .silence }
    try await silent.serve { url in
      let start = ContinuousClock.now
      try await TestServer.run {
        $0.databasePath = path
        $0.catalog.sources = [SourceDescription(source: TemplateSource(name: "platform", place: .git("\(url)/a.git")))]
      } _: { test in
        #expect(start.duration(to: .now) < .seconds(10))
        let ready = try await test.get("/readyz")
        #expect(ready.status == 200)
      }
    }
  }

  @Test func aServerThatIsNotReadySaysWhatItWaitsFor() async throws {
    let data = try TemporaryFolder()
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    let readiness = Readiness(store: store)
    readiness.wait(for: ["platform", "folder:/srv/secret"])
    let fault = await #expect(throws: Fault.self) { try await readiness.require() }
    #expect(
      fault?.message == "PORC is starting: it looks for the first time at the folders of templates, 'platform'.")
    try await store.close()
  }
}
