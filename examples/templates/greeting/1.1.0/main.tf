# Needs no provider but Terraform's own: writes a greeting into a file of the machine that runs Terraform.

locals {
  file = "${var.folder}/${var.recipient}.txt"
  said = "${var.message}, ${var.recipient}!"
  text = var.shout ? upper(local.said) : local.said
}

resource "terraform_data" "greeting" {
  input = {
    file = local.file
    text = local.text
  }
  triggers_replace = [local.file, local.text]

  provisioner "local-exec" {
    command = "mkdir -p \"$(dirname \"$GREETING_FILE\")\" && printf '%s\\n' \"$GREETING_TEXT\" > \"$GREETING_FILE\""
    environment = {
      GREETING_FILE = self.input.file
      GREETING_TEXT = self.input.text
    }
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "rm -f \"$GREETING_FILE\""
    environment = { GREETING_FILE = self.input.file }
  }
}
