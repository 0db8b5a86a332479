"""Which runs a pool thread executes, one after the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from tests.web.objects import make_job, make_run, make_slot
from webjobs.engine.executor import LOOK_AHEAD, Executor
from webjobs.models import Run
from webjobs.states import RunStatus


class _Noting(Executor):
    """Ends every run at once."""

    def __init__(self, takes: int = 100) -> None:
        machine: Any = None
        super().__init__(machine)
        self.executed: list[int] = []
        self._takes = takes

    def execute(self, run_pk: int) -> bool:
        if len(self.executed) == self._takes:
            return False
        self.executed.append(run_pk)
        Run.objects.ready().filter(pk=run_pk).update(status=RunStatus.SUCCESS, lane=None)
        return True


class TurnTests(TestCase):
    def setUp(self) -> None:
        slot = make_slot()
        begun = timezone.now()
        jobs = [make_job(slot, f"job{number}") for number in range(LOOK_AHEAD + 5)]
        self.keys = [
            make_run(job, RunStatus.QUEUED, begun + timedelta(seconds=number)).pk
            for number, job in enumerate(jobs)
        ]

    def test_after_the_run_that_it_was_told_of_it_goes_on_with_the_oldest(self) -> None:
        executor = _Noting()
        self.assertIsNone(executor.execute_with_others(self.keys[3]))
        told = self.keys.pop(3)
        self.assertEqual(executor.executed, [told, *self.keys])

    def test_a_run_without_a_lane_waits_for_it(self) -> None:
        Run.objects.filter(pk__in=self.keys[1:]).update(lane=None)
        executor = _Noting()
        executor.execute_with_others(self.keys[0])
        self.assertEqual(executor.executed, self.keys[:1])

    def test_when_its_turn_is_over_other_messages_come_first(self) -> None:
        executor = _Noting()
        with mock.patch("webjobs.engine.executor.TURN_SECONDS", -1):
            left = executor.execute_with_others(self.keys[0])
        self.assertEqual((left, executor.executed), (self.keys[1], self.keys[:1]))

    def test_an_instance_that_closes_leaves_the_next_run_to_others(self) -> None:
        executor = _Noting(takes=2)
        self.assertEqual(executor.execute_with_others(self.keys[0]), self.keys[2])
        self.assertEqual(executor.executed, self.keys[:2])
