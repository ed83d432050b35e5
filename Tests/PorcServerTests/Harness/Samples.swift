import Foundation
import HCL
import PorcCore
import TestKit

/// The template that most tests use, and blueprints of it.
enum Samples {
  static let main = """
    variable "region" { type = string }
    variable "size" {
      type    = number
      default = 1
    }
    variable "tags" {
      type    = map(string)
      default = {}
    }
    variable "password" {
      type      = string
      default   = ""
      sensitive = true
    }
    variable "api_key" {
      type      = string
      default   = ""
      sensitive = true
    }
    output "endpoint" { value = var.region }

    """

  /// A folder of templates with `web/1.0.0` in it.
  static func templates() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(main, to: "web/1.0.0/main.tf")
    return folder
  }

  /// A blueprint as JSON.
  static func blueprint(
    _ name: String = "web", _ inputs: [String: Value] = ["region": "eu"], approval: Bool = false, kind: String = "web"
  ) -> String {
    let metadata: Value = ["name": .string(name), "title": "A test", "approval_required": .bool(approval)]
    let document: Value = [
      "kind": .string(kind), "schema_version": "1.0.0", "metadata": metadata, "inputs": .object(inputs),
    ]
    return document.json()
  }
}
