# Three accounts without keys. Each role stands below with its reason; test/terraform holds the list against these files.

resource "google_service_account" "worker" {
  account_id   = "${var.name}-worker"
  display_name = "backstory: workers of Dataflow"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "launcher" {
  account_id   = "${var.name}-launcher"
  display_name = "backstory: starts jobs, follows them, verifies and loads"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "composer" {
  count = var.composer ? 1 : 0

  account_id   = "${var.name}-composer"
  display_name = "backstory: environment of Cloud Composer"

  depends_on = [google_project_service.api]
}

locals {
  worker   = google_service_account.worker.member
  launcher = google_service_account.launcher.member
  composer = google_service_account.composer[*].member

  # Who starts jobs: the launcher's account, in a Cloud Run job or of a person who impersonates it; a pod of Composer has the account of the environment.
  launchers = merge(
    { launcher = local.launcher },
    var.composer && var.launcher == "kubernetes" ? { composer = local.composer[0] } : {},
  )

  # Roles in the whole project: only those that cannot be given on less.
  project_roles = {
    worker = [
      # takes work from Dataflow, shuffles, and writes logs and metrics; the account of workers must have it
      "roles/dataflow.worker",
    ]
    launcher = concat([
      # creates jobs, follows and cancels them
      "roles/dataflow.developer",
      ],
      var.bigquery ? [
        # runs the queries that export inputs, and the jobs that load outputs
        "roles/bigquery.jobUser",
      ] : [],
    )
    composer = concat([
      # what an environment of Composer needs of its account
      "roles/composer.worker",
      # sees the state of jobs, for the sensor that waits
      "roles/dataflow.viewer",
      ],
      var.launcher == "cloud_run" ? [
        # sees how a run of the launcher ends
        "roles/run.viewer",
      ] : [],
    )
  }

  # Roles on a bucket.
  bucket_roles = {
    inputs = {
      worker = [
        # lists and reads the inputs
        "roles/storage.objectViewer",
      ]
      launcher = [
        # lists inputs and reads their footers, to plan; verifies
        "roles/storage.objectViewer",
        # asks for the bucket's region, to warn where it is not the job's
        "roles/storage.legacyBucketReader",
      ]
    }
    outputs = {
      worker = [
        # writes files, and publishes: moves and removes
        "roles/storage.objectUser",
      ]
      launcher = [
        # looks for partitions that exist, cleans what dead runs left, verifies, writes figures and rejects
        "roles/storage.objectUser",
        # asks for the bucket's region
        "roles/storage.legacyBucketReader",
      ]
    }
    temp = {
      worker = [
        # reads what is staged; writes and removes temporary objects
        "roles/storage.objectUser",
      ]
      launcher = [
        # stages the pipeline, exports tables, and removes both
        "roles/storage.objectUser",
        # asks for the bucket's region
        "roles/storage.legacyBucketReader",
      ]
    }
  }
}

resource "google_project_iam_member" "worker" {
  for_each = toset(local.project_roles.worker)

  project = var.project
  role    = each.value
  member  = local.worker
}

resource "google_project_iam_member" "launcher" {
  for_each = { for pair in setproduct(keys(local.launchers), local.project_roles.launcher) : "${pair[0]} ${pair[1]}" => pair }

  project = var.project
  role    = each.value[1]
  member  = local.launchers[each.value[0]]
}

resource "google_project_iam_member" "composer" {
  for_each = var.composer ? toset(local.project_roles.composer) : toset([])

  project = var.project
  role    = each.value
  member  = local.composer[0]
}

locals {
  buckets = {
    # the names of the existing ones are known before anything is made, and that of the new one is put together as in buckets.tf
    inputs  = length(var.input_buckets) == 0 ? toset(["${var.project}-${var.name}-inputs"]) : var.input_buckets
    outputs = toset(["${var.project}-${var.name}-outputs"])
    temp    = toset(["${var.project}-${var.name}-temp"])
  }

  worker_bucket_roles = flatten([
    for kind, names in local.buckets : [
      for bucket in names : [
        for role in local.bucket_roles[kind].worker : { bucket = bucket, role = role }
      ]
    ]
  ])

  launcher_bucket_roles = flatten([
    for kind, names in local.buckets : [
      for bucket in names : [
        for role in local.bucket_roles[kind].launcher : [
          for who in keys(local.launchers) : { bucket = bucket, role = role, who = who }
        ]
      ]
    ]
  ])
}

resource "google_storage_bucket_iam_member" "worker" {
  for_each = { for grant in local.worker_bucket_roles : "${grant.bucket} ${grant.role}" => grant }

  bucket = each.value.bucket
  role   = each.value.role
  member = local.worker

  depends_on = [google_storage_bucket.inputs, google_storage_bucket.outputs, google_storage_bucket.temp]
}

resource "google_storage_bucket_iam_member" "launcher" {
  for_each = { for grant in local.launcher_bucket_roles : "${grant.who} ${grant.bucket} ${grant.role}" => grant }

  bucket = each.value.bucket
  role   = each.value.role
  member = local.launchers[each.value.who]

  depends_on = [google_storage_bucket.inputs, google_storage_bucket.outputs, google_storage_bucket.temp]
}

resource "google_service_account_iam_member" "launcher_as_worker" {
  for_each = local.launchers

  service_account_id = google_service_account.worker.name
  # names the workers' account in a job, on that account only
  role   = "roles/iam.serviceAccountUser"
  member = each.value
}

resource "google_artifact_registry_repository_iam_member" "worker" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  # pulls the workers' image
  role   = "roles/artifactregistry.reader"
  member = local.worker
}

resource "google_artifact_registry_repository_iam_member" "composer" {
  count = var.composer && var.launcher == "kubernetes" ? 1 : 0

  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  # pulls the launcher's image into the environment's cluster
  role   = "roles/artifactregistry.reader"
  member = local.composer[0]
}
