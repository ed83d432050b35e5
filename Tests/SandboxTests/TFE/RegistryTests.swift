import Archive
import Foundation
import Processes
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(2))) struct RegistryTests {
  static let module = [
    "main.tf": "variable \"a\" {}\noutput \"greeting\" {\n  value = \"hello ${var.a}\"\n}\n",
    "README.md": "# Net\n", "modules/inner/main.tf": "output \"x\" {\n  value = 1\n}\n",
  ]

  @Test func aModuleIsPublishedListedAndDeleted() async throws {
    try await withTemporaryFolder { folder in
      try await TFE.run(in: folder) { tfe in
        let made = try await tfe.createModule("net", "null")
        #expect(made.status == 201 && made.data["type"] == "registry-modules")
        #expect(made.attributes["namespace"] == "acme" && made.attributes["status"] == "pending")
        #expect(try await tfe.createModule("net", "null").status == 422)
        for version in ["1.2.0", "1.10.0", "2.0.0-beta.1"] {
          try await tfe.publish("net", "null", version, Self.module)
        }
      }
      try await TFE.run(in: folder) { tfe in
        let base = "/organizations/acme/registry-modules/private/acme/net/null"
        let read = try await tfe.get(base)
        #expect(read.attributes["status"] == "setup_complete")
        let statuses = read.attributes["version-statuses"].array ?? []
        #expect(statuses.map { $0["version"].string } == ["2.0.0-beta.1", "1.10.0", "1.2.0"])
        #expect(statuses.allSatisfy { $0["status"] == "ok" })
        let listed = try await tfe.get("/organizations/acme/registry-modules?filter[provider]=null&q=ne")
        #expect(listed.data.array?.count == 1 && listed.json["meta"]["pagination"]["total-count"] == 1)
        #expect(try await tfe.get("/organizations/acme/registry-modules?q=other").data.array?.isEmpty == true)
        #expect(
          try await tfe.get("/organizations/acme/registry-modules?filter[registry_name]=public").data.array?.isEmpty
            == true)

        let versions = try await tfe.registry("/acme/net/null/versions")
        #expect(versions.status == 200 && versions.json["modules"][0]["versions"].array?.count == 3)
        let latest = try await tfe.registry("/acme/net/null")
        #expect(latest.json["version"] == "1.10.0" && latest.json["id"] == "acme/net/null/1.10.0")
        #expect(try await tfe.registry("/acme/net/null/1.2.0").json["version"] == "1.2.0")
        #expect(try await tfe.registry("/acme").json["modules"].array?.count == 1)
        #expect(try await tfe.registry("/search?q=NET").json["modules"].array?.count == 1)
        #expect(try await tfe.registry("/search?q=nothing").json["modules"].array?.isEmpty == true)
        let newest = try await tfe.registry("/acme/net/null/download")
        #expect(newest.status == 302 && newest.location?.hasSuffix("/acme/net/null/1.10.0/download") == true)
        for path in ["/acme/net/aws/versions", "/other/net/null/versions", "/acme/net/null/3.0.0/download", "/other"] {
          #expect(try await tfe.registry(path).status == 404, "\(path)")
        }
        #expect(try await tfe.send("GET", tfe.url + "/api/registry/v1/modules/acme").status == 401)

        #expect(try await tfe.send("DELETE", base + "/1.10.0").status == 204)
        #expect(try await tfe.send("DELETE", base + "/1.10.0").status == 404)
        #expect(try await tfe.registry("/acme/net/null").json["version"] == "1.2.0")
        #expect(try await tfe.send("DELETE", base).status == 204)
        #expect(try await tfe.get(base).status == 404)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/data/modules").isEmpty)
      }
    }
  }

  @Test func whatIsNoModuleIsRefused() async throws {
    try await TFE.run { tfe in
      let list = "/organizations/acme/registry-modules"
      for attributes: JSONValue in [
        ["name": "-net", "provider": "null"], ["name": "net", "provider": "Null"], ["provider": "null"],
        ["name": "net", "provider": "null", "registry-name": "public"],
      ] {
        let answer = try await tfe.post(list, ["data": ["type": "registry-modules", "attributes": attributes]])
        #expect(answer.status == 422, "\(answer.text)")
      }
      #expect(try await tfe.post("\(list)/vcs").status == 422)
      _ = try await tfe.createModule("net", "null")
      let path = "\(list)/private/acme/net/null/versions"
      for version in ["1.0", "v1.0.0", "latest", ""] {
        let answer = try await tfe.post(path, ["data": ["attributes": ["version": .string(version)]]])
        #expect(answer.status == 422, "\(version)")
      }
      #expect(try await tfe.post(path.replacing("private", with: "public"), [:]).status == 404)

      let version = try await tfe.post(path, ["data": ["attributes": ["version": "1.0.0"]]])
      #expect(version.status == 201 && version.attributes["status"] == "pending")
      #expect(try await tfe.post(path, ["data": ["attributes": ["version": "1.0.0"]]]).status == 422)
      let upload = version.data["links"]["upload"].string ?? ""
      #expect(try await tfe.registry("/acme/net/null/1.0.0/download").status == 404)
      for (bytes, reason) in [
        (Array("no archive".utf8), "gzip"),
        (try TarGzip.pack([ArchiveEntry(path: "folder/main.tf", text: "")]), "root of the archive"),
      ] {
        #expect(try await tfe.send("PUT", upload, bytes: bytes).status == 200)
        let status = try await tfe.get("\(list)/private/acme/net/null").attributes["version-statuses"][0]
        #expect(status["status"] == "reg_ingress_failed" && status["error"].string?.contains(reason) == true)
      }
      #expect(try await tfe.registry("/acme/net/null/versions").json["modules"][0]["versions"].array?.isEmpty == true)
      let good = try TarGzip.pack([ArchiveEntry(path: "main.tf", text: "")])
      #expect(try await tfe.send("PUT", upload, bytes: good).status == 200)
      #expect(try await tfe.send("PUT", upload, bytes: good).status == 409)
      #expect(try await tfe.send("PUT", upload + "x", bytes: good).status == 404)
      #expect(try await tfe.send("PUT", upload.replacing("upload-module", with: "module"), bytes: good).status == 404)
    }
  }

  @Test func terraformFetchesAPublishedModule() async throws {
    try await TFE.run { tfe in
      _ = try await tfe.createModule("net", "null")
      for version in ["1.2.0", "1.10.0", "2.0.0-beta.1"] { try await tfe.publish("net", "null", version, Self.module) }
      let files = [
        "main.tf": """
        module "net" {
          source  = "tfe.porc.test/acme/net/null"
          version = "~> 1.0"
          a       = "world"
        }
        output "greeting" {
          value = module.net.greeting
        }
        """
      ]
      let terraform = try CLI(tfe, files)
      // Modules need a host with a dot; its host block takes the place of DNS.
      let settings = """
        host "tfe.porc.test" {
          services = {
            "modules.v1" = "\(tfe.url)/api/registry/v1/modules/"
          }
        }
        credentials "tfe.porc.test" {
          token = "\(TFE.token)"
        }
        """
      let file = URL(fileURLWithPath: terraform.folder + ".tfrc")
      try (Data(contentsOf: file) + Data("\n\(settings)\n".utf8)).write(to: file)
      let made = try await terraform("init", "-input=false")
      #expect(made.status.isSuccess && made.text.contains("tfe.porc.test/acme/net/null 1.10.0"), "\(made.text)")
      let archive = tfe.sandbox.requests.records().filter { $0.path.hasPrefix("/_archivist/module/") }
      #expect(archive.map(\.method) == ["HEAD", "GET"] && archive.allSatisfy { $0.status == 200 })
      // The fetched module travels with the configuration.
      let apply = try await terraform("apply", "-input=false", "-auto-approve")
      #expect(apply.status.isSuccess, "\(apply.text)")
      #expect(try await terraform("output", "-raw", "greeting").text == "hello world")
    }
  }
}

extension TFE {
  func createModule(_ name: String, _ provider: String) async throws -> Answer {
    try await post(
      "/organizations/acme/registry-modules",
      [
        "data": [
          "type": "registry-modules",
          "attributes": ["name": .string(name), "provider": .string(provider), "registry-name": "private"],
        ]
      ])
  }

  func publish(_ name: String, _ provider: String, _ version: String, _ files: [String: String]) async throws {
    let made = try await post(
      "/organizations/acme/registry-modules/private/acme/\(name)/\(provider)/versions",
      ["data": ["type": "registry-module-versions", "attributes": ["version": .string(version)]]])
    let archive = try TarGzip.pack(files.map { ArchiveEntry(path: $0.key, text: $0.value) })
    let answer = try await send("PUT", made.data["links"]["upload"].string ?? "", bytes: archive)
    guard made.status == 201, answer.status == 200 else { throw Unexpected(made) }
  }

  /// Asks the registry as `terraform init` does.
  func registry(_ path: String) async throws -> Answer {
    try await send("GET", "/api/registry/v1/modules" + path)
  }
}
