import Foundation
import Processes
import Sandbox
import Testing

/// OpenTofu in terraform's place. It is a script of that name which notes that it was called and goes on as terraform.
@Suite(.timeLimit(.minutes(2))) struct TofuTests {
  private static func tofu(in folder: String) throws -> String {
    let terraform = try #require(Command.find("terraform"))
    return try Script.write(
      """
      echo "$*" >> '\(folder)/calls'
      if [ "$*" = 'version -json' ]; then
        echo '{"terraform_version":"1.12.8","platform":"linux_riscv64","provider_selections":{}}'
        exit 0
      fi
      exec '\(terraform)' "$@"
      """, named: "tofu", in: folder)
  }

  private static func calls(in folder: String) -> String {
    (try? String(contentsOfFile: folder + "/calls", encoding: .utf8)) ?? ""
  }

  private static func check(_ tfe: TFE, _ folder: String) async throws {
    let workspace = try await tfe.createWorkspace("demo")
    #expect(try await tfe.get("/workspaces/\(workspace)").attributes["terraform-version"] == "1.12.8")
    let applied = try await tfe.apply(workspace, Configuration.one)
    #expect(try await tfe.outputs(workspace)["o"] == "a")
    #expect(applied.attributes["terraform-version"] == "1.12.8")
    let log = try await tfe.log(applied.id, "apply")
    #expect(log.hasPrefix("\u{2}OpenTofu v1.12.8\non linux_riscv64\nInitializing plugins and modules...\n"))
    let calls = calls(in: folder)
    for command in ["version -json\n", "init ", "plan ", "apply "] { #expect(calls.contains(command), "\(calls)") }
  }

  @Test func itIsStartedByItsPath() async throws {
    try await withTemporaryFolder { folder in
      try await TFE.run(terraform: Self.tofu(in: folder)) { tfe in try await Self.check(tfe, folder) }
    }
  }

  @Test func itIsFoundByItsNameOnThePath() async throws {
    try await withTemporaryFolder { folder in
      _ = try Self.tofu(in: folder)
      try await TFE.run(terraform: "tofu", environment: ["PATH": "\(folder):/usr/bin:/bin"]) { tfe in
        try await Self.check(tfe, folder)
      }
    }
  }

  @Test func itIsTakenWhereThePathHasNoTerraform() async throws {
    try await withTemporaryFolder { folder in
      _ = try Self.tofu(in: folder)
      let empty = ["/usr/bin", "/bin"].filter { Command.find("terraform", path: $0) == nil }
      try #require(!empty.isEmpty)
      try await TFE.run(environment: ["PATH": ([folder] + empty).joined(separator: ":")]) { tfe in
        try await Self.check(tfe, folder)
      }
    }
  }
}
