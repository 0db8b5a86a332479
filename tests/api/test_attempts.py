"""What clients are told of retries and of runs that wait."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.calling import ApiTestCase
from tests.web.objects import make_job, make_run
from webjobs.models import Run
from webjobs.states import RunStatus

JOB = "/scm/demo/api/triggeredwebjobs/nightly"


class AttemptTests(ApiTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, retry_attempts=3)
        self.now = timezone.now()

    def run_at(self, hours: int, status: RunStatus = RunStatus.SUCCESS, **values: object) -> Run:
        return make_run(self.job, status, self.now - timedelta(hours=hours), **values)

    def test_attempts_lead_to_each_other(self) -> None:
        first = self.run_at(3, RunStatus.FAILED)
        second = self.run_at(2, RunStatus.FAILED, retry_of=first, attempt=2)
        third = self.run_at(1, retry_of=second, attempt=3)
        numbers = [str(run.number) for run in (first, second, third)]
        keys = ("id", "attempt", "attempts", "previous_attempt", "next_attempt")
        runs = self.get(f"{JOB}/history").json()["runs"]
        seen = [tuple(run[key] for key in keys) for run in reversed(runs)]
        self.assertEqual(
            seen,
            [
                (numbers[0], 1, 4, None, numbers[1]),
                (numbers[1], 2, 4, numbers[0], numbers[2]),
                (numbers[2], 3, 4, numbers[1], None),
            ],
        )

    def test_a_run_that_waits_tells_its_position(self) -> None:
        self.run_at(4)
        self.run_at(3, RunStatus.RUNNING)
        waiting = [self.run_at(hours, RunStatus.QUEUED, lane=None) for hours in (2, 1)]
        runs = self.get(f"{JOB}/history").json()["runs"]
        self.assertEqual([run["queue_position"] for run in reversed(runs)], [None, None, 1, 2])
        latest = self.get(f"{JOB}/history/{waiting[1].number}").json()
        self.assertEqual(latest["queue_position"], 2)
        self.assertEqual(self.get(JOB).json()["latest_run"]["queue_position"], 2)

    def test_a_retry_whose_time_has_not_come_waits_for_nobody(self) -> None:
        later = self.now + timedelta(minutes=5)
        self.run_at(0, RunStatus.QUEUED, lane=None, attempt=2, not_before=later)
        latest = self.get(JOB).json()["latest_run"]
        self.assertEqual((latest["attempt"], latest["queue_position"]), (2, None))

    def test_the_history_costs_the_same_however_many_wait(self) -> None:
        counts = []
        for hours in (3, 2, 1):
            self.run_at(hours, RunStatus.QUEUED, lane=None)
            with CaptureQueriesContext(connection) as seen:
                self.get(f"{JOB}/history")
            counts.append(len(seen))
        self.assertEqual(len(set(counts)), 1, counts)
