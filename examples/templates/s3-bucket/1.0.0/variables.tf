variable "bucket_name" {
  type        = string
  description = "The name of the bucket, unique in AWS."
}

variable "region" {
  type        = string
  description = "The AWS region of the bucket."
}

variable "versioned" {
  type        = bool
  description = "Keeps earlier versions of the objects."
  default     = true
}

variable "force_destroy" {
  type        = bool
  description = "Destroys the bucket even if it holds objects."
  default     = false
}

variable "tags" {
  type        = map(string)
  description = "Tags of the bucket."
  default     = {}
}
