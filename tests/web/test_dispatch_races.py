"""What happens when many ask for the same at once, over real connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from tests.web.objects import (
    ALICE,
    make_instance,
    make_job,
    make_run,
    make_slot,
    make_upload,
)
from webjobs import dispatch, endings
from webjobs.dispatch import NewWebJob, Refused, SettingChange
from webjobs.models import App, AppSetting, AuditEntry, Instance, Package, Run, WebJob
from webjobs.states import JobType, RetryOn, RunStatus

AT_ONCE = 6


def _all_at_once(ask: Callable[[int], object]) -> list[str]:
    """The outcome of each: `done`, or the code of its refusal."""
    start = Barrier(AT_ONCE)

    def one(index: int) -> str:
        start.wait(timeout=10)
        try:
            ask(index)
            return "done"
        except Refused as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(one, range(AT_ONCE)))


def _lanes() -> list[int]:
    """The lanes of all active runs; -1 for one that waits."""
    lanes = Run.objects.active().values_list("lane", flat=True)
    return [-1 if lane is None else lane for lane in lanes]


def _succeed(run: Run, instance: Instance) -> bool:
    return _finish(run, instance, RunStatus.SUCCESS, None)


def _fail(run: Run, instance: Instance) -> bool:
    return _finish(run, instance, RunStatus.FAILED, RetryOn.FAILURE)


def _finish(run: Run, instance: Instance, status: RunStatus, ending: RetryOn | None) -> bool:
    """End a run as its executor does."""
    now = timezone.now()
    with transaction.atomic():
        return endings.conclude(
            run, lambda words: run.finish(instance, status, now, reason=words), now, ending
        )


@pytest.mark.usefixtures("data_dir", "broker")
class RaceTests(TransactionTestCase):
    def test_one_of_many_gets_the_run(self) -> None:
        pk = make_job(make_slot()).pk
        found = _all_at_once(lambda _: dispatch.run_now(WebJob.objects.get(pk=pk), ALICE))
        self.assertEqual(found, ["already-running"] * (AT_ONCE - 1) + ["done"])
        self.assertEqual((Run.objects.count(), AuditEntry.objects.count()), (1, 1))

    def test_of_many_as_many_run_and_wait_as_the_queue_says(self) -> None:
        pk = make_job(make_slot(), concurrency="queue", queue_limit=2).pk
        found = _all_at_once(lambda _: dispatch.run_now(WebJob.objects.get(pk=pk), ALICE))
        self.assertEqual(found, ["done"] * 3 + ["queue-full"] * (AT_ONCE - 3))
        self.assertEqual(sorted(_lanes()), [-1, -1, 0])

    def test_of_many_as_many_run_as_may_run_at_once(self) -> None:
        pk = make_job(make_slot(), concurrency="parallel", max_parallel=4).pk
        found = _all_at_once(lambda _: dispatch.run_now(WebJob.objects.get(pk=pk), ALICE))
        self.assertEqual(found, ["already-running"] * (AT_ONCE - 4) + ["done"] * 4)
        self.assertEqual(sorted(_lanes()), [0, 1, 2, 3])

    def test_a_lane_is_handed_on_while_others_join_the_queue(self) -> None:
        job = make_job(make_slot(), concurrency="queue")
        instance = make_instance()
        first = dispatch.run_now(job, ALICE)
        self.assertTrue(first.claim(instance, timezone.now()))

        def ask(index: int) -> None:
            if index:
                dispatch.run_now(WebJob.objects.get(pk=job.pk), ALICE)
            else:
                _succeed(Run.objects.get(pk=first.pk), instance)

        self.assertEqual(_all_at_once(ask), ["done"] * AT_ONCE)
        self.assertEqual(sorted(_lanes()), [-1] * (AT_ONCE - 2) + [0])
        oldest = Run.objects.active().order_by("number")[0]
        self.assertEqual(oldest.lane, 0)

    def test_runs_that_end_at_once_each_let_another_one_go_on(self) -> None:
        job = make_job(make_slot(), concurrency="parallel", max_parallel=AT_ONCE)
        instance = make_instance()
        runs = [dispatch.run_now(job, ALICE) for _ in range(AT_ONCE)]
        start = timezone.now()
        for index in range(AT_ONCE):
            make_run(job, RunStatus.QUEUED, start + timedelta(seconds=index), lane=None)
        for run in runs:
            self.assertTrue(run.claim(instance, start))
        _all_at_once(lambda index: _succeed(Run.objects.get(pk=runs[index].pk), instance))
        self.assertEqual(sorted(_lanes()), list(range(AT_ONCE)))

    def test_of_many_who_tidy_up_one_gives_the_lane(self) -> None:
        job = make_job(make_slot(), concurrency="queue")
        now = timezone.now()
        for index in range(3):
            make_run(job, RunStatus.QUEUED, now + timedelta(seconds=index), lane=None)
        self.assertEqual(_all_at_once(lambda _: endings.start_waiting(now)), ["done"] * AT_ONCE)
        self.assertEqual(sorted(_lanes()), [-1, -1, 0])

    def test_a_run_that_two_end_at_once_is_tried_again_once(self) -> None:
        job = make_job(make_slot(), retry_attempts=3, retry_delay=0)
        instance = make_instance()
        run = dispatch.run_now(job, ALICE)
        self.assertTrue(run.claim(instance, timezone.now()))
        wins = Counter[bool]()

        def ask(_: int) -> None:
            wins[_fail(Run.objects.get(pk=run.pk), instance)] += 1

        _all_at_once(ask)
        self.assertEqual(wins, {True: 1, False: AT_ONCE - 1})
        retry = Run.objects.exclude(pk=run.pk).get()
        self.assertEqual((retry.retry_of, retry.attempt, retry.lane), (run, 2, 0))

    def test_a_failure_and_the_deletion_leave_no_retry_behind(self) -> None:
        job = make_job(make_slot(), retry_attempts=3)
        instance = make_instance()
        run = dispatch.run_now(job, ALICE)
        self.assertTrue(run.claim(instance, timezone.now()))

        def ask(index: int) -> None:
            if index % 2:
                dispatch.delete(WebJob.objects.get(pk=job.pk), ALICE)
            else:
                _fail(Run.objects.get(pk=run.pk), instance)

        self.assertEqual(_all_at_once(ask), ["done"] * AT_ONCE)
        self.assertFalse(Run.objects.active().exists())

    def test_a_failure_and_the_stop_of_everything_leave_no_retry_behind(self) -> None:
        slot = make_slot()
        job = make_job(slot, retry_attempts=3)
        instance = make_instance()
        run = dispatch.run_now(job, ALICE)
        self.assertTrue(run.claim(instance, timezone.now()))

        def ask(index: int) -> None:
            if index == 0:
                dispatch.change_settings(slot, [SettingChange("WEBJOBS_STOPPED", "1")], ALICE)
            else:
                _fail(Run.objects.get(pk=run.pk), instance)

        self.assertEqual(_all_at_once(ask), ["done"] * AT_ONCE)
        self.assertFalse(Run.objects.active().exists())

    def test_one_of_many_gets_the_name_of_a_webjob(self) -> None:
        slot = make_slot()
        upload = make_upload("echo race\n")
        new = NewWebJob("nightly", JobType.TRIGGERED, upload)
        found = _all_at_once(lambda _: dispatch.add_webjob(slot, new, ALICE))
        self.assertEqual(found, ["done"] + ["exists"] * (AT_ONCE - 1))
        self.assertEqual((WebJob.objects.count(), Package.objects.count()), (1, 1))

    def test_the_same_package_under_many_names_is_stored_once(self) -> None:
        slot = make_slot()
        upload = make_upload("echo same\n")

        def add(index: int) -> None:
            dispatch.add_webjob(slot, NewWebJob(f"n{index}", JobType.TRIGGERED, upload), ALICE)

        self.assertEqual(_all_at_once(add), ["done"] * AT_ONCE)
        self.assertEqual((WebJob.objects.count(), Package.objects.count()), (AT_ONCE, 1))

    def test_one_of_many_gets_the_name_of_an_app(self) -> None:
        found = _all_at_once(lambda _: dispatch.create_app("demo", ALICE))
        self.assertEqual(found, ["app-exists"] * (AT_ONCE - 1) + ["done"])
        self.assertEqual(App.objects.count(), 1)

    def test_settings_of_many_are_all_kept_and_one_name_stays_one(self) -> None:
        slot = make_slot()

        def change(index: int) -> None:
            mine = SettingChange(f"MINE_{index}", "1")
            same = SettingChange("Same" if index % 2 else "SAME", str(index))
            dispatch.change_settings(slot, [mine, same], ALICE)

        self.assertEqual(_all_at_once(change), ["done"] * AT_ONCE)
        self.assertEqual(AppSetting.objects.count(), AT_ONCE + 1)
        slot.refresh_from_db()
        self.assertEqual(slot.settings_revision, 1 + AT_ONCE)

    def test_a_run_and_the_deletion_leave_no_run_behind(self) -> None:
        pk = make_job(make_slot()).pk

        def ask(index: int) -> None:
            job = WebJob.objects.get(pk=pk)
            if index % 2:
                dispatch.delete(job, ALICE)
            else:
                dispatch.run_now(job, ALICE)

        _all_at_once(ask)
        self.assertFalse(Run.objects.active().filter(stop_requested_at=None).exists())
