resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "backstory: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "failed" {
  display_name          = "backstory: a run has failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  conditions {
    display_name = "a job of ${var.name} has failed, or its launcher"

    # Dataflow says so once, at the end; errors of single workers are tried again and are not told
    condition_matched_log {
      filter = <<-EOT
        (resource.type="dataflow_step" AND log_id("dataflow.googleapis.com/job-message") AND severity>=ERROR
         AND resource.labels.job_name=~"^${var.name}-" AND textPayload:"Workflow failed")
        OR (resource.type="cloud_run_job" AND resource.labels.job_name="${var.name}-launcher" AND severity>=ERROR)
      EOT
      label_extractors = {
        job = "EXTRACT(resource.labels.job_name)"
      }
    }
  }

  alert_strategy {
    notification_rate_limit {
      period = "300s"
    }
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Nothing of this run is published; what was there before still is. The reason is the job's last message: [jobs](https://console.cloud.google.com/dataflow/jobs?project=${var.project}). Then clear the task `submit` of that day in Airflow, or run the command again."
  }

  depends_on = [google_project_service.api]
}
