"""Stands for the launcher where a test is about the DAG: `build` creates the job and writes its id, the others do nothing."""

import json
import os
import sys
import urllib.request

options = dict(argument[2:].split("=", 1) for argument in sys.argv[2:] if "=" in argument)
if sys.argv[1] in os.environ.get("LAUNCHER_FAILS", "").split():
    sys.exit("backstory: it fails, as the test wants")
if sys.argv[1] == "build":
    place = f"projects/{options['project']}/locations/{options['region']}"
    key, value = options["labels"].split("=", 1)
    body = {"name": options["job-name"], "labels": {key: value}}
    request = urllib.request.Request(
        f"{os.environ['DATAFLOW']}/v1b3/{place}/jobs", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    job = json.load(urllib.request.urlopen(request, timeout=30))
    if "job-id-file" in options:
        console = f"https://console.cloud.google.com/dataflow/jobs/{options['region']}/{job['id']}?project={options['project']}"
        told = {"job_id": job["id"], "project": options["project"], "region": options["region"], "console": console, "run_id": "r1"}
        with open(options["job-id-file"], "w") as file:
            json.dump(told, file)
print(f"backstory {sys.argv[1]}: done")
