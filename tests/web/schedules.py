"""Schedules, and beats whose clock the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.db import transaction
from django.test import TestCase

from tests.web.objects import make_job, make_setting, make_slot
from webjobs.models import Run, Schedule, Slot, WebJob
from webjobs.scheduler import Scheduler
from webjobs.states import RunStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment in UTC: `2026-03-29 00:30`, or a time of the day of NOON."""
    if len(text) <= len("00:00:00"):
        text = f"{NOON.date()} {text}"
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_schedule(
    slot: Slot, expression: str, since: datetime = NOON, name: str = "nightly", **values: Any
) -> Schedule:
    """A schedule whose occurrences count from `since` on, and its WebJob."""
    return Schedule.objects.create(
        job=make_job(slot, name), expression=expression, since=since, changed_at=since, **values
    )


class Beat:
    """A scheduler that remembers what it was told to enqueue."""

    def __init__(self) -> None:
        self.enqueued: list[int] = []
        self.scheduler = Scheduler(self._enqueue)

    def _enqueue(self, run_pks: Sequence[int]) -> None:
        self.enqueued.extend(run_pks)

    def work(self, now: datetime) -> float:
        """Step until nothing more is due at `now`; returns how long it would wait then."""
        for _ in range(100):
            wait = self.scheduler.step(now)
            if wait:
                return wait
        raise AssertionError("it never comes to rest")

    def work_through(self, start: datetime, end: datetime, step: float = 1.0) -> None:
        """Let the time pass from `start` to `end`."""
        now = start
        while now <= end:
            self.work(now)
            now += timedelta(seconds=step)


class ScheduleTestCase(TestCase):
    """One slot, one beat; commits happen at once, as outside of tests."""

    def setUp(self) -> None:
        on_commit = mock.patch.object(transaction, "on_commit", lambda function: function())
        on_commit.start()
        self.addCleanup(on_commit.stop)
        self.slot = make_slot()
        self.beat = Beat()

    def make(self, expression: str, since: datetime = NOON, **values: Any) -> Schedule:
        return make_schedule(self.slot, expression, since, **values)

    def set(self, name: str, value: str, now: datetime) -> None:
        """An app setting, in the way dispatch writes it."""
        make_setting(self.slot, name, value)
        Schedule.objects.filter(job__slot=self.slot).update(changed_at=now)

    def entries(self, job: WebJob | None = None) -> list[tuple[str, str]]:
        """Status and occurrence (UTC) of all history entries, oldest first."""
        runs = Run.objects.filter(**({"job": job} if job else {})).order_by("number")
        return [(run.status, f"{run.scheduled_for:%H:%M:%S}") for run in runs if run.scheduled_for]

    def end_runs(self) -> None:
        """Let all active runs succeed."""
        Run.objects.active().update(status=RunStatus.SUCCESS, lane=None)
