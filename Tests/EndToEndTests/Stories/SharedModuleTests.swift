import Foundation
import TestKit
import Testing

/// Templates that call modules around their folder, as repositories of modules have them, with the real Terraform.
@Suite struct SharedModuleTests {
  private static let files = [
    "web/1.0.0/main.tf": """
    variable "region" { type = string }
    module "each" {
      source   = "../../modules/network"
      for_each = toset(["a", "b"])
      name     = "${each.key} in ${var.region}"
    }
    module "overridden" {
      source     = "./nowhere"
      depends_on = [module.each]
      name       = "overridden"
    }
    module "part" { source = "./parts/part" }
    module "back" { source = "../1.0.0/parts/leaf" }
    output "texts" {
      value = [
        module.each["a"].text, module.each["b"].text, module.overridden.text, module.json[1].text, module.part.text,
        module.back.text,
      ]
    }
    """,
    "web/1.0.0/some_override.tf": #"module "overridden" { source = "../../modules/network" }"#,
    "web/1.0.0/calls.tf.json":
      #"{"module": {"json": {"source": "../../modules/network", "count": 2, "name": "${count.index}"}}}"#,
    "web/1.0.0/parts/part/main.tf": """
    module "up" {
      source = "../../../../modules/network"
      name   = "part"
    }
    output "text" { value = module.up.text }
    """,
    "web/1.0.0/parts/leaf/main.tf": #"output "text" { value = "leaf" }"#,
    "modules/network/main.tf": """
    variable "name" { type = string }
    module "labels" { source = "../labels" }
    module "leaf" { source = "../../web/1.0.0/parts/leaf" }
    resource "terraform_data" "net" {
      input = "${module.labels.prefix} ${var.name} ${file("${path.module}/notes/note.txt")} ${module.leaf.text}"
    }
    output "text" { value = terraform_data.net.output }
    """,
    "modules/network/notes/note.txt": "noted",
    "modules/labels/main.tf": #"output "prefix" { value = "net" }"#,
  ]

  @Test(.timeLimit(.minutes(2)))
  func aTemplateOfARepositoryOfModulesIsPlannedAppliedAndDestroyed() async throws {
    let folder = try TemporaryFolder()
    let repository = try await GitRepository(folder.file("modules.git").path)
    try await repository.commit(Self.files)
    try await GitHTTPServer(folder: folder.path).serve { url in
      try await DevServer.run { dev in
        let added = try await dev.porc.post(
          "/templates/sources", ["name": "platform", "git": .string("\(url)/modules.git")]
        ).expecting(201)
        #expect(added.json["templates"] == 1, "\(added.text)")
        let run = try await dev.deploy(Blueprint.of("web", named: "shared", ["region": "eu"]))
        #expect(
          try await dev.summary(run)["outputs"]["texts"]["value"] == [
            "net a in eu noted leaf", "net b in eu noted leaf", "net overridden noted leaf", "net 1 noted leaf",
            "net part noted leaf", "leaf",
          ])
        let destroy = try await dev.planDestroy("shared")
        #expect(try await dev.summary(destroy)["plan"]["destructions"] == 6)
        try await dev.apply(destroy)
      }
    }
  }
}
