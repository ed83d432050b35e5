import PorcCore
import Testing

@Suite struct VersionTests {
  @Test func theOrderIsThatOfSemVer() throws {
    let texts = [
      "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
      "1.0.0", "1.9.0", "1.10.0", "2.0.0-0", "2.0.0",
    ]
    let versions = try texts.map { try #require(Version($0)) }
    for (index, one) in versions.enumerated() {
      for (other, two) in versions.enumerated() { #expect((one < two) == (index < other), "\(one) and \(two)") }
    }
    #expect(versions.map(\.description) == texts)
  }

  @Test func buildMetadataHasNoWeight() throws {
    let (plain, built) = (try #require(Version("2.0.0")), try #require(Version("2.0.0+b2")))
    #expect(!(plain < built) && !(built < plain))
    #expect(built.description == "2.0.0+b2")
  }

  @Test(arguments: [
    "", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "1.0.x",
    " 1.0.0", "1.0.0 ", "-1.0.0", "1.0.0-é", "١.0.0", "1..0", "99999999999999999999.0.0",
  ])
  func whatIsNotSemVerIsNoVersion(text: String) {
    #expect(Version(text) == nil)
  }

  @Test(arguments: ["0.0.0", "1.2.3-x-y-z.0", "1.0.0-0a", "1.0.0--", "1.0.0+001", "1.0.0-a+b.c-d"])
  func whatIsSemVerIsAVersion(text: String) {
    #expect(Version(text)?.description == text)
  }
}

/// As tried with Terraform 1.11.4.
@Suite struct VersionConstraintTests {
  @Test(arguments: [
    ("~> 1", true), ("~> 1.0", true), ("~> 1.11.0", true), ("1.11.4", true), ("= 1.11.4", true), ("v1.11.4", true),
    (">1.11,<2", true), (" >= 1.0 ", true), (">= 01.0", true), (">=1.0.0.0.0", true), ("1.11.4+meta", true),
    ("1.11", false), ("1", false), ("<= 1.11", false), ("!= 1.11.4", false), ("!= 1.11.3", true),
    ("~> 1.11.4.0", true), ("~> 1.11.3.0", false), ("~> 1.10.0", false), ("~> 2", false), ("< 1.11.4", false),
  ])
  func anAcceptedConstraintDecides(text: String, isMet: Bool) throws {
    let constraint = try #require(VersionConstraint(text))
    #expect(constraint.allows(try #require(Version("1.11.4"))) == isMet)
    #expect(constraint.description == text)
  }

  @Test(arguments: [
    "", " ", "==1.11.4", "=> 1.0", "^1.0", "*", ">= 1.x", ">= 1.0,", ">= 1.0 < 2", ">= 1.0 || < 0.5", ">=", "~>",
    "1..0", ".1", "1.", ",", "latest", "> =1.0", "1.0.0-", "99999999999999999999",
  ])
  func anInvalidConstraintIsRefused(text: String) {
    #expect(VersionConstraint(text) == nil)
  }

  @Test(arguments: [
    (">= 0.0.0", "2.1.0"), (">= 1.0", "2.1.0"), ("~> 1.0", "1.10.0"), ("~> 1.1", "1.10.0"), ("< 2.0.0", "1.10.0"),
    ("> 2.0.0", "2.1.0"), ("1.2.0-beta.1", "1.2.0-beta.1"), ("= 1.2.0-beta.1", "1.2.0-beta.1"),
    (">= 1.2.0-beta.1", "2.1.0"), ("= v2.1.0", "2.1.0"), ("~> 1", "2.1.0"), (">= 3.0.0-rc1", nil),
    ("~> 1.2.0-beta", nil), ("= 1.2.0-beta.1, >= 1.0", nil), ("~> 1.0.0", "1.0.0"), ("1.0", "1.0.0"),
  ])
  func theNewestThatFitsIsChosen(text: String, chosen: String?) throws {
    let versions = ["1.0.0", "1.1.0", "1.2.0-beta.1", "1.10.0", "2.0.0", "2.0.0+b2", "2.1.0", "3.0.0-rc1"]
    let constraint = try #require(VersionConstraint(text))
    let fitting = try versions.map { try #require(Version($0)) }.filter(constraint.allows).sorted()
    #expect(fitting.last?.description == chosen)
  }

  @Test func onlyAnExactConstraintHasAnExactVersion() {
    #expect(VersionConstraint("= 1.0")?.exactVersion == Version("1.0.0"))
    #expect(VersionConstraint("~> 1.0")?.exactVersion == nil)
    #expect(VersionConstraint("1.0.0, >= 1.0")?.exactVersion == nil)
  }
}
