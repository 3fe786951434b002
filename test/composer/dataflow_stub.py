"""As much of Dataflow's API as the DAG asks for: jobs are listed, looked at and have messages. What becomes of them, the test says."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OVER = {"JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_UPDATED", "JOB_STATE_DRAINED"}


class Dataflow:
    def __init__(self):
        self.jobs: dict[str, dict] = {}
        self.asked: list[str] = []
        # what a job that is created becomes, look by look; the last one stays
        self.course = ["JOB_STATE_DONE"]
        self.errors: list[str] = []
        # statuses with which the next requests are answered instead
        self.faults: list[int] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def create(self, name: str, labels: dict, **more) -> dict:
        job = {"id": f"job-{len(self.jobs) + 1}", "name": name, "labels": labels, "states": list(self.course), **more}
        job["createTime"] = f"2025-08-17T04:00:{len(self.jobs):02}Z"
        self.jobs[job["id"]] = job
        return job

    def answer(self, method: str, path: list[str], query: dict, body: dict):
        # v1b3/projects/P/locations/L/jobs[/ID[/messages]]
        place = {"projectId": path[2], "location": path[4]}
        if method == "POST":
            return self.shown(self.create(body["name"], body.get("labels", {}), **place), step=False)
        if len(path) == 6:
            active = [job for job in self.jobs.values() if query.get("filter") == "ALL" or job["states"][0] not in OVER]
            return {"jobs": [self.shown(job, step=False) for job in active if job["name"].startswith(query.get("name", ""))]}
        job = self.jobs.get(path[6])
        if job is None:
            return None
        if path[7:] == ["messages"]:
            assert query["minimumImportance"] == "JOB_MESSAGE_ERROR"
            return {"jobMessages": [{"messageText": text, "messageImportance": "JOB_MESSAGE_ERROR"} for text in self.errors]}
        return self.shown(job, step=True)

    def shown(self, job: dict, step: bool) -> dict:
        state = job["states"].pop(0) if step and len(job["states"]) > 1 else job["states"][0]
        return {key: value for key, value in job.items() if key != "states"} | {"currentState": state}

    def handler(self):
        dataflow = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                url = urlsplit(self.path)
                dataflow.asked.append(f"{self.command} {self.path}")
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                if dataflow.faults:
                    return self.tell(dataflow.faults.pop(0), {"error": {"message": "of the test"}})
                found = dataflow.answer(self.command, url.path.strip("/").split("/"), query, body)
                self.tell(200 if found is not None else 404, found or {})

            do_POST = do_GET

            def tell(self, status: int, body: dict):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler
