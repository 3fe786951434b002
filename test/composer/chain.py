"""The DAG with the real command, on a Dataflow and buckets of tests: days, one after another. Tells states and failures as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from world import Processes, load_dag, run_day, to

endpoint = os.environ["DATAFLOW"]
params = {
    **json.loads(os.environ["PARAMS"]),
    "build_options": [f"--dataflow-endpoint={endpoint}", *json.loads(os.environ["BUILD_OPTIONS"])],
}
pods = Processes([os.environ["NODE"], os.environ["PROGRAM"]])
failures: dict[str, str] = {}
days = []


def remember(context) -> None:
    failures[context["task_instance"].task_id] = str(context["exception"])


for patch in (*to(endpoint), pods.patch()):
    patch.start()
for day in json.loads(os.environ["DAYS"]):
    dag = load_dag(params, poll_seconds=1)
    for task in dag.tasks:
        task.on_failure_callback = [remember]
    failures.clear()
    _, states = run_day(dag, day)
    days.append({"day": day, "states": states, "failures": dict(failures)})
Path(os.environ["RESULTS"]).write_text(json.dumps({"days": days, "ran": pods.ran}))
