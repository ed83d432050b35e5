variable "recipient" {
  type        = string
  description = "Who is greeted; names the file."

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.recipient))
    error_message = "The recipient is made of letters, digits, '-' and '_'."
  }
}

variable "message" {
  type        = string
  description = "What is said."
  default     = "Hello"
}

variable "folder" {
  type        = string
  description = "Where the file is written."
  default     = "/tmp/porc-greetings"
}
