import Foundation
import TestKit

/// The templates of the stories: they need nothing but Terraform itself.
enum Modules {
  static func write(to folder: TemporaryFolder) throws {
    let templates = folder.file("templates")
    guard !FileManager.default.fileExists(atPath: templates.path) else { return }
    for name in ["gke-cluster", "greeting", "s3-bucket"] {
      try FileManager.default.createDirectory(at: templates, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: Executable.package.appending(path: "examples/templates/\(name)"), to: templates.appending(path: name))
    }
    for (path, text) in all {
      try folder.write(text, to: "templates/\(path)")
    }
  }

  private static let all = [
    "service/1.0.0/blueprint.yaml": """
    title: Service 1.0.0
    owner: platform
    repo_url: https://example.com/infra-modules/service
    """,
    "service/1.0.0/main.tf": service(outputs: #"output "text" { value = terraform_data.text.output }"#),
    "service/2.0.0/main.tf": service(
      outputs: """
        output "text" { value = terraform_data.text.output }
        output "version" { value = "two" }
        """),
    "other/1.0.0/main.tf": service(outputs: #"output "other" { value = terraform_data.text.output }"#),
    // It shows what it was told to keep.
    "leaky/1.0.0/main.tf": """
    variable "password" {
      type      = string
      sensitive = true
    }
    variable "fails" { type = bool }
    resource "terraform_data" "leak" {
      input = nonsensitive(var.password)
      lifecycle {
        precondition {
          condition     = !var.fails
          error_message = "The password ${nonsensitive(var.password)} is too weak."
        }
      }
      provisioner "local-exec" {
        command     = "echo the password is $P"
        environment = { P = nonsensitive(var.password) }
      }
      provisioner "local-exec" {
        when        = destroy
        command     = "echo the old password was $P"
        environment = { P = self.input }
      }
      triggers_replace = [nonsensitive(var.password)]
    }
    resource "terraform_data" "key" { for_each = toset([nonsensitive(var.password)]) }
    output "leaked" { value = ["with", terraform_data.leak.output] }
    output "length" { value = length(nonsensitive(var.password)) }
    """,
    // The first resource is made at once; the second waits at the gate.
    "gated/1.0.0/main.tf": """
    variable "gate" { type = string }
    variable "text" {
      type    = string
      default = "text"
    }
    resource "terraform_data" "first" { input = var.text }
    resource "terraform_data" "second" {
      depends_on = [terraform_data.first]
      input      = var.text
      provisioner "local-exec" {
        command     = "if [ -e $GATE.apply ]; then : >$GATE.apply.reached; fi; while [ -e $GATE.apply ]; do sleep 0.05; done"
        environment = { GATE = var.gate }
      }
    }
    output "text" { value = terraform_data.second.output }
    """,
    "failing/1.0.0/main.tf": """
    variable "phase" { type = string }
    resource "terraform_data" "checked" {
      lifecycle {
        precondition {
          condition     = var.phase != "plan"
          error_message = "The address pool 10.0.0.0/24 is exhausted."
        }
      }
    }
    resource "terraform_data" "made" {
      depends_on = [terraform_data.checked]
      provisioner "local-exec" {
        command = var.phase == "apply" ? "echo the disk is full >&2; exit 3" : "true"
      }
    }
    """,
    "guarded/1.0.0/main.tf": """
    variable "password" {
      type      = string
      sensitive = true
      validation {
        condition     = length(var.password) > 100
        error_message = "The password is too short."
      }
    }
    resource "terraform_data" "kept" { input = var.password }
    """,
    // Says in each plan what is in a file at that time.
    "noted/1.0.0/main.tf": """
    variable "note" { type = string }
    resource "terraform_data" "made" {}
    check "note" {
      assert {
        condition     = !fileexists(var.note)
        error_message = "The note says ${file(var.note)}."
      }
    }
    """,
    "future/1.0.0/main.tf": """
    terraform {
      required_version = "> 99.0"
    }
    """,
    // Gives back what it was given, once through a resource.
    "echo/1.0.0/main.tf": """
    variable "text" { type = string }
    variable "list" { type = list(string) }
    variable "map" { type = map(string) }
    variable "file" { type = string }
    resource "terraform_data" "kept" {
      input = { text = var.text, list = var.list, map = var.map }
      provisioner "local-exec" {
        command     = "printf %s \\"$TEXT\\" >\\"$FILE\\""
        environment = { TEXT = var.text, FILE = var.file }
      }
    }
    output "text" { value = terraform_data.kept.output.text }
    output "list" { value = terraform_data.kept.output.list }
    output "map" { value = terraform_data.kept.output.map }
    """,
    "vault/1.0.0/main.tf": """
    variable "password" {
      type      = string
      sensitive = true
    }
    variable "keys" {
      type      = map(list(string))
      sensitive = true
      default   = {}
    }
    variable "text" {
      type    = string
      default = "shown"
    }
    resource "terraform_data" "kept" { input = { password = var.password, keys = var.keys, text = var.text } }
    output "length" { value = nonsensitive(length(var.password)) }
    output "hash" { value = nonsensitive(sha256(var.password)) }
    output "keys_hash" { value = nonsensitive(sha256(jsonencode(var.keys))) }
    output "password" {
      value     = terraform_data.kept.output.password
      sensitive = true
    }
    """,
  ]

  private static func service(outputs: String) -> String {
    """
    variable "region" { type = string }
    variable "text" { type = string }
    variable "replicas" {
      type    = number
      default = 1
    }
    resource "terraform_data" "text" { input = var.text }
    resource "terraform_data" "replica" {
      count = var.replicas
      input = var.region
    }
    \(outputs)
    """
  }
}

/// Blueprints of those templates.
enum Blueprint {
  static func of(
    _ kind: String, _ version: String = "1.0.0", named name: String, approvalRequired: Bool = false,
    _ inputs: JSON
  ) -> JSON {
    [
      "kind": .string(kind), "schema_version": .string(version),
      "metadata": [
        "name": .string(name), "title": .string("The \(name)"), "environment": "test", "owner": "team-a",
        "repo_url": "https://example.com/blueprints", "approval_required": .bool(approvalRequired),
      ],
      "inputs": inputs,
    ]
  }

  static func service(
    _ version: String = "1.0.0", named name: String, text: String = "one", approvalRequired: Bool = false
  ) -> JSON {
    of(
      "service", version, named: name, approvalRequired: approvalRequired,
      ["region": "eu-west", "text": .string(text)])
  }

  static func gated(named name: String, _ gate: Gate, text: String = "one") -> JSON {
    of("gated", named: name, ["gate": .string(gate.path), "text": .string(text)])
  }
}
