output "file" {
  description = "The file that holds the greeting."
  value       = terraform_data.greeting.output.file
}

output "text" {
  description = "What it says."
  value       = terraform_data.greeting.output.text
}

output "signature_length" {
  description = "How long the signature is."
  value       = nonsensitive(length(var.signature))
}

output "signed_text" {
  description = "The greeting with its signature."
  value       = "${local.text} ${var.signature}"
  sensitive   = true
}
