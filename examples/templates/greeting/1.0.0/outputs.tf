output "file" {
  description = "The file that holds the greeting."
  value       = terraform_data.greeting.output.file
}

output "text" {
  description = "What it says."
  value       = terraform_data.greeting.output.text
}
