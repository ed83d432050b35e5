import PorcCore
import Testing

/// As https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
/// has it.
struct CodeOwnersTests {
  private static let file = CodeOwners(
    Array(
      """
      # Everybody's
      *       @acme/everybody

      *.md    docs@example.com
      /gke-cluster/ @acme/kubernetes @anna # who knows it best
      apps/   @acme/apps
      /modules/*  @acme/modules
      **/logs @acme/logs
      /free/  @acme/free
      /free/nobody/
      """.utf8))

  @Test(arguments: [
    ("main.tf", "@acme/everybody"), ("x/y/readme.md", "docs@example.com"),
    ("gke-cluster/1.0.0/main.tf", "@acme/kubernetes, @anna"), ("other/gke-cluster/1.0.0/main.tf", "@acme/everybody"),
    ("a/apps/1.0.0/main.tf", "@acme/apps"), ("apps/main.tf", "@acme/apps"),
    ("modules/main.tf", "@acme/modules"), ("modules/net/main.tf", "@acme/everybody"),
    ("logs/main.tf", "@acme/logs"), ("deeply/nested/logs/1.0.0/main.tf", "@acme/logs"),
    ("free/1.0.0/main.tf", "@acme/free"), ("free/nobody/main.tf", nil),
  ])
  func theLastPatternThatFitsCounts(path: String, owner: String?) {
    #expect(Self.file.owner(of: path) == owner)
  }

  @Test func whatGitHubDoesNotTakeIsPassedOver() {
    let owners = CodeOwners(Array("!main.tf @a\n[ab].tf @b\n\n\t\n#\n* \n".utf8))
    #expect(owners.owner(of: "main.tf") == nil)
    #expect(CodeOwners([]).owner(of: "main.tf") == nil)
    #expect(CodeOwners([0xFF, 0x20, 0x40]).owner(of: "main.tf") == nil)
  }

  /// No pattern makes it slow: what fits is found without going back.
  @Test func aHostilePatternIsHarmless() {
    let pattern = String(repeating: "*a", count: 500)
    let owners = CodeOwners(Array("/\(pattern) @x".utf8))
    #expect(owners.owner(of: String(repeating: "a", count: 1000) + "b") == nil)
  }
}
