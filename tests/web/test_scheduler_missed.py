"""Occurrences that came due while nobody looked, and clocks that jump."""

from __future__ import annotations

import time
from datetime import timedelta

from tests.web.objects import make_run
from tests.web.schedules import NOON, Beat, ScheduleTestCase, at
from webjobs.models import Run, Schedule
from webjobs.scheduler.loop import BATCH
from webjobs.states import RunStatus


class TestMissed(ScheduleTestCase):
    def test_one_occurrence_within_the_grace_is_made_up_for(self) -> None:
        self.make("0 0 * * * *")
        self.beat.work(at("13:09:59"))
        self.assertEqual(self.entries(), [("Queued", "13:00:00")])

    def test_one_occurrence_beyond_the_grace_is_an_entry_of_its_own(self) -> None:
        self.make("0 0 * * * *", time_zone="Europe/Berlin")
        self.beat.work(at("13:10:01"))
        run = Run.objects.get()
        self.assertEqual((run.status, run.scheduled_for), ("Missed", at("13:00")))
        self.assertEqual((run.lane, run.ended_at), (None, at("13:10:01")))
        self.assertIn("The occurrence of 2026-03-02 14:00:00 Europe/Berlin came due", run.reason)
        self.assertIn("WEBJOBS_MISSED_GRACE", run.reason)
        self.assertEqual(self.beat.enqueued, [])

    def test_after_a_missed_batch_the_schedule_goes_on(self) -> None:
        self.make("0 * * * * *")
        self.beat.work(at("14:00:30"))
        self.beat.work(at("14:01"))
        self.assertEqual(self.entries(), [("Missed", "12:01:00"), ("Queued", "14:01:00")])
        missed = Run.objects.get(status="Missed")
        self.assertIn(
            "120 occurrences, from 2026-03-02 12:01:00 UTC to 2026-03-02 14:00:00 UTC,",
            missed.reason,
        )

    def test_of_several_within_the_grace_the_latest_runs(self) -> None:
        self.make("0 * * * * *")
        self.beat.work(at("12:05:10"))
        self.assertEqual(self.entries(), [("Missed", "12:01:00"), ("Queued", "12:05:00")])
        missed, run = Run.objects.order_by("number")
        self.assertIn("5 occurrences", missed.reason)
        self.assertIn("Only for the latest", missed.reason)
        self.assertEqual(self.beat.enqueued, [run.pk])

    def test_what_is_made_up_for_is_skipped_while_a_run_is_active(self) -> None:
        job = self.make("0 0 * * * *").job
        make_run(job, RunStatus.RUNNING, at=NOON)
        self.beat.work(at("13:02"))
        self.assertEqual(self.entries(), [("Skipped", "13:00:00")])

    def test_the_grace_is_a_setting(self) -> None:
        self.make("0 0 * * * *")
        self.set("WEBJOBS_MISSED_GRACE", "60", NOON)
        self.beat.work(at("13:01:01"))
        self.beat.work(at("14:00:59"))
        self.assertEqual(self.entries(), [("Missed", "13:00:00"), ("Queued", "14:00:00")])

    def test_without_grace_beat_may_still_be_a_moment_late(self) -> None:
        self.make("0 * * * * *")
        self.set("WEBJOBS_MISSED_GRACE", "0", NOON)
        self.beat.work(at("12:01:02"))
        self.assertEqual(self.entries(), [("Queued", "12:01:00")])

    def test_a_year_of_seconds_is_one_entry_and_quickly_told(self) -> None:
        schedule = self.make("* * * * * *")
        now = NOON + timedelta(days=365)
        begun = time.process_time()
        self.beat.work(now)
        self.assertLess(time.process_time() - begun, 2)
        missed = Run.objects.get()
        self.assertEqual(missed.status, "Missed")
        self.assertIn("More than 10,000 occurrences, from 2026-03-02 12:00:01", missed.reason)
        self.assertIn("to 2027-03-02 12:00:00 UTC", missed.reason)
        schedule.refresh_from_db()
        self.assertEqual(schedule.last_occurrence, now)

    def test_many_schedules_that_were_missed_for_long_do_not_block_beat(self) -> None:
        for number in range(BATCH):
            self.make("* * * * * *", name=f"job{number}")
        begun = time.process_time()
        self.beat.work(NOON + timedelta(days=30))
        self.assertLess(time.process_time() - begun, 10)
        self.assertEqual(Run.objects.filter(status="Missed").count(), BATCH)
        self.assertIn("More than 100 occurrences", Run.objects.all()[0].reason)

    def test_a_restart_neither_loses_nor_repeats(self) -> None:
        self.make("*/10 * * * * *")
        self.beat.work(NOON + timedelta(seconds=10))
        self.end_runs()
        Beat().work(NOON + timedelta(seconds=11))
        Beat().work(NOON + timedelta(seconds=20))
        moments = [("Success", "12:00:10"), ("Queued", "12:00:20")]
        self.assertEqual(self.entries(), moments)

    def test_what_a_schedule_fired_before_its_change_counts_no_more(self) -> None:
        schedule = self.make("0 * * * * *", last_occurrence=at("12:30"))
        now = at("12:59:30")
        Schedule.objects.filter(pk=schedule.pk).update(since=now, changed_at=now)
        self.beat.work(at("13:00:01"))
        self.assertEqual(self.entries(), [("Queued", "13:00:00")])


class TestClocks(ScheduleTestCase):
    def test_nothing_fires_twice_after_a_jump_backwards(self) -> None:
        self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=1))
        self.end_runs()
        for beat in (self.beat, Beat()):
            beat.work_through(NOON - timedelta(seconds=20), NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [("Success", "12:00:01")])
        self.beat.work(NOON + timedelta(seconds=2))
        self.assertEqual(self.entries()[1:], [("Queued", "12:00:02")])

    def test_a_schedule_goes_on_after_a_clock_that_was_a_year_ahead(self) -> None:
        self.make("0 * * * * *")
        self.beat.work(NOON + timedelta(days=365, seconds=30))
        Run.objects.all().delete()
        beat = Beat()
        beat.work(NOON + timedelta(seconds=30))
        beat.work(at("12:01"))
        beat.work(at("12:01"))
        self.assertEqual(self.entries(), [("Queued", "12:01:00")])

    def test_a_small_jump_forwards_is_caught_up(self) -> None:
        self.make("0 * * * * *")
        self.beat.work(NOON + timedelta(seconds=5))
        self.beat.work(at("12:02:30"))
        self.assertEqual(self.entries(), [("Missed", "12:01:00"), ("Queued", "12:02:00")])

    def test_a_long_jump_forwards_is_a_missed_batch(self) -> None:
        self.make("0 * * * * *")
        self.beat.work(NOON + timedelta(seconds=5))
        self.beat.work(at("18:00:30"))
        self.assertEqual(self.entries(), [("Missed", "12:01:00")])

    def test_changes_are_seen_after_a_jump_backwards(self) -> None:
        self.beat.work(at("18:00"))
        self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [("Queued", "12:00:01")])
