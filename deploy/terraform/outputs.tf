output "project" {
  description = "For --project."
  value       = var.project
}

output "region" {
  description = "For --region."
  value       = var.region
}

output "inputs" {
  description = "Where inputs are read from."
  value       = [for bucket in local.input_buckets : "gs://${bucket}"]
}

output "output" {
  description = "For --output, with a folder behind it."
  value       = "gs://${google_storage_bucket.outputs.name}"
}

output "temp_location" {
  description = "For --temp-location."
  value       = "gs://${google_storage_bucket.temp.name}/temp"
}

output "images" {
  description = "Where images are pushed to: this, then /worker:TAG or /launcher:TAG."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "worker_service_account" {
  description = "For --service-account-email."
  value       = google_service_account.worker.email
}

output "launcher_service_account" {
  description = "Account that may start jobs, to run as or to impersonate."
  value       = google_service_account.launcher.email
}

output "composer_service_account" {
  description = "For the environment of Cloud Composer; empty without one."
  value       = one(google_service_account.composer[*].email)
}

output "launcher_job" {
  description = "Cloud Run job of the launcher; empty without one."
  value       = one(google_cloud_run_v2_job.launcher[*].name)
}

output "dataset" {
  description = "Dataset for --output-table, as PROJECT.DATASET; empty without one."
  value       = var.bigquery ? "${var.project}.${google_bigquery_dataset.training[0].dataset_id}" : null
}
