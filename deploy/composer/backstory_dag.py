"""
# backstory: training inputs of one day

`submit` starts a Dataflow job for the day, `wait` follows it, `verify` checks what it published, `load` puts the day into BigQuery where
`output_table` names a table. `clean` removes what the job has staged, however it ended.

- **The day** is the one on which the data interval begins, in the time zone of `backstory.json`: the run that starts on the 17th at 04:00
  builds the 16th. A run by hand builds the newest day that is over; `day` among its parameters names another.
- **Again**: clear `submit` with everything after it. A run replaces the day's partition as a whole, so nothing doubles, and the same inputs
  give the same bytes. While a job of the same run works on the day, `submit` takes up that one and starts no other.
- **When it fails**, `wait` tells the job's own reason, and the log of every failed task ends with the link to its job.

Settings are in `backstory.json` beside this file (or where BACKSTORY_SETTINGS says); its `params` are the defaults of each run's parameters.
How all of it is set up: docs/deploy.md.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.google.cloud.hooks.dataflow import DataflowHook
from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator
from airflow.providers.google.cloud.sensors.dataflow import DataflowJobStatusSensor
from airflow.timetables.interval import CronDataIntervalTimetable
from kubernetes.client import models as k8s

try:  # Airflow 3
    from airflow.sdk import DAG, Param
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
except ImportError:
    from airflow import DAG
    from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    from airflow.models.param import Param

log = logging.getLogger("backstory")

# Parameters of a run --------------------------------------------------------------------------------------------------------------------

STORED = r"^(gs://[a-z0-9][a-z0-9._-]+[a-z0-9]/.+|bq://[^.]+\.[^.]+\.[^.]+)$"
STORED_OR_NONE = STORED.replace("^(", "^(none|", 1)
FOLDER = r"^gs://[a-z0-9][a-z0-9._-]+[a-z0-9]/[^*?\[\]\s]+$"
# `latest` may be another image tomorrow, and on workers another than here
IMAGE = r"^(?!.*:latest$)[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$"


def text(pattern: str, description: str) -> dict:
    return {"type": "string", "pattern": pattern, "description": description}


def whole(least: int, description: str, most: int | None = None) -> dict:
    return {"type": "integer", "minimum": least, "description": description} | ({} if most is None else {"maximum": most})


# name: (default, schema). Those without a default have to be in backstory.json.
PARAMS: dict[str, tuple[object, dict]] = {
    "project": (..., text(r"^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", "Project that the job runs in.")),
    "region": (..., text(r"^[a-z]+-[a-z]+[0-9]+$", "Region of the job, best that of the buckets: europe-west1.")),
    "launcher_image": (..., text(IMAGE, "Image of the command, with a tag of its own or a digest; not :latest.")),
    "worker_image": (..., text(IMAGE, "Image of the workers, of the same version as the launcher.")),
    "impressions": (..., text(STORED, "gs://... or bq://PROJECT.DATASET.TABLE")),
    "clicks": (..., text(STORED_OR_NONE, 'Likewise, or "none".')),
    "add_to_carts": (..., text(STORED_OR_NONE, 'Likewise, or "none".')),
    "previous_orders": (..., text(STORED_OR_NONE, 'Likewise, or "none".')),
    "output": (..., text(FOLDER, "Folder of the output, gs://...")),
    "temp_location": (..., text(FOLDER, "Folder for what a job stages and for temporary files, gs://...")),
    "day": (None, {"type": ["null", "string"], "format": "date", "description": "Day to build, for a run by hand; empty: the run's own."}),
    "lookback_days": (365, {"type": ["integer", "string"], "minimum": 1, "pattern": "^none$", "description": 'Days, or "none".'}),
    "history_length": (1000, whole(1, "Actions of a history.", most=100_000)),
    "machine_type": ("n2-standard-4", text(r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$", "Compute Engine's machine type of a worker.")),
    "num_workers": (1, whole(1, "Workers at the start.", most=4000)),
    "max_num_workers": (20, whole(1, "Workers at most.", most=4000)),
    "disk_size_gb": (50, whole(25, "Disk of a worker, in GB.", most=64_000)),
    "service_account": (
        "",
        text(r"^([^@\s]+@[^@\s]+\.gserviceaccount\.com)?$", "Account of the workers; empty: Compute Engine's default."),
    ),
    "network": ("", text(r"^[a-z0-9-]*$", "VPC network of the workers; empty: default.")),
    "subnetwork": (
        "",
        text(r"^(https://\S+|regions/[a-z0-9-]+/subnetworks/[a-z0-9-]+)?$", "regions/REGION/subnetworks/NAME; empty: the network's."),
    ),
    "use_public_ips": (False, {"type": "boolean", "description": "Without them the subnetwork needs Private Google Access."}),
    "max_hours": (6, whole(1, "Dataflow cancels a job that takes longer.", most=72)),
    "build_options": (
        [],
        {
            "type": "array",
            "items": text(r"^--[a-z][^\n]*$", "An option of build"),
            "description": "More options of `backstory build`, one a line: --max-rejects=0.1%",
        },
    ),
    "verify_sample": (
        0,
        {
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": "^(all|none)$",
            "description": 'Customers to recompute from copies of all inputs, or "all"; 0: the output by itself; "none": nothing.',
        },
    ),
    "output_table": ("", text(r"^(bq://[^.]+\.[^.]+\.[^.]+)?$", "Table to load the day into, bq://PROJECT.DATASET.TABLE; empty: none.")),
}

# Settings of the DAG itself, which are not a run's to choose
SETTINGS: dict[str, object] = {
    "dag_id": "backstory",
    "schedule": "0 4 * * *",
    "start_date": ...,
    "timezone": "UTC",
    "catchup": False,
    "launcher": "kubernetes",  # or cloud_run
    "cloud_run_job": "backstory-launcher",
    "pool": "default_pool",
    "retries": 2,
    "gcp_conn_id": "google_cloud_default",
    "kubernetes_conn_id": "kubernetes_default",
    "kubernetes_config_file": "/home/airflow/composer_kube_config",
    "kubernetes_namespace": "composer-user-workloads",
    "kubernetes_service_account": "default",
    "launcher_memory": "4Gi",
    "launcher_cpu": "1",
    "launcher_disk": "10Gi",
    "poll_seconds": 60,
    "params": {},
}


def read_settings(path: Path) -> dict:
    """:raises ValueError: with what to write instead, which Airflow shows as the import error of this file"""
    try:
        given = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(
            f"{path} is missing. Put backstory.json beside backstory_dag.py; backstory.example.json shows what belongs into it."
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from None
    if not isinstance(given, dict) or not isinstance(given.get("params", {}), dict):
        raise ValueError(f"{path} must hold an object, and its params too. See backstory.example.json.")
    refuse(path, "settings", given, SETTINGS)
    refuse(path, "params", given.get("params", {}), {name: default for name, (default, _) in PARAMS.items()})
    for name, value in given.items():
        kind = str if SETTINGS[name] is ... else type(SETTINGS[name])
        if type(value) is not kind:
            raise ValueError(f"{path}: {name} must be of type {kind.__name__}; got {json.dumps(value)}.")
    settings = SETTINGS | given
    if settings["launcher"] not in ("kubernetes", "cloud_run"):
        raise ValueError(f'{path}: launcher must be "kubernetes" or "cloud_run"; got {json.dumps(settings["launcher"])}.')
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,50}", str(settings["dag_id"])):
        raise ValueError(
            f"{path}: dag_id must be up to 51 lower-case letters, digits, - and _, since jobs are named after it; "
            f"got {json.dumps(settings['dag_id'])}."
        )
    return settings


def timetable_of(settings: dict) -> tuple[CronDataIntervalTimetable, datetime]:
    """When it runs, and from which day on."""
    try:
        timetable = CronDataIntervalTimetable(settings["schedule"], timezone=settings["timezone"])
        timetable.validate()
        return timetable, datetime.fromisoformat(settings["start_date"]).replace(tzinfo=ZoneInfo(settings["timezone"]))
    except Exception as error:
        told = ", ".join(f"{name} {json.dumps(settings[name])}" for name in ("schedule", "timezone", "start_date"))
        raise ValueError(f"A cron expression, an IANA time zone and a day YYYY-MM-DD are wanted; got {told}: {error}") from error


def refuse(path: Path, what: str, given: dict, known: dict) -> None:
    if unknown := sorted(given.keys() - known.keys()):
        raise ValueError(f"{path}: unknown {what}: {', '.join(unknown)}. Known are: {', '.join(known)}.")
    if missing := [name for name, default in known.items() if default is ... and name not in given]:
        raise ValueError(f"{path}: {what} without a value: {', '.join(missing)}.")


# What the launcher is told --------------------------------------------------------------------------------------------------------------
# Each argument is a template, whose lines are arguments of their own. So one that comes out empty is none: an option is absent rather than
# empty.

DAY = "{{ backstory_day(params, data_interval_start) }}"
JOB_NAME = "{{ dag.dag_id | replace('_', '-') }}-" + DAY
# found again by it: one run of the DAG, however often it is tried
RUN_LABEL = "{{ backstory_label(dag.dag_id, run_id) }}"


def option(param: str, name: str | None = None) -> str:
    """The option of a parameter, left out where that is empty."""
    flag = "--" + (name or param).replace("_", "-")
    return f"{{{{ '{flag}=' ~ params.{param} if params.{param} != '' else '' }}}}"


BUILD = [
    "build",
    "--runner=dataflow",
    *map(
        option, ["project", "region", "temp_location", "worker_image", "impressions", "clicks", "add_to_carts", "previous_orders", "output"]
    ),
    f"--dates={DAY}",
    "--write-mode=overwrite",
    *map(option, ["lookback_days", "history_length", "num_workers", "max_num_workers", "disk_size_gb", "network", "subnetwork"]),
    option("machine_type", "worker_machine_type"),
    option("service_account", "service_account_email"),
    "{{ '' if params.use_public_ips else '--no-use-public-ips' }}",
    "--dataflow-service-options=max_workflow_runtime_walltime_seconds={{ params.max_hours * 3600 }}",
    f"--job-name={JOB_NAME}",
    f"--labels=backstory-run={RUN_LABEL}",
    "--no-wait",
    "{{ params.build_options | join('\n') }}",
]
JOB_ID_FILE = "--job-id-file=/airflow/xcom/return.json"
VERIFY = ["verify", "{{ params.output }}", f"--dates={DAY}", option("verify_sample", "sample")]
CLEAN = ["clean", "{{ params.output }}"]
LOAD = ["load", "{{ params.output }}", f"--dates={DAY}", option("output_table"), option("project")]


def tidy(arguments: list[str]) -> list[str]:
    return [line for argument in arguments for line in argument.split("\n") if line != ""]


def day_of(timezone: str):
    zone = ZoneInfo(timezone)

    def backstory_day(params, data_interval_start=None) -> str:
        if params.get("day"):
            return params["day"]
        if data_interval_start is None:
            raise AirflowFailException(
                "This run has no data interval, so it has no day. Trigger it with the parameter day, or with a logical date."
            )
        return data_interval_start.astimezone(zone).strftime("%Y-%m-%d")

    return backstory_day


def backstory_label(dag_id: str, run_id: str) -> str:
    return hashlib.sha256(f"{dag_id}\n{run_id}".encode()).hexdigest()[:32]


# Jobs -----------------------------------------------------------------------------------------------------------------------------------


def jobs_of(gcp_conn_id: str):
    hook = DataflowHook(gcp_conn_id=gcp_conn_id)
    return hook.get_conn().projects().locations().jobs(), hook.num_retries


def find_job(gcp_conn_id: str, project: str, region: str, name: str, label: str, which: str = "ACTIVE") -> dict | None:
    """The newest job of that name which a run of this DAG has started, in the form that the launcher tells it."""
    jobs, retries = jobs_of(gcp_conn_id)
    place = {"projectId": project, "location": region}
    named = pages(jobs.list(**place, filter=which, name=name), jobs.list_next, retries, "jobs")
    # a list tells no labels
    found = [
        jobs.get(**place, jobId=job["id"], view="JOB_VIEW_DESCRIPTION").execute(num_retries=retries) for job in named if job["name"] == name
    ]
    mine = [job for job in found if job.get("labels", {}).get("backstory-run") == label]
    if not mine:
        return None
    job = max(mine, key=lambda each: each.get("createTime", ""))
    return {"job_id": job["id"], "project": project, "region": region, "console": console(project, region, job["id"])}


def pages(request, after, retries: int, key: str):
    while request is not None:
        page = request.execute(num_retries=retries)
        yield from page.get(key, [])
        request = after(request, page)


def console(project: str, region: str, job_id: str) -> str:
    return f"https://console.cloud.google.com/dataflow/jobs/{region}/{job_id}?project={project}"


def reason_of(gcp_conn_id: str, project: str, region: str, job_id: str) -> str:
    """What the job itself says of its failure: its newest errors, shortened, since an exception is shown as one line."""
    jobs, retries = jobs_of(gcp_conn_id)
    messages = jobs.messages()
    request = messages.list(projectId=project, location=region, jobId=job_id, minimumImportance="JOB_MESSAGE_ERROR")
    errors = [each["messageText"] for each in pages(request, messages.list_next, retries, "jobMessages") if each.get("messageText")]
    # without the stacks of workers
    said = list(dict.fromkeys(re.split(r"\n\s+at ", error)[0] for error in errors))[-5:]
    return " / ".join(each[:1000] for each in said) or "the job has told no error; see its page"


# Operators ------------------------------------------------------------------------------------------------------------------------------


class InPod(KubernetesPodOperator):
    """The launcher's command in a pod."""

    def execute(self, context):
        self.arguments = tidy(self.arguments)
        return super().execute(context)


