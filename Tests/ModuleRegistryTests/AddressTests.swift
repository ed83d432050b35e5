import ModuleRegistry
import Testing

@Suite struct AddressTests {
  @Test(
    arguments: [
      ("acme/net/aws", nil, "acme/net/aws"),
      ("tfe.example.com/acme/my-net_2/aws", "tfe.example.com", "tfe.example.com/acme/my-net_2/aws"),
      ("TFE.Example.com:443/acme/net/aws", "tfe.example.com", "tfe.example.com/acme/net/aws"),
      ("localhost:8080/acme/net/aws", "localhost:8080", "localhost:8080/acme/net/aws"),
      ("xn--bcher-kva.example/A/B/null", "xn--bcher-kva.example", "xn--bcher-kva.example/A/B/null"),
    ] as [(String, String?, String)])
  func anAddressIsRead(text: String, host: String?, written: String) throws {
    let address = try ModuleAddress(text)
    #expect(address.host?.description == host)
    #expect(address.description == written)
  }

  @Test(arguments: [
    "", "acme", "acme/net", "a/b/c/d/e", "acme/net/aws/", "/acme/net/aws", "acme//aws", "acme/net/AWS", "acme/net/a-b",
    "acme/../aws", "acme/net/aws//sub", "acme/net/aws?x", "-acme/net/aws", "acme/net-/aws", "acme/né/aws",
    "https://tfe.example.com/acme/net/aws", "host/acme/net/aws", "user@tfe.example.com/a/b/c",
    "tfe.example.com:0/a/b/c", "tfe.example.com:99999/a/b/c", "tfe.example.com:+1/a/b/c", "tfe..com/a/b/c",
    "-tfe.com/a/b/c", "acme/net/aws\n", "a c/net/aws", "[::1]:80/a/b/c",
    "acme/\(String(repeating: "n", count: 65))/aws",
  ])
  func whatIsNoAddressIsRefused(text: String) {
    #expect(throws: InvalidAddress.self) { try ModuleAddress(text) }
  }

  @Test func theReasonNamesThePart() throws {
    let error = #expect(throws: InvalidAddress.self) { try ModuleAddress("acme/net/AWS") }
    #expect(error?.description == "'AWS' is not a target system: 1 to 64 lower-case letters and digits.")
  }

  @Test func theSameHostIsEqualHoweverItIsWritten() throws {
    #expect(try RegistryHost("Registry.Terraform.IO:443") == .publicRegistry)
    #expect(try RegistryHost("a.example:8443") != RegistryHost("a.example"))
  }

  @Test(arguments: ["bob:s3cret@registry.example.com", "bob:s3cret@127.0.0.1:8080", "https://bob:s3cret@example.com"])
  func aPasswordIsNotQuoted(text: String) {
    for error in [
      #expect(throws: InvalidAddress.self) { try RegistryHost(text) },
      #expect(throws: InvalidAddress.self) { try ModuleAddress("\(text)/a/b/c") },
    ] {
      #expect(error?.description.contains("s3cret") == false)
    }
  }
}
