locals {
  apis = concat(
    [
      "artifactregistry.googleapis.com", # images
      "cloudbuild.googleapis.com",       # builds them
      "compute.googleapis.com",          # workers are its machines
      "dataflow.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",    # what workers and jobs say
      "monitoring.googleapis.com", # the alert
      "storage.googleapis.com",
    ],
    var.bigquery ? ["bigquery.googleapis.com"] : [],
    var.composer ? ["composer.googleapis.com"] : [],
    var.launcher == "cloud_run" ? ["run.googleapis.com"] : [],
  )
}

resource "google_project_service" "api" {
  for_each = toset(local.apis)

  service = each.value
  # others in the project may use them
  disable_on_destroy = false
}