class InCloudRun(CloudRunExecuteJobOperator):
    """The launcher's command as an execution of a Cloud Run job."""

    def execute(self, context):
        for container in self.overrides["container_overrides"]:
            container["args"] = tidy(container["args"])
        return super().execute(context)


def already_at_work(dataflow: dict) -> dict | None:
    """The job that an earlier try of the same run has started. `dataflow` are the arguments of `find_job`."""
    job = find_job(**dataflow)
    if job is not None:
        log.info("An earlier try has started %s, which still works: %s", job["job_id"], job["console"])
    return job


class SubmitInPod(InPod):
    """Starts a job, unless there is one; hands on what the launcher has told of it."""

    template_fields = (*KubernetesPodOperator.template_fields, "dataflow")

    def __init__(self, *, dataflow: dict, **kwargs):
        super().__init__(do_xcom_push=True, **kwargs)
        self.dataflow = dataflow

    def execute(self, context):
        job = already_at_work(self.dataflow) or super().execute(context)
        if not isinstance(job, dict) or "job_id" not in job:
            raise AirflowFailException("The launcher ended without an error and without the id of a job. Are both images of one version?")
        return job


class SubmitInCloudRun(InCloudRun):
    """Likewise. An execution hands nothing back, so the job is looked for; a short one may be over by then."""

    template_fields = (*CloudRunExecuteJobOperator.template_fields, "dataflow")

    def __init__(self, *, dataflow: dict, **kwargs):
        super().__init__(**kwargs)
        self.dataflow = dataflow

    def execute(self, context):
        job = already_at_work(self.dataflow)
        if job is None:
            super().execute(context)
            job = find_job(**self.dataflow, which="ALL")
        if job is None:
            raise AirflowException(f"The launcher ended without an error, and Dataflow knows no job {self.dataflow['name']} of this run.")
        return job


