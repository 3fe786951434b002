"""The DAG in a real Airflow, against what stands for Dataflow. One process for all of it: Airflow takes ten seconds to load."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
import unittest
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
from dataflow_stub import Dataflow
from world import EXAMPLE, HOME, PROJECT, REGION, VERSION, Processes, dag_bag, deploy, load_dag, run_day, to

STAND_IN = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
ALL_DONE = {"submit": "success", "wait": "success", "verify": "success", "load": "skipped", "clean": "success"}


def option(arguments: list[str], name: str) -> str | None:
    found = [each.split("=", 1)[1] for each in arguments if each.startswith(f"--{name}=")]
    assert len(found) < 2, found
    return found[0] if found else None


class OneDataflow(unittest.TestCase):
    """A Dataflow of its own for each test, and pods that are processes."""

    def setUp(self):
        self.dataflow = Dataflow()
        self.addCleanup(self.dataflow.close)
        self.pods = Processes(STAND_IN, {"DATAFLOW": self.dataflow.endpoint})
        for patch in (*to(self.dataflow.endpoint), self.pods.patch()):
            patch.start()
            self.addCleanup(patch.stop)

    def failure(self, dag, day: str, task_id: str, conf: dict | None = None):
        """What a task that must fail says: states of all, the exception as the callback is told it."""
        told = []
        for task in dag.tasks:
            task.on_failure_callback = [
                lambda context, task_id=task.task_id: told.append((task_id, str(context["exception"]), type(context["exception"])))
            ]
        with contextlib.redirect_stdout(io.StringIO()):
            _, states = run_day(dag, day, conf)
        self.assertEqual(states[task_id], "failed")
        (failed,) = [each for each in told if each[0] == task_id]
        return states, failed[1], failed[2]


class Structure(unittest.TestCase):
    def test_the_bag_of_dags_has_it_without_an_error_or_a_warning(self):
        folder = deploy()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            bag = dag_bag(folder)
        self.assertEqual(bag.import_errors, {})
        self.assertEqual(list(bag.dags), ["backstory"])
        ours = [str(each.message) for each in caught if "backstory" in each.filename] + list(getattr(bag, "captured_warnings", {}).values())
        self.assertEqual(ours, [])

    def test_it_goes_submit_wait_verify_load_and_cleans_in_any_case(self):
        dag = load_dag()
        after = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
        self.assertEqual(after, {"submit": {"wait"}, "wait": {"verify", "clean"}, "verify": {"load"}, "load": set(), "clean": set()})
        self.assertEqual(dag.get_task("clean").trigger_rule, "all_done")
        self.assertEqual(dag.tags and set(dag.tags), {"backstory", "dataflow"})
        self.assertIn("Clear `submit`".lower(), dag.doc_md.lower())
        self.assertEqual((dag.max_active_runs, dag.catchup), (1, False))

    def test_every_task_has_an_end_retries_a_pool_and_tells_of_its_failure(self):
        for task in load_dag(pool="backstory", retries=2).tasks:
            self.assertIsNotNone(task.execution_timeout, task.task_id)
            self.assertEqual((task.retries, task.pool), (2, "backstory"))
            self.assertTrue(task.on_failure_callback)

    def test_the_wait_holds_no_worker(self):
        wait = load_dag().get_task("wait")
        self.assertTrue(wait.deferrable)
        self.assertEqual(set(wait.expected_statuses), {"JOB_STATE_DONE"})

    def test_a_pod_is_told_what_it_needs_and_has_no_rights(self):
        submit = load_dag(launcher_memory="8Gi").get_task("submit")
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

        # which asks for the cluster
        with mock.patch.object(KubernetesHook, "is_in_cluster", True):
            pod = submit.build_pod_request_obj().to_dict()["spec"]
        base, sidecar = pod["containers"]
        self.assertEqual(base["resources"]["limits"]["memory"], "8Gi")
        self.assertEqual(base["resources"]["requests"], base["resources"]["limits"])
        self.assertTrue(base["security_context"]["run_as_non_root"])
        self.assertEqual(base["security_context"]["capabilities"]["drop"], ["ALL"])
        self.assertEqual(base["termination_message_policy"], "FallbackToLogsOnError")
        self.assertFalse(base["command"])
        # Composer 3 allows one more container, of that name
        self.assertEqual(sidecar["name"], "airflow-xcom-sidecar")
        self.assertEqual([mount["mount_path"] for mount in base["volume_mounts"]], ["/airflow/xcom"])

    def test_catchup_schedule_and_start_are_settings(self):
        dag = load_dag(catchup=True, schedule="30 2 * * *", start_date="2025-01-05")
        self.assertTrue(dag.catchup)
        self.assertEqual(dag.start_date.date().isoformat(), "2025-01-05")
        self.assertEqual(dag.timetable.summary, "30 2 * * *")

    def test_the_day_is_the_one_that_the_interval_begins_on_in_the_time_zone(self):
        # Tokyo's 04:00 is UTC's 19:00 of the day before
        for zone, begins in (
            ("UTC", datetime(2025, 8, 16, 4)),
            ("Asia/Tokyo", datetime(2025, 8, 15, 19)),
            ("America/New_York", datetime(2025, 8, 16, 8)),
        ):
            day = load_dag(timezone=zone).user_defined_macros["backstory_day"]
            self.assertEqual(day({}, begins.replace(tzinfo=timezone.utc)), "2025-08-16", zone)
        self.assertEqual(day({"day": "2024-02-29"}, None), "2024-02-29")
        with self.assertRaisesRegex(Exception, "parameter day"):
            day({"day": None}, None)

    def test_the_intervals_follow_one_another_day_by_day(self):
        dag = load_dag(catchup=True, start_date="2025-08-16")
        timetable = dag.timetable
        if VERSION >= (3, 0):
            from airflow.serialization.encoders import coerce_to_core_timetable

            timetable = coerce_to_core_timetable(timetable)
        import pendulum
        from airflow.timetables.base import DataInterval, TimeRestriction

        restriction = TimeRestriction(earliest=pendulum.datetime(2025, 8, 16), latest=None, catchup=True)
        last: DataInterval | None = None
        days = []
        for _ in range(3):
            info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
            last = info.data_interval
            days.append(dag.user_defined_macros["backstory_day"]({}, last.start))
            self.assertEqual(info.logical_date, last.start)
        self.assertEqual(days, ["2025-08-16", "2025-08-17", "2025-08-18"])


class Settings(unittest.TestCase):
    def error(self, folder: Path) -> str:
        (text,) = dag_bag(folder).import_errors.values()
        return text

    def test_without_its_settings_the_file_says_what_is_missing(self):
        folder = deploy(folder=HOME / "missing")
        (folder / "backstory.json").unlink()
        self.assertIn("Put backstory.json beside backstory_dag.py", self.error(folder))

    def test_settings_that_are_none_are_refused_by_name(self):
        folder = deploy(folder=HOME / "wrong")
        for text, expected in (
            ("{", "is not JSON"),
            ("[]", "must hold an object"),
            (json.dumps({**EXAMPLE, "scedule": "@daily"}), "unknown settings: scedule"),
            (json.dumps({**EXAMPLE, "catchup": "false"}), 'catchup must be of type bool; got "false"'),
            (json.dumps({**EXAMPLE, "retries": True}), "retries must be of type int; got true"),
            (json.dumps({**EXAMPLE, "schedule": "at noon"}), "at noon"),
            (json.dumps({**EXAMPLE, "start_date": "soon"}), "soon"),
            (json.dumps({**EXAMPLE, "timezone": "Europe/Atlantis"}), "Europe/Atlantis"),
            (json.dumps({**EXAMPLE, "launcher": "gke"}), 'launcher must be "kubernetes" or "cloud_run"; got "gke"'),
            (json.dumps({**EXAMPLE, "dag_id": "Back Story"}), "dag_id must be"),
            (json.dumps({**EXAMPLE, "params": {**EXAMPLE["params"], "machine": "n2"}}), "unknown params: machine"),
            (json.dumps({**EXAMPLE, "params": {}}), "params without a value: project, region"),
            (json.dumps({key: value for key, value in EXAMPLE.items() if key != "start_date"}), "settings without a value: start_date"),
        ):
            (folder / "backstory.json").write_text(text)
            self.assertIn(expected, self.error(folder), text)

    def test_a_default_that_no_run_could_have_is_refused_when_the_file_is_read(self):
        self.assertIn("europe", self.error(deploy({"region": "europe"}, folder=HOME / "default")))


class Parameters(OneDataflow):
    WRONG = {
        "project": ["", "My Project", "p", 7],
        "region": ["", "europe-west1-b", "europe", None],
        "launcher_image": ["launcher", "r.pkg.dev/p/launcher", "r.pkg.dev/p/launcher:latest", "r.pkg.dev/p/launcher@sha256:12"],
        "worker_image": ["r.pkg.dev/p/worker:latest", ""],
        "impressions": ["", "none", "/data/impressions", "s3://bucket/impressions", "bq://table"],
        "clicks": ["", "clicks.ndjson", "gs://bucket"],
        "output": ["bq://p.d.t", "gs://bucket/*", "/out", "gs://bucket/a b"],
        "temp_location": ["gs://bucket", "tmp"],
        "day": ["2025-8-1", "yesterday", 20250801],
        "lookback_days": [0, -1, "1y", 1.5, None],
        "history_length": [0, 100_001, "1000"],
        "machine_type": ["", "n2 standard", "N2-STANDARD-4"],
        "num_workers": [0, 5000, "2"],
        "disk_size_gb": [1],
        "service_account": ["someone", "me@example.com"],
        "subnetwork": ["default"],
        "use_public_ips": ["no", 0],
        "max_hours": [0, 73],
        "build_options": ["--quiet", ["quiet"], ["--a\n--b"]],
        "verify_sample": [-1, "some", 0.5],
        "output_table": ["p.d.t", "bq://d.t"],
    }
    RIGHT = {
        "project": ["example.com:proj-123456"],
        "worker_image": ["europe-west1-docker.pkg.dev/p/r/worker@sha256:" + "0" * 64, "localhost:5000/worker:v1"],
        "clicks": ["none", "bq://p.d.t", "gs://bucket/clicks/*.parquet"],
        "day": [None, "2025-08-16"],
        "lookback_days": ["none", 1, 400],
        "service_account": ["", "w@p.iam.gserviceaccount.com"],
        "subnetwork": ["", "regions/europe-west1/subnetworks/workers"],
        "build_options": [[], ["--max-rejects=0.1%"]],
        "verify_sample": ["all", "none", 0],
        "output_table": ["", "bq://p.d.t"],
    }

    def test_a_wrong_value_is_refused_and_a_right_one_is_not(self):
        params = load_dag().params

        def accepts(name, value) -> bool:
            import copy

            mine = copy.deepcopy(params)
            try:
                mine[name] = value
                mine.validate()
                return True
            except Exception as error:
                self.assertIn("ParamValidationError", type(error).__name__, error)
                return False

        taken = [(name, value) for name, values in self.WRONG.items() for value in values if accepts(name, value)]
        refused = [(name, value) for name, values in self.RIGHT.items() for value in values if not accepts(name, value)]
        self.assertEqual((taken, refused), ([], []))

    def test_a_run_with_a_wrong_value_starts_nothing(self):
        try:
            _, states = run_day(load_dag(), "2025-08-16", {"region": "europe"})
        except Exception as error:
            self.assertIn("region", str(error))
        else:
            self.assertNotIn("success", states.values())
        self.assertEqual((self.pods.ran, self.dataflow.jobs), ([], {}))

    def test_an_empty_parameter_is_no_option_and_each_more_is_one(self):
        params = {
            "service_account": "",
            "build_options": ["--max-rejects=0.1%", "--rejects=gs://bucket/with blank.ndjson"],
            "lookback_days": "none",
        }
        _, states = run_day(load_dag(params), "2025-08-16")
        self.assertEqual(states, ALL_DONE)
        arguments = self.pods.ran[0]["arguments"]
        self.assertEqual(
            arguments[-3:], ["--max-rejects=0.1%", "--rejects=gs://bucket/with blank.ndjson", "--job-id-file=/airflow/xcom/return.json"]
        )
        self.assertNotIn("", arguments)
        self.assertIsNone(option(arguments, "service-account-email"))
        self.assertIsNone(option(arguments, "network"))
        self.assertEqual(option(arguments, "lookback-days"), "none")


class Days(OneDataflow):
    def test_two_days_are_two_jobs_each_of_its_own_day(self):
        dag = load_dag()
        self.dataflow.course = ["JOB_STATE_QUEUED", "JOB_STATE_RUNNING", "JOB_STATE_RUNNING", "JOB_STATE_DONE"]
        for day in ("2025-08-16", "2025-08-17"):
            run, states = run_day(dag, day)
            self.assertEqual(states, ALL_DONE)
            self.assertEqual(str(getattr(run.state, "value", run.state)), "success")
        builds = [each["arguments"] for each in self.pods.ran if each["task"] == "submit"]
        self.assertEqual([option(each, "dates") for each in builds], ["2025-08-16", "2025-08-17"])
        self.assertEqual([option(each, "job-name") for each in builds], ["backstory-2025-08-16", "backstory-2025-08-17"])
        self.assertTrue(all(option(each, "write-mode") == "overwrite" and "--no-wait" in each for each in builds))
        self.assertEqual([job["name"] for job in self.dataflow.jobs.values()], ["backstory-2025-08-16", "backstory-2025-08-17"])
        verifies = [each["arguments"] for each in self.pods.ran if each["task"] == "verify"]
        self.assertEqual(
            verifies, [["verify", EXAMPLE["params"]["output"], f"--dates={day}", "--sample=0"] for day in ("2025-08-16", "2025-08-17")]
        )
        self.assertEqual({each["image"] for each in self.pods.ran}, {EXAMPLE["params"]["launcher_image"]})
        # for the parser of the command itself, which another test asks
        (HOME / "arguments.json").write_text(json.dumps([each["arguments"] for each in self.pods.ran if each["task"] != "clean"]))

    def test_a_run_by_hand_builds_the_day_that_it_names(self):
        run_day(load_dag(), "2025-08-20", {"day": "2025-02-28"})
        self.assertEqual(option(self.pods.ran[0]["arguments"], "dates"), "2025-02-28")

    def test_the_day_is_loaded_where_a_table_is_named(self):
        _, states = run_day(load_dag({"output_table": "bq://test-project.training.rows"}), "2025-08-16")
        self.assertEqual(set(states.values()), {"success"})
        (load,) = [each["arguments"] for each in self.pods.ran if each["task"] == "load"]
        self.assertEqual(
            load,
            [
                "load",
                EXAMPLE["params"]["output"],
                "--dates=2025-08-16",
                "--output-table=bq://test-project.training.rows",
                f"--project={PROJECT}",
            ],
        )

    def test_without_a_verification_it_is_loaded_all_the_same(self):
        params = {"output_table": "bq://test-project.training.rows", "verify_sample": "none"}
        _, states = run_day(load_dag(params), "2025-08-16")
        self.assertEqual(states, {**ALL_DONE, "verify": "skipped", "load": "success"})

    def test_what_differs_is_not_loaded(self):
        self.pods.environment["LAUNCHER_FAILS"] = "verify"
        states, text, _ = self.failure(load_dag({"output_table": "bq://test-project.training.rows"}), "2025-08-16", "verify")
        self.assertEqual(states["load"], "upstream_failed")
        self.assertIn("it fails, as the test wants", text)


class Again(OneDataflow):
    def test_a_retry_takes_up_the_job_that_works_already_and_starts_no_other(self):
        dag = load_dag()
        # the pod died after Dataflow had the job
        run, _ = run_day(dag, "2025-08-16")
        (job,) = self.dataflow.jobs.values()
        job["states"] = ["JOB_STATE_RUNNING", "JOB_STATE_RUNNING", "JOB_STATE_RUNNING", "JOB_STATE_DONE"]
        again, states = run_day(dag, "2025-08-16")
        self.assertEqual(again.run_id, run.run_id)
        self.assertEqual(states, ALL_DONE)
        self.assertEqual(len(self.dataflow.jobs), 1)
        self.assertEqual([each["task"] for each in self.pods.ran].count("submit"), 1)

    def test_a_job_of_that_name_which_is_not_this_runs_is_not_taken_up(self):
        for labels in ({}, {"backstory-run": "of-another"}):
            self.dataflow.course = ["JOB_STATE_RUNNING"]
            self.dataflow.create("backstory-2025-08-16", labels)
        self.dataflow.course = ["JOB_STATE_DONE"]
        _, states = run_day(load_dag(), "2025-08-16")
        self.assertEqual(states, ALL_DONE)
        self.assertEqual([each["task"] for each in self.pods.ran].count("submit"), 1)

    def test_a_day_that_is_built_again_overwrites(self):
        dag = load_dag()
        for _ in range(2):
            run_day(dag, "2025-08-16")
        builds = [each["arguments"] for each in self.pods.ran if each["task"] == "submit"]
        self.assertEqual(builds[0], builds[1])
        self.assertEqual(option(builds[0], "write-mode"), "overwrite")

    def test_a_request_that_failed_in_passing_is_sent_again(self):
        self.dataflow.faults = [503, 429]
        _, states = run_day(load_dag(), "2025-08-16")
        self.assertEqual(states, ALL_DONE)


class Failures(OneDataflow):
    REASON = "Workflow failed. Causes: Error: clicks.ndjson: 12% of the rows were rejected."

    def test_a_job_that_failed_before_it_is_looked_at_fails_the_task_with_its_reason(self):
        self.dataflow.course, self.dataflow.errors = ["JOB_STATE_FAILED"], [self.REASON]
        states, text, kind = self.failure(load_dag(), "2025-08-16", "wait")
        self.assertIn(self.REASON, text)
        self.assertIn("JOB_STATE_FAILED", text)
        self.assertIn(f"https://console.cloud.google.com/dataflow/jobs/{REGION}/job-1?project={PROJECT}", text)
        # which Airflow does not try again
        self.assertEqual(kind.__name__, "AirflowFailException")
        self.assertEqual((states["verify"], states["load"], states["clean"]), ("upstream_failed", "upstream_failed", "success"))

    def test_a_job_that_fails_while_it_is_waited_for_likewise(self):
        self.dataflow.course, self.dataflow.errors = ["JOB_STATE_RUNNING"] * 4 + ["JOB_STATE_FAILED"], [self.REASON]
        _, text, kind = self.failure(load_dag(), "2025-08-16", "wait")
        self.assertIn(self.REASON, text)
        self.assertEqual(kind.__name__, "AirflowFailException")

    def test_a_job_that_was_cancelled_fails_the_task(self):
        self.dataflow.course = ["JOB_STATE_CANCELLED"]
        _, text, _ = self.failure(load_dag(), "2025-08-16", "wait")
        self.assertIn("JOB_STATE_CANCELLED: the job has told no error", text)

    def test_of_many_errors_the_newest_are_told_once_each_and_shortened(self):
        self.dataflow.course, self.dataflow.errors = (
            ["JOB_STATE_FAILED"],
            ["the first"] + [f"error {i}" for i in range(9)] + ["error 8\n    at f (a.js:1:2)\n    at g (b.js:1:2)", "x" * 5000],
        )
        _, text, _ = self.failure(load_dag(), "2025-08-16", "wait")
        self.assertNotIn("the first", text)
        self.assertEqual(text.count("error 8"), 1)
        self.assertNotIn("a.js", text)
        self.assertLess(len(text), 2000)

    def test_a_launcher_that_fails_fails_the_submission_and_nothing_waits(self):
        self.pods.environment["LAUNCHER_FAILS"] = "build"
        states, text, _ = self.failure(load_dag(), "2025-08-16", "submit")
        self.assertIn("it fails, as the test wants", text)
        self.assertEqual(states["wait"], "upstream_failed")

    def test_a_launcher_that_tells_no_job_fails_the_submission(self):
        self.pods.command = [sys.executable, "-c", "pass"]
        _, text, _ = self.failure(load_dag(), "2025-08-16", "submit")
        self.assertIn("without the id of a job", text)

    def test_the_log_of_a_failed_task_has_the_link_to_its_job(self):
        self.dataflow.course, self.dataflow.errors = ["JOB_STATE_FAILED"], [self.REASON]
        with self.assertLogs("backstory", "ERROR") as logs, contextlib.suppress(Exception):
            run_day(load_dag(), "2025-08-16")
        (line,) = [each for each in logs.output if "backstory failed" in each]
        self.assertIn("task wait", line)
        self.assertIn(self.REASON, line)
        self.assertIn(f"Job: https://console.cloud.google.com/dataflow/jobs/{REGION}/job-1?project={PROJECT}", line)


class Deferred(OneDataflow):
    """The wait without dag.test(), which runs a trigger where the task is: what the worker hands on, and what it does on its return."""

    def waiting(self):
        wait = load_dag().get_task("wait")
        wait.job_id, wait.project_id, wait.location = "job-1", PROJECT, REGION
        return wait

    def deferral(self, wait):
        try:
            wait.execute({})
        except BaseException as deferred:
            if type(deferred).__name__ == "TaskDeferred":
                return deferred
            raise
        self.fail("it was not deferred")

    def event(self, trigger):
        # as the triggerer makes it: from the class and the arguments that were stored
        path, arguments = trigger.serialize()
        from airflow.providers.google.cloud.triggers.dataflow import DataflowJobStatusTrigger

        self.assertEqual(path.rsplit(".", 1)[1], "DataflowJobStatusTrigger")

        async def first():
            async for event in DataflowJobStatusTrigger(**arguments).run():
                return event.payload

        return asyncio.run(asyncio.wait_for(first(), 120))

    def test_a_job_at_work_is_waited_for_by_the_triggerer(self):
        self.dataflow.course = ["JOB_STATE_RUNNING"] * 4 + ["JOB_STATE_DONE"]
        self.dataflow.create("backstory-2025-08-16", {})
        wait = self.waiting()
        deferred = self.deferral(wait)
        self.assertEqual(deferred.method_name, "execute_complete")
        self.assertEqual(deferred.timeout, timedelta(hours=73))
        event = self.event(deferred.trigger)
        self.assertEqual(event["status"], "success")
        self.assertTrue(wait.execute_complete({}, event))

    def test_a_job_that_is_done_is_not_waited_for(self):
        self.dataflow.create("backstory-2025-08-16", {})
        self.assertIsNone(self.waiting().execute({}))

    def test_on_its_return_from_a_failed_job_the_task_tells_the_reason(self):
        self.dataflow.course, self.dataflow.errors = ["JOB_STATE_RUNNING"] * 3 + ["JOB_STATE_FAILED"], ["out of quota"]
        self.dataflow.create("backstory-2025-08-16", {})
        wait = self.waiting()
        event = self.event(self.deferral(wait).trigger)
        self.assertEqual(event["status"], "error")
        with self.assertRaisesRegex(Exception, "out of quota") as raised:
            wait.execute_complete({}, event)
        self.assertEqual(type(raised.exception).__name__, "AirflowFailException")

    def test_where_only_the_look_at_the_job_failed_the_task_may_be_tried_again(self):
        self.dataflow.course = ["JOB_STATE_RUNNING"]
        self.dataflow.create("backstory-2025-08-16", {})
        with self.assertRaisesRegex(Exception, "connection was lost") as raised:
            self.waiting().execute_complete({}, {"status": "error", "message": "connection was lost"})
        self.assertNotEqual(type(raised.exception).__name__, "AirflowFailException")


class CloudRun(OneDataflow):
    """The other way to start the launcher. What executes the job is replaced; an execution has no file that comes back."""

    def setUp(self):
        super().setUp()
        from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator

        def execute(operator, context):
            (container,) = operator.overrides["container_overrides"]
            self.pods.run(operator.task_id, operator.job_name, container["args"], False)
            return {"name": operator.job_name}

        patch = mock.patch.object(CloudRunExecuteJobOperator, "execute", execute)
        patch.start()
        self.addCleanup(patch.stop)

    def test_the_job_is_found_by_its_name_and_the_run(self):
        dag = load_dag(launcher="cloud_run", cloud_run_job="the-launcher")
        self.dataflow.create("backstory-2025-08-16", {"backstory-run": "of-another"})
        _, states = run_day(dag, "2025-08-16")
        self.assertEqual(states, ALL_DONE)
        self.assertEqual([each["image"] for each in self.pods.ran], ["the-launcher"] * 3)
        self.assertIsNone(option(self.pods.ran[0]["arguments"], "job-id-file"))
        self.assertTrue(any("jobs/job-2" in each for each in self.dataflow.asked))
        self.assertNotIn("", self.pods.ran[0]["arguments"])

    def test_a_launcher_that_started_none_fails_the_submission(self):
        self.pods.command = [sys.executable, "-c", "pass"]
        _, text, _ = self.failure(load_dag(launcher="cloud_run"), "2025-08-16", "submit")
        self.assertIn("Dataflow knows no job backstory-2025-08-16", text)


class Results(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.told: dict[str, str] = {}

    def addSuccess(self, test):
        super().addSuccess(test)
        self.told[test._testMethodName] = ""

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.told[test._testMethodName] = self.failures[-1][1]

    def addError(self, test, err):
        super().addError(test, err)
        self.told[getattr(test, "_testMethodName", str(test))] = self.errors[-1][1]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    if wanted:
        suite = unittest.defaultTestLoader.loadTestsFromNames([f"__main__.{name}" for name in wanted])
    done = unittest.TextTestRunner(resultclass=Results, verbosity=2).run(suite)
    Path(os.environ["RESULTS"]).write_text(json.dumps(done.told))
    sys.exit(not done.wasSuccessful())
