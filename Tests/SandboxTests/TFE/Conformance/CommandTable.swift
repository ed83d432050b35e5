import Foundation
import Processes
import Sandbox
import Testing

/// A row of a table of commands: what is typed, and all that must come of it.
struct Row {
  /// The command and its arguments, as typed.
  var command: String
  /// One more argument, where it has blanks in it.
  var last: String?
  /// What is typed where the command asks.
  var answer: String?
  var exit: Int32 = 0
  /// What is in the output.
  var says: [String] = []
  /// What must not be in it.
  var hides: [String] = []
  /// The whole output.
  var prints: String?
  /// The statuses of the runs that the command made, oldest first.
  var runs: [String] = []
  /// The resources in the workspace's state afterwards; nil where the command must leave the state alone.
  var state: Set<String>?

  init(
    _ command: String, _ last: String? = nil, answer: String? = nil, exit: Int32 = 0, says: [String] = [],
    hides: [String] = [], prints: String? = nil, runs: [String] = [], state: Set<String>? = nil
  ) {
    (self.command, self.last, self.answer, self.exit) = (command, last, answer, exit)
    (self.says, self.hides, self.prints, self.runs, self.state) = (says, hides, prints, runs, state)
  }
}

extension CLI {
  /// Types the commands of a table one after the other, and compares what came of each with its row.
  ///
  /// - Parameter workspace: whose state is looked at.
  func check(_ tfe: TFE, workspace: String = "demo", _ rows: [Row]) async throws {
    for row in rows {
      let before = try await tfe.stateVersion(workspace)
      let earlierRuns = Set(try await tfe.newestRuns().map(\.id))
      let words = row.command.split(separator: " ").map(String.init) + (row.last.map { [$0] } ?? [])
      let output = try await self(words, answer: row.answer)

      let said = Comment(rawValue: "terraform \(row.command)\n\(output.text)")
      #expect(output.status == .exited(row.exit), said)
      for text in row.says { #expect(output.text.contains(text), said) }
      for text in row.hides { #expect(!output.text.contains(text), said) }
      if let prints = row.prints { #expect(output.text == prints, said) }
      let runs = try await tfe.newestRuns().filter { !earlierRuns.contains($0.id) }
      #expect(runs.reversed().map(\.status) == row.runs, said)
      let after = try await tfe.stateVersion(workspace)
      if let state = row.state {
        #expect(after?.resources == state, said)
      } else {
        #expect(after?.id == before?.id, said)
      }
    }
  }
}

extension TFE {
  /// The current state version of a workspace; nil for none.
  func stateVersion(_ workspace: String) async throws -> (id: String, serial: Int, resources: Set<String>)? {
    let id = try await get("/organizations/acme/workspaces/\(workspace)").id
    let version = try await get("/workspaces/\(id)/current-state-version")
    guard version.status == 200 else { return nil }
    let resources = (version.attributes["resources"].array ?? []).map {
      "\($0["type"].string ?? "").\($0["name"].string ?? "")"
    }
    return (version.id, version.attributes["serial"].int ?? -1, Set(resources))
  }

  /// The newest hundred runs, newest first.
  func newestRuns() async throws -> [(id: String, status: String)] {
    (try await get("/organizations/acme/runs?page[size]=100").data.array ?? []).map {
      ($0["id"].string ?? "", $0["attributes"]["status"].string ?? "")
    }
  }
}
