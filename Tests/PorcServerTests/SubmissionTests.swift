import Foundation
import HCL
import PorcCore
import PorcStore
import TestKit
import Testing

@testable import PorcServer

/// Documents become runs, or nothing at all.
struct SubmissionTests {
  private static let good = """
    kind: web
    schema_version: "~> 1.0"
    metadata:
      name: web-1
      title: "A web server"
      environment: dev
      repo_url: https://example.com/acme/web
    inputs:
      region: eu
      size: 3
      tags: {team: "a", cost: "1"}
      password: "s3cret-value"
    """

  private static let words = [
    "inputs", "metadata", ":", "- ", "{", "}", "[", "]", "\"", "'", "&a", "*a", "!!binary ", "<<: ", "|", ">", "\n",
    "  ",
    "\t", "\u{0}", "\u{FEFF}", "null", "~", "true", "1e999999", "-0", "999999999999999999999", "é", "\u{1F4A9}",
    "---\n",
    "...", "#", "%YAML 9.9\n", ",", "name", "kind: web", "region",
  ]

  /// A good document with some bytes, words or lines changed.
  private func mutated(_ random: inout SplitMix) -> [UInt8] {
    var bytes = Array(Self.good.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard !bytes.isEmpty else { break }
      let start = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, start + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes.removeSubrange(start..<end)
      case 1: bytes[start] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes.insert(contentsOf: Array((Self.words.randomElement(using: &random) ?? "").utf8), at: start)
      case 3: bytes.insert(contentsOf: Array(bytes[start..<end]), at: Int.random(in: 0...bytes.count, using: &random))
      case 4: bytes = Array(bytes[..<start])
      default:
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines.swapAt(Int.random(in: 0..<lines.count, using: &random), Int.random(in: 0..<lines.count, using: &random))
        bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
      }
    }
    return bytes
  }

  /// A thousand of them: each is refused with findings and leaves nothing, or is what its text says and leaves one run.
  @Test func brokenBlueprintsLeaveNothing() async throws {
    let data = try TemporaryFolder()
    let store = try SQLiteStore.open(path: data.file("porc.sqlite").path)
    let templates = try Samples.templates()
    let reading = try await FolderSource(folder: templates.path).read()
    try await store.replaceTemplates(of: "test", with: reading.templates, archives: reading.archives)
    let submissions = Submissions(
      store: store, catalog: CatalogCache(store: store), vault: try InputVault(key: Data(repeating: 7, count: 32)),
      approvalRequired: false)
    let caller = Caller(id: "token-1", name: "alice")
    var taken = 0
    for seed in 0..<1000 as Range<UInt64> {
      var random = SplitMix(seed: seed)
      let bytes = mutated(&random)
      let format = [DocumentText.Format.yaml, .json, .either].randomElement(using: &random) ?? .either
      let position = try await store.lastPosition()
      do {
        let submitted = try await submissions.submit(bytes, as: format, by: caller)
        taken += 1
        let run = try #require(try await store.locate(submitted.run.rawValue)).run
        #expect(run.submission.metadata.name.wholeMatch(of: /[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/) != nil, "\(seed)")
        #expect(run.submission.inputs["password"] == nil && run.submission.inputs["region"] != nil, "\(seed)")
      } catch let problems as DocumentProblems {
        #expect(problems.findings.contains { $0.severity == .error }, "\(seed)")
        #expect(!"\(problems.findings)".contains("s3cret-value"), "\(seed): \(problems.findings)")
        #expect(try await store.lastPosition() == position, "\(seed)")
      }
    }
    #expect(taken < 400)  // most of them were broken
    #expect(try await store.runs(RunFilter(), after: nil, limit: 2000).count == taken)
    #expect(try await store.untilNextDue() == nil, "nobody has work")
    try await store.close()
  }

  @Test func theGoodOneIsTakenWhole() async throws {
    let templates = try Samples.templates()
    let reading = try await FolderSource(folder: templates.path).read()
    let valid = try BlueprintValidation.validate(
      Array(Self.good.utf8), as: .either, against: reading.templates)
    #expect(valid.metadata.name == "web-1" && valid.warnings == [])
    #expect(valid.sensitiveInputs == ["password": "s3cret-value"])
    #expect(valid.inputs["size"] == 3)
  }
}
