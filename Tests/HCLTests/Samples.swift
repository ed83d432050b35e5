/// Files as public modules have them, with everything that is common and much that is not.
enum Samples {
  static let native = terraform + variables + rest

  static let variables = ##"""
    variable "region" {
      description = "Where, e.g. \"us-west1\" — costs $5 or 100%, never $${literal}."
      type        = string
    }

    variable "zones" {
      type    = list(string) # at least one
      default = ["a", "b",]
      validation {
        condition     = length(var.zones) > 0 && !contains(var.zones, "}")
        error_message = "At least one zone."
      }
      validation {
        condition     = var.zones[0] != ""
        error_message = "Not ${var.zones[0]}."
      }
    }

    variable "node_pools" {
      description = <<-EOT
        The pools:

          - name
          - size
      EOT
      type = list(object({
        name = string // unique
        size = optional(number, 3)
        taints = optional(list(object({
          key   = string
          value = optional(string, "x")
        })), []),
        labels = optional(map(string), { "a b" = "c", d = "e" })
      }))
      default = [
        { name = "main" },
        {
          name   = "big"
          "size" : 5, taints = [{ key = "k" }]
        },
      ]
    }

    variable "admin_password" {
      type      = string
      sensitive = true
      ephemeral = true
    }

    variable "count_max" { default = -1.5e3 }
    variable "nothing" { default = null }
    variable "computed" { default = 1 + 1 }
    variable "strict" {
      type     = bool
      default  = true
      nullable = false
    }
    variable bare { type = map(any) }
    """## + "\n"

  private static let terraform = ##"""
    # A cluster, and what belongs to it.
    terraform {
      required_version = ">= 1.5, < 2.0"
      required_providers {
        google = {
          source                = "hashicorp/google"
          version               = "~> 5.0"
          configuration_aliases = [google.network, google.dns]
        }
        random = "~> 3.1" // the old way
      }
      backend "gcs" {}
    }

    /* not { a block */
    locals {
      odd = "${"}"}${local.other["a}"]}"
      doc = <<EOT
    variable "not_one" { type = string }
    ${join("\n", [for x in var.zones : "%{if x == "a"}${x}%{endif}"])}
    EOT
    }
    """## + "\n"

  private static let rest = ##"""
    module "network" {
      source  = "terraform-google-modules/network/google"
      version = "~> 9.0"
      name    = "x${var.region}"
    }

    module "local" {
      source = "./modules/local"
      providers = { google = google.network }
    }

    resource "google_container_cluster" "this" {
      name = "a"
      dynamic "node_pool" {
        for_each = { for p in var.node_pools : p.name => p... }
        content {
          name = node_pool.value[0].name
        }
      }
    }

    output "endpoint" {
      description = "Where it answers."
      value       = google_container_cluster.this.endpoint
      sensitive   = true
    }
    output "name" { value = var.region }
    """## + "\n"

  static let json = ##"""
    {
      "//": "a comment",
      "variable": \##(jsonVariableBlocks),
      "output": [{"o": {"value": "${var.plain}", "description": "d"}}, {"p": {"value": 1, "ephemeral": true}}],
      "terraform": {"required_version": ">= 1.5", "required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.0"}}},
      "module": {"m": [{"source": "../m"}]},
      "resource": {"null_resource": {"r": {"variable": {"x": {}}}}}
    }
    """##

  static let jsonVariables = #"{"variable": \#(jsonVariableBlocks)}"#

  private static let jsonVariableBlocks = ##"""
    {
      "plain": {},
      "typed": {"//": "also", "type": "list(object({ a = optional(string, \"x\") }))", "description": "a${1+1}", "default": [{}]},
      "literal": {"type": "string", "default": "a${1+1}b %{if true} $${z}", "sensitive": "true", "nullable": false,
        "validation": [
          {"condition": "${var.literal != null}", "error_message": "one"},
          {"condition": "${length(var.literal) > 1}", "error_message": "two"}
        ]}
    }
    """##
}