class WaitForJob(DataflowJobStatusSensor):
    """The sensor, for a job whose place is only known at run time; a job that failed fails the task for good, with its reason."""

    template_fields = (*DataflowJobStatusSensor.template_fields, "project_id", "location")

    def poke(self, context) -> bool:
        self.fail_if_over()
        return super().poke(context)

    def execute_complete(self, context, event):
        if event["status"] != "success":
            self.fail_if_over()
        return super().execute_complete(context, event)

    def fail_if_over(self) -> None:
        """:raises AirflowFailException: no retry can change the end of a job"""
        state = self.hook.get_job(job_id=self.job_id, project_id=self.project_id, location=self.location)["currentState"]
        if state not in ENDED_OTHERWISE:
            return
        reason = reason_of(self.gcp_conn_id, self.project_id, self.location, self.job_id)
        link = console(self.project_id, self.location, self.job_id)
        raise AirflowFailException(f"Dataflow job {self.job_id} ended as {state}: {reason}. {link}")


ENDED_OTHERWISE = {"JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_UPDATED", "JOB_STATE_DRAINED"}


def skip_without(param: str, nothing):
    """Skips a task whose parameter says so, before anything is started for it."""

    def skip(context) -> None:
        if context["params"][param] == nothing:
            raise AirflowSkipException(f"{param} is {json.dumps(nothing)}")

    return skip


