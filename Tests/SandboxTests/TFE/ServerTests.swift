import Archive
import Foundation
import Sandbox
import Testing

@Suite(.timeLimit(.minutes(2))) struct ServerTests {
  @Test func aTokenIsAskedForAndOthersAreRefused() async throws {
    try await TFE.run { tfe in
      for token in [nil, "", "wrong", TFE.token + "x"] as [String?] {
        let answer = try await tfe.send("GET", "/organizations/acme/workspaces", token: token)
        #expect(answer.status == 401 && answer.json["errors"][0]["title"] == "unauthorized")
        #expect(try await tfe.send("GET", "/_sandbox/requests", token: token).status == 401)
      }
      #expect(try await tfe.send("GET", "/ping", token: nil).status == 204)
      let discovery = try await tfe.get(tfe.url + "/.well-known/terraform.json")
      #expect(discovery.json["tfe.v2"] == "/api/v2/")
    }
  }

  @Test func errorsAreJSONAPIDocuments() async throws {
    try await TFE.run { tfe in
      let missing = try await tfe.get("/organizations/other/entitlement-set")
      #expect(missing.status == 404 && missing.json["errors"][0]["status"] == "404")
      #expect(try await tfe.get("/no/such/route").json["errors"][0]["title"] == "not found")
      #expect(try await tfe.get("/runs/run-x").status == 404)
      let include = try await tfe.get("/organizations/acme/workspaces?include=current_run,nonsense")
      #expect(include.status == 400 && include.json["errors"][0]["title"] == "Invalid include parameter")
      _ = try await tfe.createWorkspace("demo")
      let taken = try await tfe.post(
        "/organizations/acme/workspaces", ["data": ["type": "workspaces", "attributes": ["name": "demo"]]])
      #expect(taken.status == 422)
      #expect(taken.json["errors"][0]["source"]["pointer"] == "/data/attributes/name")
      let bad = try await tfe.post(
        "/organizations/acme/workspaces",
        ["data": ["type": "workspaces", "attributes": ["name": "x", "auto-apply": "yes"]]])
      #expect(bad.json["errors"][0]["source"]["pointer"] == "/data/attributes/auto-apply")
      let text = try await tfe.send("POST", "/runs", .string("not an object"))
      #expect(text.status == 422)
    }
  }

  @Test func workspacesAreFoundByTheirNamesTagsAndRuns() async throws {
    try await TFE.run { tfe in
      let project = try await tfe.post(
        "/organizations/acme/projects",
        ["data": ["type": "projects", "attributes": ["name": "Team A"]]])
      #expect(project.status == 201)
      let listed = try await tfe.get("/organizations/acme/projects?filter%5Bnames%5D=team%20a")
      #expect(listed.data.array?.count == 1)
      for index in 0..<25 { _ = try await tfe.createWorkspace("porc-\(index)") }
      let tagged = try await tfe.post(
        "/organizations/acme/workspaces",
        [
          "data": [
            "type": "workspaces", "attributes": ["name": "Other"],
            "relationships": [
              "project": ["data": ["type": "projects", "id": .string(project.id)]],
              "tag-bindings": ["data": [["type": "tag-bindings", "attributes": ["key": "team", "value": "x"]]]],
            ],
          ]
        ])
      func names(_ query: String) async throws -> [String] {
        let answer = try await tfe.get("/organizations/acme/workspaces?\(query)")
        return (answer.data.array ?? []).compactMap { $0["attributes"]["name"].string }
      }
      #expect(try await names("filter[tagged][0][key]=team&filter[tagged][0][value]=x") == ["Other"])
      #expect(try await names("filter[tagged][0][key]=team&filter[tagged][0][value]=y") == [])
      #expect(try await names("search[wildcard-name]=porc-1*").count == 11)
      #expect(try await names("search[name]=OTHER&junk=1") == ["Other"])
      #expect(try await names("filter[project][id]=\(project.id)") == ["Other"])
      let page = try await tfe.get(
        "/organizations/acme/workspaces?search[wildcard-name]=porc-*&page[size]=10&page[number]=3")
      #expect(page.data.array?.count == 5)
      #expect(page.json["meta"]["pagination"]["total-count"] == 25)
      #expect(page.json["meta"]["pagination"]["next-page"].isNull)
      #expect(page.json["links"]["prev"].string?.contains("page%5Bnumber%5D=2") == true)
      #expect(try await names("page[number]=99999999999999999").isEmpty)

      let run = try await tfe.startRun(tagged.id, tfe.upload(tagged.id, Configuration.one))
      try await tfe.wait(for: run, ["planned"])
      let waiting = try await tfe.get(
        "/organizations/acme/workspaces?filter[current-run][status]=planned&include=current-run.plan")
      #expect(waiting.data.array?.count == 1)
      #expect(Set((waiting.json["included"].array ?? []).compactMap { $0["type"].string }) == ["runs", "plans"])
    }
  }

  @Test func runsAreFoundByTheirMessageAndStatus() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.upload(workspace, Configuration.one)
      let first = try await tfe.startRun(workspace, version, ["message": "porc-1/1"])
      try await tfe.wait(for: first, ["planned"])
      let second = try await tfe.startRun(workspace, version, ["message": "porc-2/1"])
      let planOnly = try await tfe.startRun(workspace, version, ["message": "porc-3/1", "plan-only": true])
      func ids(_ path: String) async throws -> [String] {
        (try await tfe.get(path).data.array ?? []).compactMap { $0["id"].string }
      }
      #expect(try await ids("/workspaces/\(workspace)/runs") == [second, first])
      #expect(try await ids("/organizations/acme/runs") == [planOnly, second, first])
      #expect(try await ids("/workspaces/\(workspace)/runs?filter[operation]=plan_only") == [planOnly])
      #expect(try await ids("/organizations/acme/runs?search%5Bbasic%5D=porc-1%2F1") == [first])
      #expect(try await ids("/organizations/acme/runs?filter[status]=planned") == [first])
      #expect(
        try await ids("/organizations/acme/runs?filter[status_group]=non_final&filter[workspace_names]=demo").contains(
          second))
      #expect(try await ids("/organizations/acme/runs?filter[workspace_names]=nope") == [])
      let page = try await tfe.get("/organizations/acme/runs?page[size]=1")
      #expect(page.json["meta"]["pagination"]["next-page"] == 2)
      #expect(page.json["meta"]["pagination"]["total-count"].isNull)
    }
  }

  @Test func anUploadIsTakenOnceAndOnlyFromWhoKnowsItsAddress() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.post(
        "/workspaces/\(workspace)/configuration-versions",
        ["data": ["type": "configuration-versions", "attributes": ["auto-queue-runs": false]]])
      let url = version.attributes["upload-url"].string ?? ""
      #expect(try await tfe.get("/configuration-versions/\(version.id)").attributes["upload-url"].isNull)
      let archive = try TarGzip.pack([ArchiveEntry(path: "main.tf", text: "")])
      let last = url.last == "0" ? "1" : "0"
      #expect(try await tfe.send("PUT", url.dropLast() + last, bytes: archive).status == 404)
      let other = url.replacing(version.id, with: "cv-another")
      #expect(try await tfe.send("PUT", other, bytes: archive).status == 404)
      #expect(try await tfe.createRun(workspace, version.id).status == 422)
      #expect(try await tfe.send("PUT", url, bytes: archive).status == 200)
      #expect(try await tfe.send("PUT", url, bytes: archive).status == 409)
      let link = try await tfe.get("/configuration-versions/\(version.id)/download").location ?? ""
      #expect(try await tfe.get(link).body == archive)
    }
  }

  @Test func aHostileUploadIsErroredAndWritesNothing() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let version = try await tfe.post(
        "/workspaces/\(workspace)/configuration-versions", ["data": ["type": "configuration-versions"]])
      let answer = try await tfe.send("PUT", version.attributes["upload-url"].string ?? "", bytes: Array("junk".utf8))
      #expect(answer.status == 200)
      let read = try await tfe.get("/configuration-versions/\(version.id)")
      #expect(read.attributes["status"] == "errored" && read.attributes["error-message"].string != nil)
      #expect(try await tfe.createRun(workspace, version.id).status == 422)
      #expect(try FileManager.default.contentsOfDirectory(atPath: tfe.folder + "/data/archives").isEmpty)
    }
  }

  @Test func whatAnEarlierInitOrABackendLeftInAnUploadIsNotUsed() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      var files = Configuration.one
      files["zzzz_sandbox_override.tf"] = "terraform {\n  backend \"s3\" {}\n}\n"
      files["terraform.tfstate"] = "not a state"
      files[".terraform/terraform.tfstate"] = "{\"version\":3,\"backend\":{\"type\":\"s3\"}}"
      files["cloud.tf"] =
        "terraform {\n  cloud {\n    organization = \"other\"\n    workspaces {\n      name = \"x\"\n    }\n  }\n}\n"
      try await tfe.apply(workspace, files)
      #expect(try await tfe.outputs(workspace)["o"] == "a")
    }
  }

  @Test func variablesWinInTheRightOrderAndSensitiveOnesAreNeverShown() async throws {
    try await TFE.run(environment: ["GIVEN": "to the worker"]) { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      func set(_ key: String, _ value: String, _ attributes: JSONValue = [:]) async throws -> TFE.Answer {
        var attributes = attributes
        attributes["key"] = .string(key)
        attributes["value"] = .string(value)
        if attributes["category"].isNull { attributes["category"] = "terraform" }
        return try await tfe.post(
          "/workspaces/\(workspace)/vars", ["data": ["type": "vars", "attributes": attributes]])
      }
      let secret = "s3cr3t-${value}-\"quoted\"-%{x}\\end"
      let variable = try await set("secret", secret, ["sensitive": true])
      #expect(variable.status == 201 && variable.attributes["value"].isNull)
      #expect(try await set("secret", "again").status == 422)
      #expect(try await set("bad key", "x").status == 422)
      _ = try await set("list", "[\"x\", \"y\"]", ["hcl": true])
      _ = try await set("workspace", "from workspace")
      _ = try await set("run", "from workspace")
      _ = try await set("undeclared", "nobody asked")
      _ = try await set("FROM_ENV", "env value", ["category": "env", "sensitive": true])
      let files = [
        "main.tf": """
        variable "secret" {
          sensitive = true
        }
        variable "list" {
          type = list(string)
        }
        variable "file" {}
        variable "workspace" {}
        variable "run" {}
        resource "terraform_data" "x" {
          provisioner "local-exec" {
            command = "echo \\"[$FROM_ENV][$GIVEN][$PORC_TEST_INHERITED]\\" > env.txt"
          }
        }
        output "all" {
          value = [var.file, var.workspace, var.run, join(",", var.list), length(var.secret)]
          sensitive = true
        }
        output "secret" {
          value     = var.secret
          sensitive = true
        }
        """,
        "x.auto.tfvars": "file = \"from file\"\nworkspace = \"from file\"\nrun = \"from file\"\n",
      ]
      setenv("PORC_TEST_INHERITED", "leaked", 1)
      let run = try await tfe.apply(
        workspace, files, ["variables": [["key": "run", "value": "\"from run\""]]])
      let list = try await tfe.get("/workspaces/\(workspace)/current-state-version-outputs")
      for output in list.data.array ?? [] {
        #expect(output["attributes"]["value"].isNull && output["attributes"]["sensitive"] == true)
        let value = try await tfe.get("/state-version-outputs/\(output["id"].string ?? "")").attributes["value"]
        if output["attributes"]["name"] == "secret" {
          #expect(value.string == secret)
        } else {
          #expect(
            value == ["from file", "from workspace", "from run", "x,y", .init(secret.count)])
        }
      }
      let environment = try String(
        contentsOfFile: tfe.folder + "/data/runs/\(run.id)/work/env.txt", encoding: .utf8)
      #expect(environment == "[env value][to the worker][]\n")

      // A changed value is write-only as well.
      let changed = try await tfe.send(
        "PATCH", "/workspaces/\(workspace)/vars/\(variable.id)",
        ["data": ["type": "vars", "attributes": ["value": "other-s3cr3t"]]])
      #expect(changed.status == 200 && changed.attributes["value"].isNull)
      let exposed = try await tfe.send(
        "PATCH", "/workspaces/\(workspace)/vars/\(variable.id)",
        ["data": ["type": "vars", "attributes": ["sensitive": false]]])
      #expect(exposed.status == 422)

      let log = try await tfe.log(run.id, "plan") + tfe.log(run.id, "apply")
      let requests = try String(contentsOfFile: tfe.folder + "/data/requests.jsonl", encoding: .utf8)
      for text in [log, requests] { #expect(!text.contains("s3cr3t")) }
      #expect(!requests.contains("env value") && !requests.contains(TFE.token))
      #expect(requests.contains("from workspace"))
      let left = FileManager.default.enumerator(atPath: tfe.folder + "/data")?.compactMap { $0 as? String } ?? []
      #expect(!left.isEmpty && !left.contains { $0.hasSuffix(".tfvars") && !$0.contains("/work/") })
    }
  }

  @Test func theRedactedPlanHasNoSecrets() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo")
      let files = [
        "main.tf": """
        variable "password" {
          sensitive = true
        }
        resource "terraform_data" "x" {
          input = { user = "visible", password = var.password }
        }
        output "p" {
          value     = var.password
          sensitive = true
        }
        """
      ]
      let run = try await tfe.startRun(
        workspace, tfe.upload(workspace, files),
        ["plan-only": true, "variables": [["key": "password", "value": "\"hunter2\""]]])
      let done = try await tfe.wait(for: run, ["planned_and_finished"])
      let plan = done.data["relationships"]["plan"]["data"]["id"].string ?? ""
      let redacted = try await tfe.get("/plans/\(plan)/json-output-redacted")
      #expect(redacted.status == 200 && !redacted.text.contains("hunter2") && redacted.text.contains("visible"))
      #expect(redacted.json["provider_schemas"].object?.isEmpty == false)
      let full = try await tfe.get("/runs/\(run)/plan/json-output")
      #expect(full.status == 307)
      #expect(try await tfe.get(full.location ?? "").text.contains("hunter2"))
      #expect(try await !tfe.log(run, "plan").contains("hunter2"))
    }
  }

  @Test func statesAreTakenInOrderFromWhoHoldsTheLock() async throws {
    try await TFE.run { tfe in
      let workspace = try await tfe.createWorkspace("demo", ["execution-mode": "local"])
      func document(_ serial: Int, _ lineage: String = "l") -> JSONValue {
        let state = "{\"version\":4,\"serial\":\(serial),\"lineage\":\"\(lineage)\",\"outputs\":{},\"resources\":[]}"
        return [
          "data": [
            "type": "state-versions",
            "attributes": [
              "serial": .init(serial), "lineage": .string(lineage), "md5": .string(md5(state)),
              "state": .string(Data(state.utf8).base64EncodedString()),
            ],
          ]
        ]
      }
      let path = "/workspaces/\(workspace)/state-versions"
      #expect(try await tfe.post(path, document(1)).status == 409)
      #expect(try await tfe.post("/workspaces/\(workspace)/actions/lock").status == 200)
      #expect(try await tfe.post(path, document(1)).status == 201)
      #expect(try await tfe.post(path, document(1)).status == 409)
      #expect(try await tfe.post(path, document(2, "other")).status == 409)
      #expect(try await tfe.post(path, document(2)).status == 201)
      let current = try await tfe.get("/workspaces/\(workspace)/current-state-version")
      #expect(current.attributes["serial"] == 2 && current.attributes["status"] == "finalized")
      let versions = try await tfe.get(
        "/state-versions?filter[workspace][name]=demo&filter[organization][name]=acme")
      #expect(versions.data.array?.count == 2)
      #expect(try await tfe.createRun(workspace).status == 422)
    }
  }

  @Test func theRequestLogTellsWhatWasAskedSince() async throws {
    try await TFE.run { tfe in
      _ = try await tfe.createWorkspace("demo")
      let last = tfe.sandbox.requests.last
      _ = try await tfe.get("/organizations/acme/workspaces/demo?include=project")
      let new = tfe.sandbox.requests.records(after: last)
      #expect(new.map(\.line) == ["GET /api/v2/organizations/acme/workspaces/demo?include=project"])
      #expect(new.first?.status == 200)
      let read = try await tfe.get("/_sandbox/requests?after=\(last - 1)")
      #expect(read.json["requests"].array?.count == 2)
      #expect(read.json["requests"][0]["body"].string?.contains("\"name\":\"demo\"") == true)
    }
  }
}

/// By the system's own tool: the test must not agree with the sandbox by sharing its code.
private func md5(_ text: String) -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/md5sum")
  let (input, output) = (Pipe(), Pipe())
  (process.standardInput, process.standardOutput) = (input, output)
  try? process.run()
  input.fileHandleForWriting.write(Data(text.utf8))
  try? input.fileHandleForWriting.close()
  let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  return String(answer.prefix(32))
}
