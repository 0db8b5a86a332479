"""Attempts and places in the queue, as the portal shows them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.web.objects import make_job, make_run
from tests.web.pages import PagesTestCase
from webjobs.models import Run
from webjobs.states import RunStatus

HISTORY = "/apps/demo/history/triggered/nightly/"


class AttemptTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly", retry_attempts=3, concurrency="queue")

    def run_at(self, minutes: int, status: RunStatus = RunStatus.FAILED, **values: object) -> Run:
        return make_run(self.job, status, timezone.now() - timedelta(minutes=minutes), **values)

    def test_the_history_and_the_run_tell_which_attempt_it_is(self) -> None:
        first = self.run_at(3)
        second = self.run_at(2, retry_of=first, attempt=2)
        self.assertContains(self.get(HISTORY), "Attempt 2</span>", count=1)
        self.assertContains(self.get(f"{HISTORY}runs/{second.number}/"), "Attempt 2 of 4")
        self.assertContains(self.get(f"{HISTORY}runs/{first.number}/"), "Attempt 1 of 4")

    def test_the_blade_the_history_and_the_run_tell_the_place_in_the_queue(self) -> None:
        self.run_at(3, RunStatus.RUNNING)
        self.run_at(2, RunStatus.QUEUED, lane=None)
        last = self.run_at(1, RunStatus.QUEUED, lane=None)
        for page in ("/apps/demo/webjobs/", HISTORY, f"{HISTORY}runs/{last.number}/"):
            self.assertContains(self.get(page), "Position 2 in the queue")
