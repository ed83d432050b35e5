variable "region" {
  type        = string
  description = "The region of the cluster."
}

variable "project_id" {
  type        = string
  description = "The Google Cloud project that pays for it."
}

variable "cluster_name" {
  type        = string
  description = "The name of the cluster."
  default     = "main"
}

variable "release_channel" {
  type        = string
  description = "How soon the cluster gets new versions."
  default     = "REGULAR"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE"], var.release_channel)
    error_message = "The release channel is RAPID, REGULAR or STABLE."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Refuses to destroy the cluster."
  default     = false
}

variable "node_pools" {
  description = "The pools of nodes."
  type = list(object({
    name         = string
    size         = optional(number, 1)
    machine_type = optional(string, "e2-standard-4")
  }))
  default = [{ name = "default" }]
}
