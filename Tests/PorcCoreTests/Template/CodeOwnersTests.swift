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
    let pattern = String(repeating: "*a", count: 250)
    let owners = CodeOwners(Array("/\(pattern) @x".utf8))
    #expect(owners.owner(of: String(repeating: "a", count: 1000) + "b") == nil)
  }

  @Test(arguments: [
    ("docs/*", "docs/main.tf", true), ("docs/*", "docs/a/main.tf", false), ("docs/*/", "docs/a/main.tf", true),
    ("docs/*/", "docs/main.tf", false), ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b/main.tf", true),
    ("a/**/b", "c/a/b", false), ("a/**", "a/main.tf", true), ("a/**", "a", false), ("/a/**/", "a/main.tf", false),
    ("/a/**/", "a/b/main.tf", true), ("**", "a/main.tf", true), ("**/", "main.tf", false), ("/", "main.tf", false),
    ("/**/**/**/b", "a/b/main.tf", true), ("m?in.tf", "a/main.tf", true), ("m?in.tf", "a/m/in.tf", false),
    ("*.tf", "a/b/main.tf", true), ("x*y*z", "a/xyyz", true), ("x*y*z", "a/xzy", false), ("a*", "b/ab/main.tf", true),
  ])
  func aPatternFitsAsInGitignore(pattern: String, path: String, fits: Bool) {
    #expect((CodeOwners(Array("\(pattern) @x".utf8)).owner(of: path) != nil) == fits)
  }

  /// What is over a limit is known at once, and says nothing: the last lines count most.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      String(repeating: "/" + String(repeating: "**/", count: 5_000) + "a @x\n", count: 200),
      "* @x\n" + String(repeating: "*a* @x\n", count: 1_001), String(repeating: "/a @x\n", count: 5_001),
      String(repeating: "#", count: 4 << 20),
    ])
  func aFileOverALimitSaysNothing(text: String) {
    let owners = CodeOwners(Array(text.utf8))
    #expect(owners.isTooLarge && owners.owner(of: "a/a") == nil)
  }

  @Test(.timeLimit(.minutes(1))) func theWorstWithinTheLimitsTakesNoTime() {
    let line = "/" + String(repeating: "**/*", count: 100) + String(repeating: "a", count: 100) + "b @x\n"
    let owners = CodeOwners(Array(String(repeating: line, count: 1_000).utf8))
    let path = (0..<4).map { _ in String(repeating: "a", count: 255) }.joined(separator: "/")
    #expect(!owners.isTooLarge)
    for _ in 0..<3 { #expect(owners.owner(of: path) == nil) }
  }
}
