"""Commands on several WebJobs at once."""

from __future__ import annotations

from typing import Any

from tests.web.objects import make_job, make_run, make_setting
from tests.web.pages import PagesTestCase
from webjobs.models import AuditEntry, Run, WebJob
from webjobs.states import JobType, RunStatus
from webjobs.views.rows import ROWS_PER_PAGE

URL = "/apps/demo/webjobs/bulk"


class BulkTests(PagesTestCase):
    def ask(self, command: str, *keys: str, **more: Any) -> Any:
        return self.post(URL, {"command": command, "job": list(keys)}, **more)

    def test_each_that_can_is_run_and_the_others_are_told(self) -> None:
        for name in ["one", "two"]:
            make_job(self.slot, name)
        make_run(make_job(self.slot, "busy"), RunStatus.RUNNING)
        answer = self.ask("run", "triggered/one", "triggered/busy", "triggered/two", "triggered/x")
        self.assertEqual((answer.json()["done"], answer.json()["failed"]), (2, 2))
        self.assertEqual(
            answer.json()["message"],
            "Successfully triggered 2 WebJobs. "
            "Failed to run WebJob 'busy': Cannot start a new run since job is already running. "
            "Failed to run WebJob 'x': It has been deleted.",
        )
        queued = Run.objects.filter(status=RunStatus.QUEUED)
        self.assertEqual({run.job.name for run in queued}, {"one", "two"})
        self.assertEqual(AuditEntry.objects.filter(action="webjob.run").count(), 2)

    def test_it_starts_stops_and_deletes(self) -> None:
        for name in ["one", "two"]:
            make_job(self.slot, name, JobType.CONTINUOUS)
        keys = ["continuous/one", "continuous/two"]
        message = self.ask("stop", *keys).json()["message"]
        self.assertEqual(message, "Successfully stopped 2 WebJobs")
        self.assertEqual(WebJob.objects.filter(is_stopped=True).count(), 2)
        self.ask("start", *keys)
        self.assertEqual(WebJob.objects.filter(is_stopped=False).count(), 2)
        message = self.ask("delete", "continuous/one").json()["message"]
        self.assertEqual(message, "Successfully deleted 1 WebJob")
        self.assertEqual([job.name for job in WebJob.objects.living()], ["two"])

    def test_what_does_not_fit_a_type_is_refused_for_that_one_alone(self) -> None:
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        make_job(self.slot, "nightly")
        answer = self.ask("run", "continuous/listener", "triggered/nightly").json()
        self.assertEqual((answer["done"], answer["failed"]), (1, 1))

    def test_when_all_is_stopped_no_run_starts(self) -> None:
        make_setting(self.slot, "WEBJOBS_STOPPED", "1")
        make_job(self.slot, "nightly")
        answer = self.ask("run", "triggered/nightly").json()
        self.assertEqual(answer["done"], 0)
        self.assertIn('in "stopped" state', answer["message"])

    def test_a_key_that_comes_twice_counts_once(self) -> None:
        make_job(self.slot, "nightly")
        answer = self.ask("run", "triggered/nightly", "triggered/nightly").json()
        self.assertEqual((answer["done"], answer["failed"]), (1, 0))

    def test_nonsense_is_refused(self) -> None:
        many = [f"triggered/{n}" for n in range(ROWS_PER_PAGE + 1)]
        bad: list[dict[str, Any]] = [
            {},
            {"command": "run"},
            {"command": "format", "job": ["triggered/x"]},
            {"command": "run", "job": many},
        ]
        for data in bad:
            with self.subTest(data=str(data)[:60]):
                self.assertEqual(self.post(URL, data).status_code, 400)
        answer = self.ask("run", "", "/", "triggered/\0", "nothing").json()
        self.assertEqual((answer["done"], answer["failed"]), (0, 4))

    def test_roles_are_those_of_the_single_commands(self) -> None:
        make_job(self.slot, "nightly")
        self.assertEqual(self.ask("run", "triggered/nightly", user=self.carol).status_code, 403)
        self.assertEqual(self.ask("run", "triggered/nightly", user=self.bob).status_code, 200)
        self.assertEqual(self.ask("delete", "triggered/nightly", user=self.bob).status_code, 403)
        self.assertEqual(self.ask("run", "triggered/nightly", user=self.dave).status_code, 404)
        self.assert_method_refused(URL, "get")
