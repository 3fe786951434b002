"""Airflow in a folder of its own, the DAG as it is deployed, and what stands for Kubernetes, Cloud Run and the way to Google."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ["AIRFLOW_HOME"])
DAGS = HOME / "dags"
PROJECT, REGION = "test-project", "europe-west1"
XCOM_FILE = "/airflow/xcom/return.json"
SECONDS_OF_A_COMMAND = 300

EXAMPLE = json.loads((ROOT / "deploy/composer/backstory.example.json").read_text())


def deploy(params: dict | None = None, folder: Path = DAGS, **settings) -> Path:
    """The DAG's file and its settings, as they are uploaded."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "deploy/composer/backstory_dag.py", folder)
    example = {**EXAMPLE, "retries": 0, "poll_seconds": 0, **settings}
    example["params"] = {**EXAMPLE["params"], "project": PROJECT, "region": REGION, **(params or {})}
    (folder / "backstory.json").write_text(json.dumps(example))
    return folder


deploy()

import airflow  # noqa: E402 (the environment and the folder of DAGs come first)
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator  # noqa: E402
from airflow.providers.google.cloud.hooks.dataflow import AsyncDataflowHook  # noqa: E402
from airflow.providers.google.common.hooks.base_google import GoogleBaseHook  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402
from google.api_core.client_options import ClientOptions  # noqa: E402
from google.auth.credentials import AnonymousCredentials  # noqa: E402
from google.cloud.dataflow_v1beta3 import JobsV1Beta3Client  # noqa: E402

VERSION = tuple(int(part) for part in airflow.__version__.split(".")[:2])

if VERSION < (3, 0):
    # a table that Airflow's own refer to, which its servers load and a test does not
    import airflow.providers.fab.auth_manager.models  # noqa: E402, F401


def dag_bag(folder: Path = DAGS):
    try:
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(folder)
    except ImportError:
        from airflow.models import DagBag

        return DagBag(folder, include_examples=False)


def load_dag(params: dict | None = None, **settings):
    bag = dag_bag(deploy(params, **settings))
    assert not bag.import_errors, bag.import_errors
    return bag.dags["backstory"]


def run_day(dag, day: str, conf: dict | None = None):
    """A run of the data interval that begins on that day: states, results and failures by task."""
    # a run by hand is of the interval that ended last, so it is triggered at the end of the day's
    end = datetime.fromisoformat(day).replace(hour=4, tzinfo=timezone.utc) + timedelta(days=1)
    run = dag.test(end, run_conf=conf) if VERSION < (3, 0) else dag.test(logical_date=end, run_after=end, run_conf=conf)
    return run, {task.task_id: str(getattr(task.state, "value", task.state)) for task in run.get_task_instances()}


class AnswersAtOnce:
    """Google's own client over HTTP in the place of its asynchronous one, which knows only gRPC."""

    def __init__(self, endpoint: str):
        url = endpoint.rstrip("/")
        self.client = JobsV1Beta3Client(
            credentials=AnonymousCredentials(), transport="rest", client_options=ClientOptions(api_endpoint=url)
        )

    async def get_job(self, request, **_more):
        return await sync_to_async(self.client.get_job)(request=request)


def to(endpoint: str):
    """Every client of Google's asks that server, without credentials."""

    async def initialize_client(_hook, _client_class):
        return AnswersAtOnce(endpoint)

    return (
        mock.patch.object(GoogleBaseHook, "get_client_options", lambda *_, **__: ClientOptions(api_endpoint=endpoint)),
        mock.patch.object(AsyncDataflowHook, "initialize_client", initialize_client),
    )


class Processes:
    """What pods run, run here as processes: the container's arguments, after the command of the image."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None):
        self.command = command
        self.environment = environment or {}
        self.ran: list[dict] = []

    def patch(self):
        processes = self

        def execute(operator, context):
            return processes.run(operator.task_id, operator.image, operator.arguments, operator.do_xcom_push)

        return mock.patch.object(KubernetesPodOperator, "execute", execute)

    def run(self, task_id: str, image: str, arguments: list[str], hands_back: bool):
        result = HOME / f"return-{len(self.ran)}.json"
        result.unlink(missing_ok=True)
        self.ran.append({"task": task_id, "image": image, "arguments": list(arguments)})
        arguments = [argument.replace(XCOM_FILE, str(result)) for argument in arguments]
        done = subprocess.run(
            [*self.command, *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_OF_A_COMMAND,
        )
        print(f"--- {task_id}: {' '.join(arguments)}\n{done.stdout}{done.stderr}", file=sys.stderr)
        if done.returncode != 0:
            raise RuntimeError(f"the container ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(result.read_text()) if hands_back and result.exists() else None
