import Archive
import Foundation
import HCL
import PorcCore
import Synchronization
import TestKit
import Testing

@testable import PorcServer

/// Sensitive inputs travel as sensitive variables of the workspace, and in nothing else.
struct SensitiveVariableTests {
  private func plan(_ inputs: [String: Value], _ bench: DriverBench) async throws -> Run.ID {
    let id = try await bench.submit("web", inputs)
    try await bench.plan(id)
    try await bench.work(id, until: .planned)
    return id
  }

  private func discard(_ id: Run.ID, _ bench: DriverBench) async throws {
    try await bench.command(id, .discard(tfeRunID: nil, by: DriverBench.caller))
    try await bench.work(id, until: .discarded)
  }

  /// By key: the value as it was sent.
  private func variables(_ bench: DriverBench) -> [String: Value] {
    let all = bench.tfe.state.withLock { $0.variables["ws-web"] ?? [] }
    return Dictionary(
      all.map { ($0.attributes["key"]?.stringValue ?? "", $0.attributes["value"] ?? .null) }, uniquingKeysWith: { $1 })
  }

  private func changes(_ bench: DriverBench, since count: Int) -> [String] {
    bench.tfe.calls.dropFirst(count).filter { $0.contains("/vars") }
  }

  @Test func theyAreMadeChangedAndDeletedExactly() async throws {
    try await DriverBench.run { bench in
      var run = try await plan(["region": "eu", "password": "p\"1${x}", "api_key": "k1"], bench)
      #expect(variables(bench) == ["password": #""p\"1$${x}""#, "api_key": #""k1""#])
      let settings = bench.tfe.state.withLock { $0.variables["ws-web"] ?? [] }.map(\.attributes)
      #expect(settings.allSatisfy { $0["sensitive"] == true && $0["hcl"] == true && $0["category"] == "terraform" })
      try await discard(run, bench)

      var before = bench.tfe.calls.count
      run = try await plan(["region": "eu", "password": "p2"], bench)
      #expect(variables(bench) == ["password": #""p2""#])
      // The first one made was the key: names are in order.
      #expect(
        changes(bench, since: before) == [
          "GET workspaces/ws-web/vars", "DELETE workspaces/ws-web/vars/var-1", "PATCH workspaces/ws-web/vars/var-2",
        ])
      try await discard(run, bench)

      before = bench.tfe.calls.count
      run = try await plan(["region": "eu"], bench)
      #expect(variables(bench) == [:])
      #expect(
        changes(bench, since: before) == ["GET workspaces/ws-web/vars", "DELETE workspaces/ws-web/vars/var-2"])
    }
  }

  @Test func aRunWithoutThemAsksForNoVariables() async throws {
    try await DriverBench.run { bench in
      _ = try await plan(["region": "eu"], bench)
      #expect(!bench.tfe.calls.contains { $0.contains("/vars") })
    }
  }

  @Test func aPlainVariableOfPORCsIsMadeAnew() async throws {
    try await DriverBench.run { bench in
      let run = try await plan(["region": "eu", "password": "p1"], bench)
      try await discard(run, bench)
      bench.tfe.change { $0.variables["ws-web"]?[0].attributes["sensitive"] = false }
      let before = bench.tfe.calls.count
      _ = try await plan(["region": "eu", "password": "p2"], bench)
      #expect(
        changes(bench, since: before) == [
          "GET workspaces/ws-web/vars", "DELETE workspaces/ws-web/vars/var-1", "POST workspaces/ws-web/vars",
        ])
      #expect(variables(bench) == ["password": #""p2""#])
    }
  }

  @Test func whatIsNotPORCsIsLeftAloneOrRefused() async throws {
    try await DriverBench.run { bench in
      let other: [String: Value] = ["key": "mine", "value": "1", "category": "terraform", "description": "By hand"]
      let namesake: [String: Value] = ["key": "password", "value": "1", "category": "env"]
      bench.tfe.change { state in
        state.variables["ws-web"] = [.init(id: "var-8", attributes: other), .init(id: "var-9", attributes: namesake)]
      }
      let run = try await plan(["region": "eu", "password": "p1"], bench)
      #expect(bench.tfe.state.withLock { $0.variables["ws-web"]?.prefix(2).map(\.attributes) } == [other, namesake])
      try await discard(run, bench)

      bench.tfe.change { $0.variables["ws-web"]?[2].attributes["description"] = "By hand" }
      let refused = try await bench.submit("web", ["region": "eu", "password": "p2"])
      try await bench.plan(refused)
      try await bench.work(refused, until: .planFailed)
      #expect(
        try await bench.run(refused).failure?.summary.contains("has a variable 'password' that is not PORC's") == true)
    }
  }

  @Test func aDestroySetsThoseOfTheRunThatItRemoves() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed("web", ["region": "eu", "password": "applied"])
      let other = try await plan(["region": "eu", "password": "only planned"], bench)
      try await discard(other, bench)
      let destroy = try await bench.submissions.destroy(
        Instance.ID("web"), request: PlanRequest(by: DriverBench.caller)
      ).run
      try await bench.work(destroy, until: .planned)
      #expect(variables(bench) == ["password": #""applied""#])
    }
  }

  @Test func theyAreInNothingElseThatTFEGets() async throws {
    try await DriverBench.run { bench in
      _ = try await bench.deployed("web", ["region": "eu", "password": "s3cret-s3cret"])
      for request in bench.tfe.server.requests where !request.path.hasSuffix("/vars") {
        #expect(!request.text.contains("s3cret-s3cret"), "\(request.call)")
      }
      let uploads = bench.tfe.state.withLock(\.uploads)
      for upload in uploads.values {
        let files = try TarGzip.unpack(upload)
        #expect(files.contains { $0.path == Bundle.inputsFile })
        #expect(!files.contains { String(decoding: $0.bytes, as: UTF8.self).contains("s3cret-s3cret") })
      }
    }
  }
}
