"""Kudu: lists and documents of WebJobs, start, stop, delete, settings.job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.calling import ApiTestCase, make_copy
from tests.support.poll import until
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from webjobs.logs import log_of_run, log_of_schedule
from webjobs.models import AuditEntry, Copy, Instance, Log, Run, Schedule, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus

SCM = "/scm/demo/"
BOTH = {"name", "run_command", "url", "extra_info_url", "type", "error", "using_sdk", "settings"}
TRIGGERED = BOTH | {"latest_run", "history_url", "scheduler_logs_url"}
CONTINUOUS = BOTH | {"status", "detailed_status", "log_url"}


def _is_changed(ask: Callable[[], HttpResponse]) -> bool:
    return ask().status_code == 200


class ListTests(ApiTestCase):
    def setUp(self) -> None:
        self.nightly = make_job(self.slot, "nightly")
        self.worker = make_job(self.slot, "worker", JobType.CONTINUOUS)

    def test_every_list_answers_under_every_prefix(self) -> None:
        both = ["nightly", "worker"]
        for path, names in {
            "api/webjobs": both,
            "api/jobs": both,
            "jobs": both,
            "api/triggeredwebjobs": ["nightly"],
            "api/triggeredjobs": ["nightly"],
            "api/jobs/triggered": ["nightly"],
            "jobs/triggered": ["nightly"],
            "api/continuouswebjobs": ["worker"],
            "api/continuousjobs": ["worker"],
            "api/jobs/continuous": ["worker"],
            "jobs/continuous": ["worker"],
            "API/TriggeredWebJobs/": ["nightly"],
        }.items():
            with self.subTest(path):
                response = self.get(SCM + path)
                self.assertEqual(response.status_code, 200)
                self.assertEqual([job["name"] for job in response.json()], names)

    def test_triggered_jobs_come_first(self) -> None:
        make_job(self.slot, "zebra")
        names = [job["name"] for job in self.get(SCM + "api/webjobs").json()]
        self.assertEqual(names, ["nightly", "zebra", "worker"])

    def test_the_type_says_utf_8(self) -> None:
        response = self.get(SCM + "api/webjobs")
        self.assertEqual(response["Content-Type"], "application/json; charset=utf-8")

    def test_a_slot_has_its_own_jobs(self) -> None:
        staging = make_slot("demo", "staging")
        make_job(staging, "other")
        path = SCM + "slots/staging/api/webjobs"
        self.assertEqual(self.get(path).status_code, 401)
        (job,) = self.get(path, auth=self.of(self.reader)).json()
        self.assertEqual(job["name"], "other")
        self.assertIn("/scm/demo/slots/staging/api/triggeredwebjobs/other", job["url"])

    def test_304_when_nothing_has_changed(self) -> None:
        for path in ("api/webjobs", "api/triggeredwebjobs/nightly"):
            with self.subTest(path):
                etag = self.get(SCM + path)["ETag"]
                response = self.get(SCM + path, HTTP_IF_NONE_MATCH=etag)
                self.assertEqual((response.status_code, response.content), (304, b""))
                self.assertEqual(response["ETag"], etag)

    def test_the_etag_changes_with_status_run_and_settings(self) -> None:
        seen = {self.get(SCM + "api/webjobs")["ETag"]}
        make_copy(self.worker)
        seen.add(self.get(SCM + "api/webjobs")["ETag"])
        make_run(self.nightly)
        seen.add(self.get(SCM + "api/webjobs")["ETag"])
        Schedule.objects.create(job=self.nightly, expression="0 * * * * *")
        seen.add(self.get(SCM + "api/webjobs")["ETag"])
        self.post(SCM + "api/settings", data=b'{"WEBJOBS_STOPPED":"1"}')
        seen.add(self.get(SCM + "api/webjobs")["ETag"])
        self.assertEqual(len(seen), 5)

    def test_a_running_run_changes_the_etag_each_time(self) -> None:
        make_run(self.nightly, RunStatus.RUNNING, started_at=timezone.now())
        first = self.get(SCM + "api/webjobs")["ETag"]
        self.assertNotEqual(first, self.get(SCM + "api/webjobs")["ETag"])

    def test_the_etag_changes_with_the_place_in_the_queue(self) -> None:
        now = timezone.now()
        make_run(self.nightly, RunStatus.RUNNING, now - timedelta(hours=2), started_at=now)
        before = make_run(self.nightly, RunStatus.QUEUED, now - timedelta(hours=1), lane=None)
        make_run(self.nightly, RunStatus.QUEUED, now, lane=None)
        path = SCM + "api/triggeredwebjobs/nightly"
        first = self.get(path)
        Run.objects.filter(pk=before.pk).update(status=RunStatus.ABORTED, ended_at=now)
        second = self.get(path, HTTP_IF_NONE_MATCH=first["ETag"])
        places = [one.json()["latest_run"]["queue_position"] for one in (first, second)]
        self.assertEqual(places, [2, 1])

    def test_the_etag_changes_with_whatever_a_document_tells(self) -> None:
        schedule = Schedule.objects.create(job=self.nightly, expression="0 0 3 * * *")
        now = timezone.now()
        copy = make_copy(self.worker)
        gone = make_instance("gone")
        Instance.objects.filter(pk=gone.pk).update(stopped_at=now)
        run = make_run(self.nightly, started_at=now, ended_at=now, instance=gone)
        log_of_schedule(schedule)
        etag = self.get(SCM + "api/webjobs")["ETag"]
        for change in (
            lambda: log_of_run(run, "abc"),
            lambda: Run.objects.update(status=RunStatus.FAILED),
            lambda: Log.objects.filter(schedule=schedule).delete(),
            lambda: Copy.objects.update(last_error="Bad"),
            lambda: Copy.objects.update(restarts=7),
            lambda: WebJob.objects.filter(pk=self.worker.pk).update(is_stopped=True),
            lambda: Instance.objects.filter(pk=copy.instance_id).update(stopped_at=now),
            lambda: Instance.objects.filter(pk=gone.pk).update(name="other"),
            lambda: Schedule.objects.update(changed_at=now + timedelta(seconds=1)),
            lambda: self.nightly.request_delete(now),
        ):
            change()
            response = self.get(SCM + "api/webjobs", HTTP_IF_NONE_MATCH=etag)
            self.assertEqual(response.status_code, 200)
            self.assertNotEqual(response["ETag"], etag)
            etag = response["ETag"]

    def test_an_etag_ends_with_the_next_run_that_it_tells(self) -> None:
        Schedule.objects.create(job=self.nightly, expression="* * * * * *")
        for path in ("api/webjobs", "api/triggeredwebjobs/nightly"):
            etag = self.get(SCM + path)["ETag"]
            ask = partial(self.get, SCM + path, HTTP_IF_NONE_MATCH=etag)
            until(partial(_is_changed, ask), every=0.1)
            self.assertNotEqual(ask()["ETag"], etag)

    def test_an_etag_is_not_that_of_another_host(self) -> None:
        etag = self.get(SCM + "api/webjobs")["ETag"]
        elsewhere = self.get(SCM + "api/webjobs", HTTP_IF_NONE_MATCH=etag, HTTP_HOST="localhost")
        self.assertEqual(elsewhere.status_code, 200)

    def test_the_number_of_queries_does_not_grow(self) -> None:
        make_run(self.nightly)
        with CaptureQueriesContext(connection) as first:
            self.get(SCM + "api/webjobs")
        for index in range(20):
            make_run(make_job(self.slot, f"more-{index}"))
        with self.assertNumQueries(len(first)):
            self.get(SCM + "api/webjobs")


class DocumentTests(ApiTestCase):
    def test_a_triggered_job_has_kudus_fields(self) -> None:
        job = make_job(self.slot, "nightly")
        Schedule.objects.create(job=job, expression="0 0 3 * * *")
        document = self.get(SCM + "api/triggeredwebjobs/nightly").json()
        self.assertEqual(list(document)[:3], ["latest_run", "history_url", "scheduler_logs_url"])
        self.assertLessEqual(TRIGGERED, set(document))
        base = "http://testserver/scm/demo/api/triggeredwebjobs/nightly"
        self.assertEqual(document["url"], base)
        self.assertEqual(document["history_url"], base + "/history")
        self.assertEqual(document["type"], "triggered")
        self.assertEqual(document["run_command"], "run.sh")
        self.assertEqual(document["settings"], {"schedule": "0 0 3 * * *"})
        self.assertIsNone(document["latest_run"])
        self.assertIs(document["using_sdk"], False)
        self.assertRegex(document["next_run"], r"^\d{4}-\d\d-\d\dT03:00:00\.0000000Z$")

    def test_a_run_has_kudus_fields(self) -> None:
        job = make_job(self.slot, "nightly")
        start = timezone.now() - timedelta(hours=1)
        run = make_run(job, started_at=start, ended_at=start + timedelta(seconds=1.5), exit_code=0)
        document = self.get(SCM + "api/triggeredwebjobs/nightly").json()["latest_run"]
        number = str(run.number)
        self.assertEqual((document["id"], document["name"]), (number, number))
        self.assertEqual(document["duration"], "00:00:01.5000000")
        self.assertRegex(document["start_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$")
        self.assertTrue(document["url"].endswith(f"/nightly/history/{number}"))
        self.assertIsNone(document["error_url"])
        self.assertIsNone(document["output_url"])
        self.assertEqual((document["exit_code"], document["attempt"]), (0, 1))

    def test_a_queued_run_is_being_initialized_and_has_not_ended(self) -> None:
        make_run(make_job(self.slot), RunStatus.QUEUED)
        run = self.get(SCM + "api/triggeredwebjobs/nightly").json()["latest_run"]
        self.assertEqual(run["status"], "Initializing")
        self.assertEqual(run["end_time"], "0001-01-01T00:00:00")
        self.assertEqual(run["duration"], "00:00:00.0000000")

    def test_a_missed_occurrence_is_not_the_latest_run(self) -> None:
        job = make_job(self.slot)
        ended = make_run(job, at=timezone.now() - timedelta(hours=2))
        make_run(job, RunStatus.MISSED)
        run = self.get(SCM + "api/triggeredwebjobs/nightly").json()["latest_run"]
        self.assertEqual(run["id"], str(ended.number))

    def test_a_continuous_job_has_kudus_fields(self) -> None:
        job = make_job(self.slot, "worker", JobType.CONTINUOUS)
        copy = make_copy(job)
        standby = make_copy(job, CopyStatus.INACTIVE_INSTANCE)
        document = self.get(SCM + "api/continuouswebjobs/worker").json()
        self.assertLessEqual(CONTINUOUS, set(document))
        self.assertEqual(document["status"], "Running")
        self.assertEqual(
            document["detailed_status"],
            f"{copy.instance.short_key} - Running\r\n"
            f"{standby.instance.short_key} - InactiveInstance\r\n",
        )
        self.assertEqual(
            document["log_url"],
            "http://testserver/scm/demo/vfs/data/jobs/continuous/worker/job_log.txt",
        )

    def test_a_stopped_one_is_stopping_while_a_process_lives(self) -> None:
        job = make_job(self.slot, "worker", JobType.CONTINUOUS, is_stopped=True)
        self.assertEqual(self._status(), "Stopped")
        make_copy(job, CopyStatus.STOPPING)
        self.assertEqual(self._status(), "Stopping")

    def _status(self) -> str:
        status: str = self.get(SCM + "api/continuouswebjobs/worker").json()["status"]
        return status

    def test_a_failing_one_tells_its_last_error(self) -> None:
        job = make_job(self.slot, "worker", JobType.CONTINUOUS)
        make_copy(job, CopyStatus.PENDING_RESTART, last_error="boom", fast_failures=1)
        self.assertEqual(self.get(SCM + "api/continuouswebjobs/worker").json()["error"], "boom")

    def test_without_an_instance_the_error_says_so(self) -> None:
        make_job(self.slot, "worker", JobType.CONTINUOUS)
        error = self.get(SCM + "api/continuouswebjobs/worker").json()["error"]
        self.assertEqual(error, "No instance is running. Start a worker.")

    def test_an_unknown_job_is_404_without_a_body(self) -> None:
        for path in ("api/triggeredwebjobs/nothing", "api/continuouswebjobs/nothing/settings"):
            response = self.get(SCM + path)
            self.assertEqual((response.status_code, response.content), (404, b""))

    def test_names_are_the_same_in_any_case_and_per_type(self) -> None:
        make_job(self.slot, "Nightly")
        self.assertEqual(self.get(SCM + "api/triggeredwebjobs/nIGHTLY").json()["name"], "Nightly")
        self.assertEqual(self.get(SCM + "api/continuouswebjobs/nightly").status_code, 404)


class CommandTests(ApiTestCase):
    def setUp(self) -> None:
        self.worker = make_job(self.slot, "worker", JobType.CONTINUOUS)
        self.nightly = make_job(self.slot, "nightly")

    def test_stop_and_start_answer_200_without_a_body(self) -> None:
        for word, is_stopped in (("stop", True), ("stop", True), ("start", False)):
            response = self.post(SCM + "api/continuouswebjobs/worker/" + word)
            self.assertEqual((response.status_code, response.content), (200, b""))
            self.worker.refresh_from_db()
            self.assertIs(self.worker.is_stopped, is_stopped)
        entry = AuditEntry.objects.filter(action="webjob.stop").get()
        self.assertEqual((entry.user, entry.user_name), (None, "$demo"))

    def test_start_is_409_while_all_is_stopped(self) -> None:
        make_setting(self.slot, "WEBJOBS_STOPPED", "1")
        response = self.post(SCM + "api/continuouswebjobs/worker/start")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.content, b'WebJobs are currently in "stopped" state.')

    def test_start_and_stop_are_for_continuous_jobs(self) -> None:
        self.assertEqual(self.post(SCM + "api/triggeredwebjobs/nightly/start").status_code, 404)
        self.assertEqual(self.post(SCM + "api/continuouswebjobs/nothing/stop").status_code, 404)

    def test_delete_is_200_also_for_what_is_not_there(self) -> None:
        for _ in range(2):
            response = self.delete(SCM + "api/triggeredwebjobs/nightly")
            self.assertEqual((response.status_code, response.content), (200, b""))
        self.assertFalse(WebJob.objects.living().filter(name="nightly").exists())

    def test_settings_are_replaced_as_a_whole(self) -> None:
        path = SCM + "api/triggeredwebjobs/nightly/settings"
        body = b'{"schedule":"0 0 3 * * *","stopping_wait_time":7,"mine":[1]}'
        response = self.put(path, data=body)
        self.assertEqual((response.status_code, response.content), (200, b""))
        self.assertEqual(
            self.get(path).json(),
            {"schedule": "0 0 3 * * *", "stopping_wait_time": 7, "mine": [1]},
        )
        self.put(path, data=b"{}")
        self.assertEqual(self.get(path).json(), {})
        self.assertFalse(Schedule.objects.exists())

    def test_settings_that_cannot_be_used_are_refused_by_name(self) -> None:
        path = SCM + "api/triggeredwebjobs/nightly/settings"
        for body, word in {
            b'{"schedule":"0 99 * * * *"}': "schedule",
            b'{"is_singleton":"yes"}': "is_singleton",
            b'{"time_zone":"Europe/Nowhere"}': "time_zone",
            b"[]": "object",
            b"{": "JSON",
            b"\xff": "JSON",
        }.items():
            with self.subTest(body):
                response = self.put(path, data=body)
                self.assertEqual(response.status_code, 400)
                self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")
                self.assertIn(word, response.content.decode())

    def test_swagger_lists_the_runs(self) -> None:
        document = self.get(SCM + "api/triggeredwebjobsswagger").json()
        self.assertEqual(document["swagger"], "2.0")
        self.assertEqual(list(document["paths"]), ["/api/triggeredjobs/nightly/run"])
        self.assertEqual(document["basePath"], "/scm/demo")
