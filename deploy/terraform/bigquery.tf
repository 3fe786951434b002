resource "google_bigquery_dataset" "training" {
  count = var.bigquery ? 1 : 0

  dataset_id  = replace(var.name, "-", "_")
  location    = var.region
  description = "Training inputs that backstory has built, for --output-table."
  labels      = var.labels

  depends_on = [google_project_service.api]
}

resource "google_bigquery_dataset_iam_member" "launcher" {
  for_each = var.bigquery ? local.launchers : {}

  dataset_id = google_bigquery_dataset.training[0].dataset_id
  # makes the table and replaces its partitions, in this dataset only
  role   = "roles/bigquery.dataEditor"
  member = each.value
}

resource "google_bigquery_dataset_iam_member" "source" {
  for_each = { for pair in setproduct(var.source_datasets, keys(local.launchers)) : "${pair[0]} ${pair[1]}" => pair }

  project    = split(".", each.value[0])[0]
  dataset_id = split(".", each.value[0])[1]
  # reads the tables of the input
  role   = "roles/bigquery.dataViewer"
  member = local.launchers[each.value[1]]
}
