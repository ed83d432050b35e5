import Foundation
import PorcCore
import Testing

/// `docs/architecture.md` shows the life of a run as the machine has it. `UPDATE_GOLDEN=1` writes it anew.
@Suite struct ArchitectureTests {
  static let begin = "<!-- Written by ArchitectureTests: UPDATE_GOLDEN=1 -->"
  static let end = "<!-- End of what is written by ArchitectureTests -->"

  static var file: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/architecture.md").standardized
  }

  /// Where each event leads from `state`, found by trying every command and every report there.
  static func edges(from state: RunState) throws -> [String: RunState] {
    var edges: [String: RunState] = [:]
    let commands = CommandTableTests.rows.map(\.command)
    let reports = ReportTableTests.rows.map(\.report)
    func note(_ story: Story, after count: Int) {
      var situation = story.facts.prefix(count).reduce(nil, RunMachine.evolve)
      for fact in story.facts.dropFirst(count) {
        let before = situation?.runs["a"]?.state
        situation = RunMachine.evolve(situation, fact)
        guard before == state, let after = situation?.runs["a"]?.state, after != state else { continue }
        edges[fact.event.name] = after
      }
    }
    let beginnings = try beginnings(in: state)
    for (command, beginning) in commands.flatMap({ command in beginnings.map { (command, $0) } }) {
      var story = beginning
      let count = story.facts.count
      _ = try? story.tell("a", command)
      note(story, after: count)
    }
    for (report, beginning) in reports.flatMap({ report in beginnings.map { (report, $0) } }) {
      var story = beginning
      let count = story.facts.count
      try story.hear("a", report)
      note(story, after: count)
    }
    return edges
  }

  /// The usual way into `state`, and others that leave other ways out of it.
  static func beginnings(in state: RunState) throws -> [Story] {
    var stories = [try Story.at(state)]
    switch state {
    case .applying:
      var confirmed = try Story.at(.planned)
      try confirmed.tell("a", .apply(tfeRunID: nil, by: .alice))
      stories.append(confirmed)
    case .canceled:
      var unbuilt = try Story.at(.submitted)
      try unbuilt.tell("a", .cancel(by: .alice))
      stories.append(unbuilt)
    default: break
    }
    return stories
  }

  static func table() throws -> String {
    var lines = [
      "| state | | what people may do | what happens, and where it leads |", "|---|---|---|---|",
    ]
    for state in RunState.allCases {
      let story = try Story.at(state)
      let actions = try story.present().nextActions(of: story.run("a"), at: story.now, rules: story.rules)
      let byTarget = Dictionary(grouping: try edges(from: state), by: \.value).sorted {
        $0.key.rawValue < $1.key.rawValue
      }
      let ways = byTarget.map { target, edges in
        edges.map { "`\($0.key)`" }.sorted().joined(separator: ", ") + " → **\(target.rawValue)**"
      }
      let kind = state.isFinal ? "final" : state.awaitsDecision ? "awaits a decision" : ""
      lines.append(
        "| `\(state.rawValue)` | \(kind) | \(actions.joined(separator: ", ")) | \(ways.joined(separator: "; ")) |")
    }
    return lines.joined(separator: "\n")
  }

  @Test func theDocumentShowsTheLifeOfARunAsTheMachineHasIt() throws {
    let text = try String(contentsOf: Self.file, encoding: .utf8)
    let start = try #require(text.range(of: Self.begin)).upperBound
    let finish = try #require(text.range(of: Self.end, range: start..<text.endIndex)).lowerBound
    let expected = "\n" + (try Self.table()) + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try text.replacingCharacters(in: start..<finish, with: expected).write(
        to: Self.file, atomically: true, encoding: .utf8)
    } else {
      #expect(text[start..<finish] == expected)
    }
  }

  @Test func theDocumentNamesEveryJob() throws {
    let text = try String(contentsOf: Self.file, encoding: .utf8)
    for kind in RunJob.Kind.allCases { #expect(text.contains("| `\(kind.rawValue)` |"), "\(kind.rawValue)") }
  }
}