def tell_failure(context) -> None:
    """One line with all that is needed to go on, for people and for alerts on the log."""
    task = context["task_instance"]
    job = task.xcom_pull(task_ids="submit") or {}
    where = job.get("console") or "no job was started"
    log.error("backstory failed: task %s of %s: %s. Job: %s", task.task_id, context["run_id"], context.get("exception"), where)


# The DAG --------------------------------------------------------------------------------------------------------------------------------


def launcher(settings: dict, task_id: str, arguments: list[str], **more):
    """A task that runs the launcher's command in a pod or as a Cloud Run job."""
    submits = task_id == "submit"
    place = {"project": "{{ params.project }}", "region": "{{ params.region }}"}
    if submits:
        more["dataflow"] = {"gcp_conn_id": settings["gcp_conn_id"], "name": JOB_NAME, "label": RUN_LABEL, **place}
    if settings["launcher"] == "cloud_run":
        operator = SubmitInCloudRun if submits else InCloudRun
        return operator(
            task_id=task_id,
            project_id=place["project"],
            region=place["region"],
            job_name=settings["cloud_run_job"],
            overrides={"container_overrides": [{"args": arguments}]},
            gcp_conn_id=settings["gcp_conn_id"],
            **more,
        )
    operator = SubmitInPod if submits else InPod
    needs = {"memory": settings["launcher_memory"], "cpu": settings["launcher_cpu"], "ephemeral-storage": settings["launcher_disk"]}
    return operator(
        task_id=task_id,
        name=f"backstory-{task_id}",
        namespace=settings["kubernetes_namespace"],
        config_file=settings["kubernetes_config_file"],
        kubernetes_conn_id=settings["kubernetes_conn_id"],
        service_account_name=settings["kubernetes_service_account"],
        image="{{ params.launcher_image }}",
        arguments=[*arguments, JOB_ID_FILE] if submits else arguments,
        container_security_context=k8s.V1SecurityContext(
            run_as_non_root=True, allow_privilege_escalation=False, capabilities=k8s.V1Capabilities(drop=["ALL"])
        ),
        # so that the exception of a task has the command's last words
        termination_message_policy="FallbackToLogsOnError",
        container_resources=k8s.V1ResourceRequirements(requests=needs, limits=needs),
        startup_timeout_seconds=600,
        **more,
    )


