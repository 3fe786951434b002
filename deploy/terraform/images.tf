resource "google_artifact_registry_repository" "images" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  description   = "Images of backstory's workers and launcher."
  labels        = var.labels

  docker_config {
    # a tag is one image for ever, so that workers are what the launcher thinks they are
    immutable_tags = true
  }

  depends_on = [google_project_service.api]
}
