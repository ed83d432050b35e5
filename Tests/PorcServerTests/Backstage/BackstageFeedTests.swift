import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// The feed over the wire: who may read it, what it holds, and what a poll costs.
@Suite(.timeLimit(.minutes(1)))
struct BackstageFeedTests {
  private func items(_ reply: TestServer.Reply) -> [Value] { reply.json["items"]?.arrayValue ?? [] }
  private func references(_ reply: TestServer.Reply) -> [String] { items(reply).map(BackstageRules.reference) }

  private static let blueprint = Samples.blueprint("web")

  @Test func itHoldsWhatThereIsAsBackstageTakesIt() async throws {
    try await TestServer.run { test in
      let run = try await test.planned()
      let token = try await test.token("backstage", .read)
      let json = try await test.get("/backstage/\(token)/catalog-info.json", token: "")
      #expect(json.status == 200 && json.header("Content-Type") == "application/json")
      #expect(json.json["next"] == .null)
      #expect(references(json) == ["system:default/porc", "component:default/web-1-0-0", "resource:default/web"])
      #expect(items(json).flatMap(BackstageRules.problems) == [])
      let instance = items(json)[2]
      #expect(instance["metadata"]?["labels"]?["porc.dev/status"] == "planned")
      #expect(instance["metadata"]?["annotations"]?["porc.dev/run-id"]?.stringValue == run)
      #expect(instance["metadata"]?["annotations"]?["terraform/workspaces"] == "porc-web")
      #expect(instance["spec"]?["dependsOn"] == ["component:default/web-1-0-0"])

      let yaml = try await test.get("/backstage/\(token)/catalog-info.yaml", token: "")
      #expect(yaml.status == 200 && yaml.header("Content-Type") == "application/yaml")
      #expect(try YAMLDocuments.read(yaml.text) == items(json))
      for format in ["json", "yaml"] {
        let path = "/catalog-info.\(format)"
        let (byPath, byHeader) = (
          try await test.get("/backstage/\(token)\(path)", token: ""),
          try await test.get("/backstage\(path)", token: token)
        )
        #expect(byPath.bytes == byHeader.bytes && byPath.header("ETag") == byHeader.header("ETag"))
        #expect(byPath.header("Content-Length") == String(byPath.bytes.count))
        #expect(byPath.header("Cache-Control") == "private, no-cache")
        #expect(byPath.header("Referrer-Policy") == "no-referrer")
      }
    }
  }

  @Test func onlyATokenThatMayJustReadMayBeInAPath() async throws {
    try await TestServer.run { test in
      let (reader, planner) = (try await test.token("reader", .read), try await test.token("planner", .read, .plan))
      for path in ["catalog-info.yaml", "catalog-info.json", "pages/2/1.yaml", "pages/2/location.yaml"] {
        #expect(try await test.get("/backstage/\(reader)/\(path)", token: "").status == 200)
        for token in [planner, test.admin] {
          let refused = try await test.get("/backstage/\(token)/\(path)", token: "")
          #expect(refused.status == 403 && refused.code == "forbidden")
          #expect(refused.json["fix"]?.stringValue?.contains("porc token create backstage --scope read") == true)
        }
        for token in ["porc_wrong", "x", reader.uppercased(), String(reader.dropLast()), reader + "x"] {
          let refused = try await test.get("/backstage/\(token)/\(path)", token: "")
          #expect(refused.status == 401 && refused.code == "not-signed-in", "\(path)")
        }
        // The one in the path is what counts.
        #expect(try await test.get("/backstage/porc_wrong/\(path)").status == 401)
      }
      try await Tokens(store: test.server.store).revoke("reader")
      while try await test.get("/backstage/\(reader)/catalog-info.yaml", token: "").status != 401 {}
    }
  }

