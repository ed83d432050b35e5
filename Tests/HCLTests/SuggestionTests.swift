import HCL
import Testing

struct SuggestionTests {
  static let names = ["region", "project_id", "node_pools", "name", "environment", "zone"]

  @Test(arguments: [
    ("regoin", "region"), ("Region", "region"), ("project-id", "project_id"), ("projectid", "project_id"),
    ("nod_pols", "node_pools"),
    ("nmae", "name"), ("enviroment", "environment"), ("zones", "zone"),
  ])
  func aNearMissIsUnderstood(written: String, meant: String) {
    #expect(Suggestion.closest(to: written, among: Self.names) == meant)
  }

  @Test(arguments: ["", "x", "cluster", "subnet", String(repeating: "region", count: 50)])
  func anotherNameIsNoNearMiss(written: String) {
    #expect(Suggestion.closest(to: written, among: Self.names) == nil)
  }

  @Test func ofEquallyNearNamesTheFirstIsTaken() {
    #expect(Suggestion.closest(to: "disk_c", among: ["disk_b", "disk_a"]) == "disk_a")
  }
}
