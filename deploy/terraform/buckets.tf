# No object has permissions of its own, and none can be made public. Nothing is deleted together with its bucket: `terraform destroy` asks for an empty one.
#
# No versioning. Inputs are read in the generation that was there when a run was planned, so one that is replaced during a run is noticed and not mixed; a
# manifest names the generations, and tells afterwards which of them has changed. Outputs are published by moving whole files, and what was replaced can be built
# again from its manifest: old versions of them would cost as much as the outputs, for nothing. What was deleted by mistake can be restored for seven days
# (soft delete, Cloud Storage's default), except for temporary objects.

resource "google_storage_bucket" "inputs" {
  count = length(var.input_buckets) == 0 ? 1 : 0

  name                        = "${var.project}-${var.name}-inputs"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = var.labels

  # parts of uploads that were never finished are paid for, and shown nowhere
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket" "outputs" {
  name                        = "${var.project}-${var.name}-outputs"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = var.labels

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket" "temp" {
  name                        = "${var.project}-${var.name}-temp"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = var.labels

  # a run removes what it has staged and exported; this is for runs that could not
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.temp_days
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  # nobody wants these back, and soft-deleted objects are paid for
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  depends_on = [google_project_service.api]
}

locals {
  input_buckets = length(var.input_buckets) == 0 ? toset([google_storage_bucket.inputs[0].name]) : var.input_buckets
}
