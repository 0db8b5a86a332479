"""Kudu: run, history, filters, stop."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from django.utils import timezone

from tests.api.calling import ApiTestCase
from tests.web.objects import bulk_runs, make_job, make_run, make_setting
from webjobs.logs import log_of_run
from webjobs.models import Run
from webjobs.states import RunStatus

JOB = "/scm/demo/api/triggeredwebjobs/nightly"


class RunTests(ApiTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot)

    def test_run_is_202_with_the_address_of_the_run(self) -> None:
        response = self.post(JOB + "/run?arguments=")
        self.assertEqual((response.status_code, response.content), (202, b""))
        run = Run.objects.get()
        self.assertEqual(response["Location"], f"http://testserver{JOB}/history/{run.number}")
        found = self.get(urlsplit(response["Location"]).path)
        self.assertEqual(found.json()["id"], str(run.number))

    def test_run_answers_under_every_prefix(self) -> None:
        for path in (
            "api/triggeredwebjobs/nightly/run",
            "api/triggeredjobs/nightly/run",
            "api/jobs/triggered/nightly/run",
            "jobs/triggered/NIGHTLY/run",
        ):
            self.assertEqual(self.post("/scm/demo/" + path).status_code, 202)
            Run.objects.all().delete()

    def test_a_second_run_is_409_in_azures_words(self) -> None:
        self.post(JOB + "/run")
        response = self.post(JOB + "/run")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.content, b"Cannot start a new run since job is already running.")
        self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")

    def test_run_while_all_is_stopped_is_409_in_azures_words(self) -> None:
        make_setting(self.slot, "WEBJOBS_STOPPED", "1")
        response = self.post(JOB + "/run")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.content, b'WebJobs are currently in "stopped" state.')

    def test_run_of_an_unknown_job_is_404_without_a_body(self) -> None:
        response = self.post("/scm/demo/api/triggeredwebjobs/nothing/run")
        self.assertEqual((response.status_code, response.content), (404, b""))

    def test_arguments_that_cannot_be_split_are_400(self) -> None:
        self.assertEqual(self.post(JOB + "/run?arguments='open").status_code, 400)
        response = self.post(JOB + "/run?arguments=%00")
        self.assertContains(response, "cannot contain a null character", status_code=400)

    def test_waiting_gives_up_after_its_seconds_and_shows_the_run(self) -> None:
        response = self.post(JOB + "/run?wait=1")
        self.assertEqual(response.status_code, 202)
        self.assertEqual(response.json()["status"], "Initializing")
        self.assertIn("Location", response.headers)

    def test_nonsense_to_wait_for_is_400_and_starts_nothing(self) -> None:
        for text in ("-1", "x", "1.5", "٣"):
            self.assertEqual(self.post(JOB + f"/run?wait={text}").status_code, 400)
        self.assertFalse(Run.objects.exists())

    def test_a_request_that_is_repeated_with_its_key_starts_one_run(self) -> None:
        key = {"HTTP_IDEMPOTENCY_KEY": "deploy-17"}
        first = self.post(JOB + "/run?arguments=a", **key)
        again = self.post(JOB + "/run?arguments=a", **key)
        self.assertEqual((first.status_code, again.status_code), (202, 202))
        self.assertEqual(first["Location"], again["Location"])
        self.assertEqual(Run.objects.count(), 1)
        self.assertEqual(self.post(JOB + "/run?arguments=b", **key).status_code, 422)
        long = {"HTTP_IDEMPOTENCY_KEY": "x" * 256}
        self.assertEqual(self.post(JOB + "/run", **long).status_code, 400)

    def test_a_key_whose_request_was_refused_can_be_used_again(self) -> None:
        blocking = make_run(self.job, RunStatus.RUNNING)
        key = {"HTTP_IDEMPOTENCY_KEY": "deploy-18"}
        self.assertEqual(self.post(JOB + "/run", **key).status_code, 409)
        blocking.delete()
        self.assertEqual(self.post(JOB + "/run", **key).status_code, 202)

    def test_a_run_that_is_queued_can_be_stopped(self) -> None:
        location = urlsplit(self.post(JOB + "/run")["Location"]).path
        self.assertEqual(self.post(location + "/stop", auth=self.of(self.reader)).status_code, 403)
        self.assertEqual(self.post(location + "/stop").status_code, 200)
        run = self.get(location).json()
        self.assertEqual((run["status"], run["reason"]), ("Aborted", "Stopped by $demo."))
        self.assertEqual(self.post(location + "/stop").status_code, 409)


class HistoryTests(ApiTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot)

    def test_newest_first(self) -> None:
        now = timezone.now()
        for hours in (3, 1, 2):
            make_run(self.job, at=now - timedelta(hours=hours))
        runs = self.get(JOB + "/history").json()["runs"]
        self.assertEqual([run["id"] for run in runs], sorted((r["id"] for r in runs), reverse=True))
        self.assertEqual(len(runs), 3)

    def test_a_job_that_never_ran_has_an_empty_history(self) -> None:
        self.assertEqual(self.get(JOB + "/history").json(), {"runs": []})

    def test_304_until_a_run_changes(self) -> None:
        run = make_run(self.job, RunStatus.QUEUED)
        Run.objects.update(status=RunStatus.SUCCESS, ended_at=timezone.now(), lane=None)
        etag = self.get(JOB + "/history")["ETag"]
        again = self.get(JOB + "/history", HTTP_IF_NONE_MATCH=etag)
        self.assertEqual((again.status_code, again.content), (304, b""))
        Run.objects.filter(pk=run.pk).update(status=RunStatus.FAILED)
        self.assertEqual(self.get(JOB + "/history", HTTP_IF_NONE_MATCH=etag).status_code, 200)

    def test_the_etag_changes_with_whatever_a_run_tells(self) -> None:
        now = timezone.now()
        failed = make_run(self.job, RunStatus.FAILED, now - timedelta(hours=1), ended_at=now)
        path = f"{JOB}/history?status=Failed"
        etag = self.get(path)["ETag"]
        for change in (
            lambda: log_of_run(failed, "abc"),
            lambda: make_run(self.job, retry_of=failed, attempt=2, ended_at=now),
            lambda: Run.objects.filter(retry_of=failed).delete(),
            lambda: self.put(f"{JOB}/settings", data=b'{"retry_attempts":3}'),
        ):
            change()
            response = self.get(path, HTTP_IF_NONE_MATCH=etag)
            self.assertEqual(response.status_code, 200)
            etag = response["ETag"]
        elsewhere = self.get(path, HTTP_IF_NONE_MATCH=etag, HTTP_HOST="localhost")
        self.assertEqual(elsewhere.status_code, 200)

    def test_filters_choose_by_status_trigger_and_time(self) -> None:
        bulk_runs([self.job], 40)
        failed = self._ids("status=Failed")
        self.assertEqual(len(failed), 4)
        self.assertEqual(self._ids("status=failed,success"), self._ids(""))
        self.assertEqual(len(self._ids("trigger=schedule")), 20)
        newest = self.get(JOB + "/history").json()["runs"][0]
        start = newest["start_time"]
        self.assertEqual(self._ids(f"from={start}"), [newest["id"]])
        self.assertEqual(len(self._ids(f"to={start}")), 39)

    def _ids(self, query: str) -> list[str]:
        return [run["id"] for run in self.get(f"{JOB}/history?{query}").json()["runs"]]

    def test_pages_follow_by_link_without_gap(self) -> None:
        bulk_runs([self.job], 7)
        seen: list[str] = []
        path = JOB + "/history?limit=3&status=Success,Failed"
        while path:
            response = self.get(path)
            seen += [run["id"] for run in response.json()["runs"]]
            address = response.headers.get("Link", "").partition("<")[2].partition(">")[0]
            path = address.removeprefix("http://testserver")
        self.assertEqual(seen, self._ids(""))

    def test_filters_that_mean_nothing_are_400_by_name(self) -> None:
        for query in ("status=Nice", "from=yesterday", "limit=0", "before=x", "trigger=magic"):
            response = self.get(f"{JOB}/history?{query}")
            self.assertEqual(response.status_code, 400)
            self.assertIn(query.partition("=")[0], response.content.decode())

    def test_an_unknown_run_is_404(self) -> None:
        for id in ("1", "x", "9" * 30, "%00"):
            response = self.get(f"{JOB}/history/{id}")
            self.assertEqual((response.status_code, response.content), (404, b""))
