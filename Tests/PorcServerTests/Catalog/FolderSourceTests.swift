import Foundation
import PorcCore
import TestKit
import Testing

@testable import PorcServer

/// Templates out of a folder of modules.
struct FolderSourceTests {
  private typealias Reading = (templates: [Template], archives: [String: Data], findings: [Finding])

  private func read(_ files: [String: String]) async throws -> Reading {
    let folder = try TemporaryFolder()
    for (path, text) in files { try folder.write(text, to: path) }
    return try await FolderSource(folder: folder.path).read()
  }

  private static let good = #"variable "region" { type = string }"#

  @Test func aBrokenModuleHarmsNoOther() async throws {
    let reading = try await read([
      "web/1.0.0/main.tf": Self.good, "web/1.1.0/main.tf": #"variable "region" {"#, "web/latest/main.tf": Self.good,
      "empty/1.0.0/README.md": "nothing", "odd/1.0.0/main.tf": Self.good, "odd/1.0.0/blueprint.yaml": "status: lost",
      "file": "no folder", ".git/config/main.tf": Self.good,
    ])
    #expect(reading.templates.map(\.modulePath) == ["web/1.0.0"])
    let paths = Set(reading.findings.map { $0.message.split(separator: ":").first.map(String.init) ?? "" })
    #expect(paths == ["web/1.1.0", "web/latest", "empty/1.0.0", "odd/1.0.0"])
    #expect(Set(reading.archives.keys) == Set(reading.templates.map(\.archive)))
  }

  /// Only what lies in the folder is offered, and nothing else of the machine is looked at.
  @Test func aLinkOutOfTheFolderIsNotFollowed() async throws {
    let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
    try folder.write(Self.good, to: "web/1.0.0/main.tf")
    try outside.write(Self.good, to: "1.0.0/main.tf")
    try outside.write("nobody's business", to: "secret-name/file")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.file("linked").path, withDestinationPath: outside.path)
    try files.createSymbolicLink(
      atPath: folder.file("web/2.0.0").path, withDestinationPath: outside.file("1.0.0").path)
    // One that stays within is as good as a folder: how volumes of configuration are often laid.
    try files.createSymbolicLink(atPath: folder.file("web/1.1.0").path, withDestinationPath: "1.0.0")
    let reading = try await FolderSource(folder: folder.path).read()
    #expect(reading.templates.map(\.modulePath) == ["web/1.0.0", "web/1.1.0"])
    #expect(reading.findings.map { $0.message.prefix { $0 != ":" } } == ["linked", "web/2.0.0"])
    #expect(reading.findings.allSatisfy { $0.message.contains("link") && !$0.message.contains("secret-name") })
  }

  @Test(arguments: ["we ird", "-web", "größe"])
  func aTemplateHasAPlainName(name: String) async throws {
    let reading = try await read(["\(name)/1.0.0/main.tf": Self.good])
    #expect(reading.templates.isEmpty)
    #expect(reading.findings.first?.message.contains("'\(name)' is no name for a template") == true)
  }

  @Test(arguments: ["absent", "file"])
  func aFolderThatCannotBeReadIsAFault(name: String) async throws {
    let folder = try TemporaryFolder()
    try folder.write("text", to: "file")
    let fault = await #expect(throws: Fault.self) { try await FolderSource(folder: folder.file(name).path).read() }
    #expect(fault?.message.contains(name) == true && fault?.fix?.isEmpty == false)
  }

  /// What is around the source is nobody's business.
  @Test(arguments: [
    ("../../../shared", "source's"), ("./a/../../../../b", "source's"),
    ("../../../../../../../../../../etc", "source's"),
    ("/etc", "template's"),
  ])
  func aModuleThatReachesOutsideIsRefused(source: String, whose: String) async throws {
    let reading = try await read([
      "web/1.0.0/main.tf": "# shared\nmodule \"net\" {\n  source = \"\(source)\"\n}\n", "web/shared/main.tf": Self.good,
      "db/1.0.0/main.tf": Self.good, "shared/1.0.0/main.tf": Self.good,
    ])
    #expect(reading.templates.map(\.modulePath) == ["db/1.0.0", "shared/1.0.0"])
    let finding = try #require(reading.findings.first { $0.message.contains("'net'") })
    #expect(finding.message.hasPrefix("web/1.0.0: main.tf: the module 'net' is outside of the \(whose) folder"))
    #expect(finding.severity == .error && finding.line == 2)
  }

  @Test func aModuleOfAModuleThatReachesOutsideIsRefusedToo() async throws {
    let reading = try await read([
      "web/1.0.0/main.tf": #"module "a" { source = "./modules/a" }"#,
      "web/1.0.0/modules/a/a.tf":
        "module \"b\" {\n source = \"../b\"\n}\nmodule \"out\" {\n source = \"../../../../../x\"\n}\n",
      "web/1.0.0/modules/b/b.tf": #"module "a" { source = "../a" }"#,  // a circle is Terraform's to refuse
    ])
    #expect(reading.templates == [])
    #expect(reading.findings.map(\.line) == [4])
    #expect(reading.findings.first?.message.contains("modules/a/a.tf: the module 'out'") == true)
  }

  @Test func modulesInsideAndElsewhereAreFine() async throws {
    let reading = try await read([
      "web/1.0.0/main.tf": """
      module "a" { source = "./modules/a" }
      module "b" { source = "hashicorp/consul/aws" }
      module "c" { source = "git::https://example.com/vpc.git//net?ref=v1" }
      """,
      "web/1.0.0/modules/a/a.tf": #"module "b" { source = "../b" }"#, "web/1.0.0/modules/b/b.tf": "",
      // Nobody calls it.
      "web/1.0.0/examples/all/main.tf": #"module "web" { source = "../../../../web" }"#,
    ])
    #expect(reading.findings == [])
    #expect(reading.templates.map(\.modulePath) == ["web/1.0.0"])
  }

  @Test func theSameFilesGiveTheSameArchive() async throws {
    let files = ["web/1.0.0/b.tf": "", "web/1.0.0/main.tf": Self.good, "web/1.0.0/modules/a/a.tf": "locals {}"]
    let first = try await read(files)
    #expect(try await read(files).templates.map(\.archive) == first.templates.map(\.archive))
    // What does not belong to the module does not change it.
    let extra = ["web/1.0.0/.terraform/x": "x", "web/1.0.0/terraform.tfstate": "{}", "web/1.0.0/.git/HEAD": "ref"]
    #expect(try await read(files.merging(extra) { $1 }).templates.map(\.archive) == first.templates.map(\.archive))
    let changed = try await read(files.merging(["web/1.0.0/modules/a/a.tf": "locals { a = 1 }"]) { $1 })
    #expect(changed.templates.map(\.archive) != first.templates.map(\.archive))
  }

  @Test func aLinkThatLeavesTheFolderIsRefused() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.good, to: "web/1.0.0/main.tf")
    try folder.write(Self.good, to: "db/1.0.0/main.tf")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("web/1.0.0/secrets.tf").path, withDestinationPath: "/etc/passwd")
    let reading = try await FolderSource(folder: folder.path).read()
    #expect(reading.templates.map(\.modulePath) == ["db/1.0.0"])
    #expect(reading.findings.first?.message.contains("secrets.tf") == true)
  }
}
