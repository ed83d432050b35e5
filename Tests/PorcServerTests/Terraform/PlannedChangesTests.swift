import Foundation
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// What a plan's log says of each resource.
struct PlannedChangesTests {
  private static func line(_ address: String, _ action: String, _ more: String = "") -> String {
    let change = #"{"resource":{"addr":"\#(address.replacing("\"", with: "\\\""))"},"action":"\#(action)"\#(more)}"#
    return
      #"{"@level":"info","@message":"Plan to \#(action)","@module":"terraform.ui","change":\#(change),"type":"planned_change"}"#
  }

  private static let end =
    #"{"@level":"info","@message":"Plan: 1 to add","changes":{"add":1,"operation":"plan"},"type":"change_summary"}"#

  private static let log =
    "\u{2}Terraform v1.11.4\non linux_amd64\nInitializing plugins and modules...\n"
    + [
      #"{"@level":"info","@message":"planned_change","type":"version"}"#, line("terraform_data.a", "create"),
      line(#"terraform_data.b["größe"]"#, "update"), line("terraform_data.c", "replace"),
      line("terraform_data.d", "delete"), line("data.x.e", "read"), line("terraform_data.f", "remove"),
      line("terraform_data.g", "noop", #","importing":{"id":"1"}"#), line("terraform_data.h", "move"),
      line("terraform_data.i", "noop"), #"{"type":"planned_change","change":"broken"}"#,
      #"{"type":"planned_change","change":"#, end, line("terraform_data.late", "create"),
    ].joined(separator: "\n") + "\n\u{3}"

  private static let changes = [
    ("terraform_data.a", "create"), (#"terraform_data.b["größe"]"#, "update"), ("terraform_data.c", "replace"),
    ("terraform_data.d", "delete"), ("data.x.e", "read"), ("terraform_data.f", "forget"),
    ("terraform_data.g", "import"),
  ].map { ResourceChange(address: $0, action: $1) }

  @Test func theyAreReadWhereverThePiecesEnd() {
    var random = SplitMix(seed: 5)
    for _ in 0..<200 {
      var planned = PlannedChanges()
      var rest = Array(Self.log.utf8)[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...300, using: &random))
        planned.append(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      #expect(planned.changes == Self.changes)
      #expect(planned.isComplete)
    }
  }

  @Test func aLogThatDoesNotSayAllIsNotComplete() {
    for text in [
      "", "\u{2}Terraform will perform the following actions:\n  + create\n\u{3}", Self.line("a.b", "create") + "\n",
      Self.end.dropLast(3) + "\n", "{" + String(repeating: " ", count: 1 << 17) + Self.end.dropFirst() + "\n",
    ] {
      var planned = PlannedChanges()
      planned.append(Array(text.utf8))
      #expect(!planned.isComplete, "\(text.prefix(80))")
    }
  }

  @Test func noMoreAreReadThanAreKept() {
    var planned = PlannedChanges()
    for number in 0...PlanSummary.maximumResources {
      planned.append(Array((Self.line("terraform_data.x[\(number)]", "create") + "\n").utf8))
    }
    #expect(planned.isComplete)
    #expect(planned.changes.count == PlanSummary.maximumResources)
  }

  @Test func aPlanWhoseLogTellsNeedsNoPlanJSON() async throws {
    try await DriverBench.run { bench in
      bench.tfe.change { $0.logs["run-1/plan"] = Self.log }
      let id = try await bench.deployed()
      #expect(
        try await bench.run(id).currentPlan?.summary?.resources == Self.changes.sorted { $0.address < $1.address })
      #expect(!bench.tfe.calls.contains { $0.contains("json-output") })
    }
  }
}
