"""What of the history goes, when, and how the room of its logs is given back."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import connections, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from webjobs import logs, retention
from webjobs.logs import LogWriter, log_of_copy, log_of_run
from webjobs.logs.purge import purge
from webjobs.logs.usage import usage_of
from webjobs.models import App, Copy, Log, LogChunk, Run
from webjobs.models.setting import SettingError, engine_settings, lenient_engine_settings
from webjobs.states import JobType, RunStatus, Stream

NOW = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)
MIB = 1024 * 1024


def printed(run: Run, size: int) -> Log:
    """The complete log of `run` with so many bytes."""
    log = log_of_run(run, "327e1e4bd8c90a55")
    writer = LogWriter(log, limit=10**9)
    writer.append(Stream.OUT, b"x" * size, 1_700_000_000)
    writer.complete()
    return log


class RetentionTests(TransactionTestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = make_job(self.slot)

    def runs(self, *days: float, status: RunStatus = RunStatus.SUCCESS) -> list[Run]:
        """Ended runs, so many days ago."""
        moments = [NOW - timedelta(days=age) for age in days]
        return [make_run(self.job, status, at, ended_at=at) for at in moments]

    def left(self) -> set[int]:
        return set(Run.objects.filter(job=self.job).values_list("pk", flat=True))

    def test_without_settings_everything_stays(self) -> None:
        self.runs(400, 300)
        self.assertEqual(retention.enforce(NOW), 0)

    def test_old_runs_go_with_their_logs(self) -> None:
        make_setting(self.slot, "webjobs_history_days", "7")
        old, young = self.runs(7.5, 6.5)
        printed(old, 1000)
        printed(young, 1000)
        self.assertEqual(retention.enforce(NOW), 1)
        self.assertEqual(self.left(), {young.pk})
        self.assertEqual(Log.objects.get().run, young)
        self.assertEqual(LogChunk.objects.count(), 1)

    def test_the_newest_run_stays_however_old(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_DAYS", "1")
        make_setting(self.slot, "WEBJOBS_HISTORY_MAX_MB", "1")
        _, newest = self.runs(30, 20)
        printed(newest, 3 * MIB)
        retention.enforce(NOW)
        self.assertEqual(self.left(), {newest.pk})

    def test_a_run_in_progress_stays(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_DAYS", "1")
        make_setting(self.slot, "WEBJOBS_HISTORY_MAX_MB", "1")
        running = make_run(self.job, RunStatus.RUNNING, NOW - timedelta(days=9))
        printed(running, 2 * MIB)
        (newest,) = self.runs(0)
        printed(newest, 1000)
        self.assertEqual(retention.enforce(NOW), 0)
        self.assertEqual(self.left(), {running.pk, newest.pk})

    def test_a_run_is_as_old_as_its_end(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_DAYS", "2")
        long_one = make_run(
            self.job, RunStatus.SUCCESS, NOW - timedelta(days=5), ended_at=NOW - timedelta(days=1)
        )
        (newest,) = self.runs(0)
        retention.enforce(NOW)
        self.assertEqual(self.left(), {long_one.pk, newest.pk})

    def test_the_newest_output_is_kept_up_to_the_limit(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_MAX_MB", "2")
        silent, *kept = self.runs(5, 4, 3, 2, 1)
        for run in kept:
            printed(run, 900_000)
        retention.enforce(NOW)
        self.assertEqual(self.left(), {kept[2].pk, kept[3].pk})

    def test_settings_of_one_app_leave_others_alone(self) -> None:
        make_setting(make_slot("other"), "WEBJOBS_HISTORY_DAYS", "1")
        self.runs(30, 20)
        self.assertEqual(retention.enforce(NOW), 0)

    def test_many_runs_go_in_batches(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_DAYS", "1")
        self.runs(*(10 + index / 1000 for index in range(2 * retention.BATCH + 5)))
        (newest,) = self.runs(0)
        retention.enforce(NOW, seconds=60)
        self.assertEqual(self.left(), {newest.pk})

    def test_a_pass_ends_when_its_time_is_up(self) -> None:
        make_setting(self.slot, "WEBJOBS_HISTORY_DAYS", "1")
        self.runs(3, 2)
        self.assertEqual(retention.enforce(NOW, seconds=0), 0)
        self.assertEqual(len(self.left()), 2)


class PurgeTests(TransactionTestCase):
    def test_a_deleted_app_leaves_its_logs_to_the_purge(self) -> None:
        job = make_job(make_slot())
        log = printed(make_run(job), 3 * MIB)
        App.objects.all().delete()
        self.assertTrue(Log.objects.ownerless().filter(pk=log.pk).exists())
        self.assertTrue(purge(seconds=60))
        self.assertFalse(LogChunk.objects.exists())
        with self.assertRaises(Log.DoesNotExist):
            logs.tail(log, 10)

    def test_logs_with_owners_are_left_alone(self) -> None:
        printed(make_run(make_job(make_slot())), 1000)
        self.assertTrue(purge(seconds=60))
        self.assertEqual(LogChunk.objects.count(), 1)

    def test_without_time_it_says_that_there_is_more(self) -> None:
        printed(make_run(make_job(make_slot())), 1000)
        Run.objects.all().delete()
        self.assertFalse(purge(seconds=0))

    def test_a_writer_of_a_purged_log_ends_quietly(self) -> None:
        log = log_of_run(make_run(make_job(make_slot())), "327e1e4bd8c90a55")
        writer = LogWriter(log, limit=10**9)
        writer.append(Stream.OUT, b"a", 1_700_000_000)
        writer.flush()
        Run.objects.all().delete()
        purge(seconds=60)
        writer.append(Stream.OUT, b"b", 1_700_000_001)
        writer.complete()
        self.assertFalse(LogChunk.objects.exists())

    def test_others_write_while_much_is_deleted(self) -> None:
        job = make_job(make_slot())
        for index in range(20):
            printed(make_run(job, at=NOW + timedelta(seconds=index)), 4 * MIB)
        Run.objects.all().delete()
        waits: list[float] = []
        is_over = threading.Event()

        def write() -> None:
            while not is_over.is_set():
                begun = time.monotonic()
                with transaction.atomic():
                    Log.objects.filter(pk=0).update(size=1)
                waits.append(time.monotonic() - begun)
                is_over.wait(0.002)
            connections.close_all()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            while not purge(seconds=1):
                pass
        finally:
            is_over.set()
            thread.join()
        waits.sort()
        # The aim is 0.1 s; a machine at its limit gets ten times that.
        self.assertLess(waits[-1], 1, waits[-5:])
        self.assertGreater(len(waits), 5)


class UsageTests(TestCase):
    def test_it_is_the_sum_of_what_is_kept(self) -> None:
        job = make_job(make_slot())
        self.assertEqual(usage_of(job).bytes, 0)
        for index in range(3):
            printed(make_run(job, at=NOW + timedelta(seconds=index)), 1000)
        self.assertEqual(usage_of(job).bytes, 3000)

    def test_what_has_rolled_away_does_not_count(self) -> None:
        job = make_job(make_slot(), type=JobType.CONTINUOUS)
        copy = Copy.objects.create(job=job, instance=make_instance(), epoch=1, changed_at=NOW)
        writer = LogWriter(log_of_copy(copy), limit=MIB, rolling=True)
        for _ in range(4):
            writer.append(Stream.OUT, b"x" * MIB, 1_700_000_000)
            writer.flush()
        kept = sum(LogChunk.objects.values_list("size", flat=True))
        self.assertLess(kept, 2 * MIB)
        self.assertEqual(usage_of(job).bytes, kept)


class SettingTests(SimpleTestCase):
    def test_limits_are_whole_numbers_from_one_on(self) -> None:
        found = engine_settings({"WEBJOBS_HISTORY_DAYS": "30", "webjobs_history_max_mb": "500"})
        self.assertEqual((found.history_days, found.history_mib), (30, 500))
        for name in ("WEBJOBS_HISTORY_DAYS", "WEBJOBS_HISTORY_MAX_MB"):
            for value in ("0", "-1", "x", "1.5"):
                with self.assertRaisesMessage(SettingError, f"{name}: must be a whole number"):
                    engine_settings({name: value})
            self.assertIsNone(lenient_engine_settings({name: "x"}).history_days)

    def test_without_them_nothing_is_limited(self) -> None:
        found = engine_settings({"WEBJOBS_HISTORY_DAYS": ""})
        self.assertEqual((found.history_days, found.history_mib), (None, None))
