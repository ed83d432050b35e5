output "endpoint" {
  description = "The address of the cluster's API."
  value       = google_container_cluster.this.endpoint
}

output "ca_certificate" {
  description = "The certificate that the cluster's API is signed with."
  value       = google_container_cluster.this.master_auth[0].cluster_ca_certificate
  sensitive   = true
}
