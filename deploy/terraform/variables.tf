variable "project" {
  description = "Id of the project. It exists and has a billing account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project's id, such as my-project-123; neither its name nor its number."
  }
}

variable "region" {
  description = "Region of the buckets, of the images and of the jobs: one for all, so that nothing is paid for traffic between regions."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region, such as europe-west1; neither a zone (europe-west1-b) nor a multi-region (eu)."
  }
}

variable "name" {
  description = "Begins the name of all that is made here; jobs whose names begin with it are watched."
  type        = string
  default     = "backstory"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,15}$", var.name)) && !endswith(var.name, "-")
    error_message = "name must have 3 to 16 lower-case letters, digits and -, with a letter first and no - last."
  }
}

variable "input_buckets" {
  description = "Buckets that are there already and have tables of the input; they may be read. Without any, one is made."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for bucket in var.input_buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", bucket))])
    error_message = "input_buckets must be names of buckets, without gs:// and without folders."
  }
}

variable "temp_days" {
  description = "Days after which a temporary object that nobody has removed is deleted. A job must not take so long."
  type        = number
  default     = 7

  validation {
    condition     = var.temp_days >= 3 && var.temp_days <= 90 && floor(var.temp_days) == var.temp_days
    error_message = "temp_days must be a whole number of days from 3 to 90."
  }
}

variable "bigquery" {
  description = "Whether tables of BigQuery are read or written: makes a dataset for the output and allows the launcher to run queries."
  type        = bool
  default     = true
}

variable "source_datasets" {
  description = "Datasets of this project or of others that have tables of the input, as PROJECT.DATASET; they may be read."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for dataset in var.source_datasets : can(regex("^[a-z0-9.:-]+\\.[A-Za-z0-9_]+$", dataset))])
    error_message = "source_datasets must be written as PROJECT.DATASET."
  }
}

variable "composer" {
  description = "Whether Cloud Composer runs it daily: makes an account for its environment. The environment itself is not made here."
  type        = bool
  default     = false
}

variable "launcher" {
  description = "How Composer starts the launcher: in a pod of its cluster (kubernetes), which has the account of the environment, or as a Cloud Run job (cloud_run)."
  type        = string
  default     = "kubernetes"

  validation {
    condition     = contains(["kubernetes", "cloud_run"], var.launcher)
    error_message = "launcher must be kubernetes or cloud_run."
  }
}

variable "launcher_image" {
  description = "Image of the launcher, for the Cloud Run job; that is made once it is named, and the image pushed."
  type        = string
  default     = ""

  validation {
    condition     = var.launcher_image == "" || (can(regex("^[a-z0-9.-]+/.+(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$", var.launcher_image)) && !endswith(var.launcher_image, ":latest"))
    error_message = "launcher_image must be an image with a tag of its own or a digest, not :latest, which may be another one tomorrow."
  }
}

variable "alert_emails" {
  description = "Addresses that hear of failed runs. Without any, incidents are only shown in the console."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alert_emails must be addresses of mail."
  }
}

variable "labels" {
  description = "Labels of buckets, images, dataset and job, for the bill."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels must have lower-case letters, digits, _ and - only, at most 63, with a letter first in a key."
  }
}