def backstory(settings: dict) -> DAG:
    params = settings["params"]
    timetable, start_date = timetable_of(settings)
    with DAG(
        dag_id=settings["dag_id"],
        description="Training inputs of one day, built on Dataflow",
        doc_md=__doc__,
        schedule=timetable,
        start_date=start_date,
        catchup=settings["catchup"],
        max_active_runs=1,
        dagrun_timeout=timedelta(days=4),
        params={name: Param(params.get(name, default), **schema) for name, (default, schema) in PARAMS.items()},
        user_defined_macros={"backstory_day": day_of(settings["timezone"]), "backstory_label": backstory_label},
        default_args={
            "owner": "backstory",
            "pool": settings["pool"],
            "retries": settings["retries"],
            "retry_delay": timedelta(minutes=2),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "on_failure_callback": tell_failure,
        },
        tags=["backstory", "dataflow"],
    ) as dag:
        submit = launcher(settings, "submit", BUILD, execution_timeout=timedelta(hours=1))
        wait = WaitForJob(
            task_id="wait",
            job_id="{{ ti.xcom_pull(task_ids='submit')['job_id'] }}",
            project_id="{{ ti.xcom_pull(task_ids='submit')['project'] }}",
            location="{{ ti.xcom_pull(task_ids='submit')['region'] }}",
            expected_statuses={"JOB_STATE_DONE"},
            gcp_conn_id=settings["gcp_conn_id"],
            deferrable=True,
            poll_interval=settings["poll_seconds"],
            # longer than Dataflow lets any job run (max_hours), so that the job ends before the wait for it
            execution_timeout=timedelta(hours=73),
        )
        verify = launcher(
            settings, "verify", VERIFY, execution_timeout=timedelta(hours=6), pre_execute=skip_without("verify_sample", "none")
        )
        load = launcher(
            settings,
            "load",
            LOAD,
            execution_timeout=timedelta(hours=2),
            pre_execute=skip_without("output_table", ""),
            trigger_rule="none_failed",
        )
        # what the job has staged: the launcher, which does not wait, cannot remove it
        clean = launcher(settings, "clean", CLEAN, execution_timeout=timedelta(hours=1), trigger_rule="all_done")
        submit >> wait >> verify >> load
        wait >> clean
    return dag


here = Path(__file__).parent
backstory_dag = backstory(read_settings(Path(os.environ.get("BACKSTORY_SETTINGS", here / "backstory.json"))))
