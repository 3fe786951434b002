resource "google_cloud_run_v2_job" "launcher" {
  count = var.launcher == "cloud_run" && var.launcher_image != "" ? 1 : 0

  name     = "${var.name}-launcher"
  location = var.region
  labels   = var.labels
  # it has no state
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.launcher.email
      # Airflow tries again, with a look at what is running already
      max_retries = 0
      # a day: it waits for the job, which has a limit of its own
      timeout = "86400s"

      containers {
        image = var.launcher_image
        resources {
          limits = {
            cpu    = "1"
            memory = "4Gi"
          }
        }
      }
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_job_iam_member" "composer" {
  count = var.composer ? length(google_cloud_run_v2_job.launcher) : 0

  name     = google_cloud_run_v2_job.launcher[0].name
  location = google_cloud_run_v2_job.launcher[0].location
  # starts this job with the arguments of the day
  role   = "roles/run.jobsExecutorWithOverrides"
  member = local.composer[0]
}