  /// Not in a log line at any level, in no answer, and in nothing that Backstage shows its users.
  @Test func theTokenInThePathIsNowhere() async throws {
    try await TestServer.run { test in
      _ = try await test.submit(Self.blueprint)
      let reader = try await test.token("reader", .read)
      let (other, unknown) = (try await test.token("planner", .plan), "porc_an-unknown-one")
      var seen: [TestServer.Reply] = []
      for token in [reader, other, unknown] {
        let encoded = token.utf8.map { "%" + String($0, radix: 16) }.joined()
        for path in [
          "/backstage/\(token)/catalog-info.yaml", "/backstage/\(token)/catalog-info.json", "/backstage/\(token)",
          "/backstage/\(token)/", "/backstage/\(token)/nothing", "/backstage//\(token)/catalog-info.yaml",
          "/backstage/\(token)/catalog-info.yaml?kinds=x", "/backstage/\(token)/pages/4/location.yaml",
          "/backstage/\(token)/pages/4/9.yaml", "/Backstage/\(token)/catalog-info.yaml", "/\(token)",
          "/%62ackstage/\(token)/catalog-info.yaml", "/backstage/\(encoded)/catalog-info.yaml", "/x/\(encoded)",
          "/backstage/catalog-info.yaml/\(token)",
        ] {
          for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            seen.append(try await test.call(method, path, token: ""))
          }
        }
      }
      seen.append(try await test.get("/metrics"))
      seen.append(try await test.get("/events"))
      #expect(Set(seen.map(\.status)).isSuperset(of: [200, 400, 401, 403, 404, 405]))
      for token in [reader, other, unknown] {
        let forms = [token, token.utf8.map { "%" + String($0, radix: 16) }.joined()]
        for form in forms {
          #expect(!seen.contains { $0.text.contains(form) || $0.headers.contains { $0.value.contains(form) } })
          #expect(test.log.lines.filter { $0.contains(form) } == [])
        }
      }
      #expect(test.log.lines.contains { $0.contains("/backstage/•••/catalog-info.yaml") })
    }
  }

  @Test func aPollThatFindsNothingNewIsA304() async throws {
    try await TestServer.run { test in
      let run = try await test.submit(Self.blueprint)
      let path = "/backstage/catalog-info.yaml"
      let first = try await test.get(path)
      let tag = try #require(first.header("ETag"))
      #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
      for known in [tag, "\"other\", \(tag)", "W/\(tag)", "*"] {
        let same = try await test.get(path, headers: ["If-None-Match": known])
        #expect(same.status == 304 && same.bytes.isEmpty && same.header("ETag") == tag, "\(known)")
        #expect(same.header("Cache-Control") == "private, no-cache")
      }
      let head = try await test.call("HEAD", path)
      #expect(head.status == 200 && head.bytes.isEmpty && head.header("ETag") == tag)
      #expect(try await test.get(path).bytes == first.bytes)
      #expect(try await test.get("/backstage/catalog-info.json").header("ETag") != tag, "other bytes, other tag")

      // A run of another PORC's template changes nothing that is shown; this does.
      _ = try await test.post("/runs/\(run)/cancel")
      let second = try await test.get(path, headers: ["If-None-Match": tag])
      #expect(second.status == 200 && second.text.contains(#""porc.dev/status":"canceled""#))
      #expect(second.header("ETag") != tag)
    }
  }

  @Test func partsOfItCanBeAskedFor() async throws {
    try await TestServer.run { test in
      for name in ["web", "db"] { _ = try await test.submit(Samples.blueprint(name)) }
      let path = "/backstage/catalog-info.json"
      let all = references(try await test.get(path))
      #expect(all.count == 4)
      func names(_ query: String) async throws -> [String] { references(try await test.get("\(path)?\(query)")) }
      #expect(try await names("kind=component") == ["component:default/web-1-0-0"])
      #expect(try await names("kind=Resource") == ["resource:default/db", "resource:default/web"])
      #expect(try await names("templates=false") == all.filter { !$0.hasPrefix("component") })
      #expect(try await names("instances=no") == all.filter { !$0.hasPrefix("resource") })
      for query in [
        "kinds=system", "kind=template", "templates=maybe", "limit=0", "limit=x", "cursor=x", "cursor=x:y", "page=1",
      ] {
        #expect(try await test.get("\(path)?\(query)").code == "malformed-request", "\(query)")
      }
      #expect(try await test.get("/backstage/catalog-info.yaml?limit=1").code == "malformed-request")

      var (found, cursor): ([String], String?) = ([], nil)
      repeat {
        let page = try await test.get("\(path)?limit=3\(cursor.map { "&cursor=\($0)" } ?? "")")
        found += references(page)
        cursor = page.json["next"]?.stringValue
      } while cursor != nil && found.count < 100
      #expect(found == all)
    }
  }

  @Test func pagesHoldEachEntityOnce() async throws {
    try await TestServer.run { test in
      for name in ["web", "db", "cache"] { _ = try await test.submit(Samples.blueprint(name)) }
      let token = try await test.token("backstage", .read)
      let all = try YAMLDocuments.read(try await test.get("/backstage/catalog-info.yaml").text)
      let folder = "/backstage/\(token)/pages/4/"
      let location = try await test.get(folder + "location.yaml", token: "")
      let document = try #require(try YAMLDocuments.read(location.text).first)
      #expect(BackstageRules.problems(of: document) == [])
      #expect(
        document["kind"] == "Location"
          && document["spec"]?["targets"] == ["./1.yaml", "./2.yaml", "./3.yaml", "./4.yaml"])
      var found: [Value] = []
      for target in document["spec"]?["targets"]?.arrayValue ?? [] {
        // As Backstage does it: beside the location, with the location's query.
        let page = try await test.get(folder + (target.stringValue?.dropFirst(2) ?? ""), token: "")
        #expect(page.status == 200)
        found += try YAMLDocuments.read(page.text)
      }
      #expect(Set(found) == Set(all) && found.count == all.count)
      let systems = try await test.get("/backstage/\(token)/pages/1/1.yaml?kind=system", token: "")
      #expect(try YAMLDocuments.read(systems.text).map(BackstageRules.reference) == ["system:default/porc"])
      for page in ["0.yaml", "5.yaml", "x.yaml", "1.json", "1"] {
        #expect(try await test.get(folder + page, token: "").status == 404, "\(page)")
      }
      for pages in ["0", "-1", "x", "1001"] {
        #expect(try await test.get("/backstage/\(token)/pages/\(pages)/1.yaml", token: "").status == 404, "\(pages)")
      }
    }
  }

  @Test func whatCannotBeReadIsNoPartOfAFeed() async throws {
    let (store, model, folder) = try Self.bench()
    let feed = BackstageFeed(store: store, catalog: CatalogCache(store: store), model: model)
    _ = try await feed.snapshot()
    try await store.close()
    await #expect(throws: (any Error).self) { try await feed.snapshot() }
    withExtendedLifetime(folder) {}
  }

  private static func bench() throws -> (SQLiteStore, BackstageModel, TemporaryFolder) {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore.open(
      path: folder.file("porc.sqlite").path, settings: SQLiteStore.Settings(retention: 0))
    let links = TFELinks(address: "https://tfe", organization: "acme")
    return (
      store, BackstageModel(settings: BackstageSettings(), installation: "porc", links: links, project: nil), folder
    )
  }

  /// What is kept between polls is what would be rendered from nothing.
  @Test(arguments: 0..<6 as Range<UInt64>)
  func keepingUpIsReadingAnew(seed: UInt64) async throws {
    let (store, model, folder) = try Self.bench()
    func feed() -> BackstageFeed { BackstageFeed(store: store, catalog: CatalogCache(store: store), model: model) }
    let kept = feed()
    var random = SplitMix(seed: seed)
    var (runs, seen): ([Run.ID], Set<String>) = ([], [])
    for step in 0..<60 {
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1:
        let id = Run.ID("porc-\(step)")
        let template = Template.named("web", Version(major: Int.random(in: 1...3, using: &random), minor: 0, patch: 0))
        let metadata = BlueprintMetadata(
          name: "vm-\(Int.random(in: 0..<4, using: &random))",
          environment: ["dev", "prod", nil].randomElement(using: &random) ?? nil)
        let submission = Situation.submitted(template, metadata).runs.values.first?.submission
        try await store.decide(about: .instance(Instance.ID(metadata.name)), recording: Record()) { situation, now in
          try RunMachine.submit(
            try #require(submission), as: id, for: Instance.ID(metadata.name), in: situation, at: now)
        }
        runs.append(id)
      case 2:
        guard let run = runs.randomElement(using: &random) else { continue }
        _ = try? await store.decide(about: .run(run.rawValue), recording: Record()) { situation, now in
          try RunMachine.decide(.cancel(by: .anna), for: run, in: try #require(situation), at: now)
        }
      case 3, 4:
        let templates = (1...3).filter { _ in Bool.random(using: &random) }.map {
          Template.named("web", Version(major: $0, minor: 0, patch: 0))
        }
        try await store.replaceTemplates(of: "test", with: templates, archives: ["digest": Data("archive".utf8)])
      default: break
      }
      let (now, anew) = (try await kept.snapshot(), try await feed().snapshot())
      let tags = [now, anew].map { $0.tag(BackstageQuery(), .yaml).text }
      #expect(tags[0] == tags[1], "seed \(seed), step \(step)")
      seen.formUnion(tags)
    }
    #expect(seen.count > 10)
    try await store.close()
    withExtendedLifetime(folder) {}
  }
}
