"""What becomes of occurrences that come due."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest import mock

from django.utils import timezone

from tests.web.objects import ALICE, make_run
from tests.web.schedules import NOON, Beat, ScheduleTestCase, at
from webjobs.dispatch import SettingChange, change_settings
from webjobs.models import Run, Schedule, WebJob
from webjobs.scheduler import reading
from webjobs.scheduler.reading import MAX_PKS
from webjobs.states import RunStatus, Trigger


class TestFiring(ScheduleTestCase):
    def test_an_occurrence_becomes_a_queued_run(self) -> None:
        schedule = self.make("*/20 0 * * * *")
        self.beat.work(NOON)
        self.assertEqual(Run.objects.count(), 0)
        self.beat.work(NOON + timedelta(seconds=20, milliseconds=3))
        run = Run.objects.get()
        self.assertEqual(run.status, RunStatus.QUEUED)
        self.assertEqual(run.trigger, Trigger.SCHEDULE)
        self.assertEqual(run.trigger_text, "Schedule - 0,20,40 0 * * * *")
        self.assertEqual(run.scheduled_for, at("12:00:20"))
        self.assertEqual((run.lane, run.script), (0, "run.sh"))
        self.assertEqual(run.package, schedule.job.package)
        self.assertEqual(run.number, 202603021200200030)
        self.assertEqual(self.beat.enqueued, [run.pk])

    def test_it_fires_every_occurrence_once(self) -> None:
        self.make("*/2 * * * * *")
        for second in range(11):
            self.beat.work(NOON + timedelta(seconds=second))
            self.end_runs()
        fired = [f"12:00:{second:02d}" for second in range(2, 11, 2)]
        self.assertEqual(self.entries(), [("Success", moment) for moment in fired])

    def test_the_wait_ends_at_the_next_occurrence_and_is_short(self) -> None:
        self.make("* * * * * *")
        self.assertAlmostEqual(self.beat.work(NOON + timedelta(seconds=0.75)), 0.25)
        self.assertAlmostEqual(Beat().work(NOON + timedelta(seconds=0.2)), 0.5)

    def test_a_manual_run_swallows_no_occurrence(self) -> None:
        job = self.make("0 * * * * *").job
        self.beat.work(NOON + timedelta(seconds=30))
        make_run(job, RunStatus.SUCCESS, at=NOON + timedelta(seconds=59.99))
        self.beat.work(at("12:01"))
        self.assertEqual(self.entries(), [("Queued", "12:01:00")])

    def test_an_occurrence_is_skipped_while_a_run_is_active(self) -> None:
        job = self.make("0 * * * * *").job
        active = make_run(job, RunStatus.RUNNING, at=NOON)
        self.beat.work(at("12:01"))
        skipped = Run.objects.exclude(pk=active.pk).get()
        self.assertEqual(skipped.status, RunStatus.SKIPPED)
        self.assertEqual((skipped.lane, skipped.ended_at), (None, at("12:01")))
        self.assertIn(f"previous run {active.number} was still in progress", skipped.reason)
        self.assertIn("2026-03-02 12:01:00 UTC", skipped.reason)
        self.assertEqual(self.beat.enqueued, [])

    def test_an_occurrence_is_skipped_while_webjobs_are_stopped(self) -> None:
        self.make("0 * * * * *")
        self.set("WEBJOBS_STOPPED", "1", NOON)
        self.beat.work(at("12:01"))
        run = Run.objects.get()
        self.assertEqual((run.status, run.lane), (RunStatus.SKIPPED, None))
        self.assertIn("WEBJOBS_STOPPED is 1", run.reason)

    def test_a_moment_with_many_schedules_is_fired_in_batches(self) -> None:
        for number in range(1203):
            self.make("0 * * * * *", name=f"job{number}")
        self.beat.work(NOON)
        steps = 0
        while not self.beat.scheduler.step(at("12:01")):
            steps += 1
        self.assertEqual(steps, 2)
        self.assertEqual(len(set(self.beat.enqueued)), 1203)

    def test_a_number_that_is_taken_gives_way(self) -> None:
        first = self.make("0 * * * * *", name="first").job
        self.make("0 * * * * *", name="second")
        self.beat.work(NOON)
        make_run(first, RunStatus.SUCCESS, at=at("12:01"))
        self.beat.work(at("12:01"))
        self.assertEqual(Run.objects.filter(status="Queued").count(), 2)
        self.assertEqual(len(self.beat.enqueued), 2)


class TestSwitches(ScheduleTestCase):
    def test_a_disabled_schedule_leaves_no_trace(self) -> None:
        self.make("0 * * * * *", is_enabled=False)
        self.beat.work_through(NOON, at("12:03"), 10)
        self.assertEqual(self.entries(), [])

    def test_webjobs_disable_schedule_leaves_no_trace(self) -> None:
        self.make("0 * * * * *")
        self.set("WEBJOBS_DISABLE_SCHEDULE", "true", NOON)
        self.beat.work_through(NOON, at("12:03"), 10)
        self.assertEqual(self.entries(), [])

    def test_the_time_it_was_off_does_not_count(self) -> None:
        schedule = self.make("0 * * * * *", is_enabled=False)
        self.beat.work_through(NOON, at("12:02"), 10)
        now = at("12:02:30")
        Schedule.objects.filter(pk=schedule.pk).update(is_enabled=True, since=now, changed_at=now)
        self.beat.work_through(now, at("12:03:10"), 1)
        self.assertEqual(self.entries(), [("Queued", "12:03:00")])


class TestSettings(ScheduleTestCase):
    """Settings as people change them; those tell the time by themselves."""

    def change(self, name: str, value: str | None) -> datetime:
        change_settings(self.slot, [SettingChange(name, value)], ALICE)
        return timezone.now()

    def test_schedules_that_were_disabled_have_no_debts(self) -> None:
        hour_ago = timezone.now() - timedelta(hours=1)
        schedule = self.make("* * * * * *", since=hour_ago)
        self.change("WEBJOBS_DISABLE_SCHEDULE", "1")
        self.beat.work(timezone.now())
        self.change("WEBJOBS_DISABLE_SCHEDULE", None)
        schedule.refresh_from_db()
        self.beat.work(schedule.since + timedelta(seconds=1))
        self.assertEqual([status for status, _ in self.entries()], ["Queued"])

    def test_another_zone_makes_no_debts(self) -> None:
        now = timezone.now()
        self.make(f"0 0 {(now.hour + 5) % 24} * * *", since=now - timedelta(hours=23))
        now = self.change("WEBSITE_TIME_ZONE", "Etc/GMT-6")
        self.beat.work(now)
        self.assertEqual(self.entries(), [])

    def test_a_setting_that_does_not_concern_schedules_leaves_them_alone(self) -> None:
        schedule = self.make("* * * * * *")
        self.change("GREETING", "hello")
        schedule.refresh_from_db()
        self.assertEqual((schedule.since, schedule.changed_at), (NOON, NOON))


class TestChanges(ScheduleTestCase):
    def test_a_new_schedule_is_seen_within_a_second(self) -> None:
        self.beat.work(NOON)
        now = NOON + timedelta(seconds=0.5)
        self.make("* * * * * *", since=now)
        self.beat.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [("Queued", "12:00:01")])

    def test_changes_are_read_while_nothing_is_due(self) -> None:
        schedule = self.make("* * * * * *")
        self.beat.work(NOON)
        self.beat.work(NOON + timedelta(seconds=0.8))
        with mock.patch.object(reading, "changed_since") as look:
            self.beat.scheduler.step(at("12:00:01"))
            look.assert_not_called()
        self.assertEqual(self.entries(schedule.job), [("Queued", "12:00:01")])

    def test_an_edit_is_seen_within_a_second(self) -> None:
        schedule = self.make("0 0 * * * *")
        self.beat.work(NOON)
        now = NOON + timedelta(seconds=0.5)
        changes = {"expression": "*/5 * * * * *", "since": now, "changed_at": now}
        Schedule.objects.filter(pk=schedule.pk).update(**changes)
        self.beat.work_through(now, at("12:00:05"), 0.5)
        self.assertEqual(self.entries(), [("Queued", "12:00:05")])

    def test_an_edit_that_it_has_not_seen_yet_wins_over_the_old_occurrence(self) -> None:
        schedule = self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=0.5))
        now = NOON + timedelta(seconds=0.6)
        changes = {"expression": "0 0 * * * *", "since": now, "changed_at": now}
        Schedule.objects.filter(pk=schedule.pk).update(**changes)
        self.beat.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [])
        self.beat.work(at("13:00"))
        self.assertEqual(self.entries(), [("Queued", "13:00:00")])

    def test_a_change_whose_clock_was_behind_is_seen_by_the_sweep(self) -> None:
        self.beat.work(NOON)
        schedule = self.make("30 * * * * *", since=at("09:00"), last_occurrence=NOON)
        self.beat.work(NOON + timedelta(seconds=2))
        self.assertEqual(len(self.beat.scheduler.board), 0)
        self.beat.work_through(at("12:00:03"), at("12:00:30"), 1)
        self.assertEqual(self.entries(), [("Queued", "12:00:30")])
        schedule.delete()
        self.beat.work_through(at("12:00:31"), at("12:00:35"), 1)
        self.assertEqual(len(self.beat.scheduler.board), 0)

    def test_the_sweep_sees_all_pages(self) -> None:
        self.beat.work(NOON)
        for number in range(MAX_PKS + 2):
            self.make("0 0 * * * *", name=f"job{number}", since=at("09:00"), last_occurrence=NOON)
        self.beat.work_through(at("12:00:03"), at("12:00:10"), 1)
        self.assertEqual(len(self.beat.scheduler.board), MAX_PKS + 2)
        Schedule.objects.all().delete()
        self.beat.work_through(at("12:00:11"), at("12:00:20"), 1)
        self.assertEqual(len(self.beat.scheduler.board), 0)

    def test_a_schedule_that_vanished_fires_no_more(self) -> None:
        schedule = self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=0.5))
        schedule.delete()
        self.beat.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [])
        self.assertEqual(len(self.beat.scheduler.board), 0)

    def test_a_webjob_that_is_being_deleted_fires_no_more(self) -> None:
        job = self.make("* * * * * *").job
        self.beat.work(NOON + timedelta(seconds=0.5))
        self.assertTrue(WebJob.objects.get(pk=job.pk).request_delete(timezone.now()))
        self.beat.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [])
        self.assertEqual(len(self.beat.scheduler.board), 0)

    def test_what_nobody_can_read_leaves_the_others_alone(self) -> None:
        self.make("every day", name="broken")
        self.make("0 * * * * *", name="lost", time_zone="Mars/Olympus")
        good = self.make("0 * * * * *", name="good").job
        self.beat.work(NOON)
        self.beat.work(at("12:01"))
        self.assertEqual(self.entries(), self.entries(good))
        self.assertEqual(self.entries(), [("Queued", "12:01:00")])

    def test_a_date_that_never_comes_waits_for_ever(self) -> None:
        self.make("0 0 0 30 2 *")
        self.assertEqual(self.beat.work(NOON), 0.5)
        self.beat.work(at("2031-01-01 00:00"))
        self.assertEqual(self.entries(), [])


class TestTwoBeats(ScheduleTestCase):
    def test_the_second_to_claim_loses(self) -> None:
        self.make("* * * * * *")
        other = Beat()
        now = NOON + timedelta(seconds=1)
        for beat in (self.beat, other):
            beat.scheduler.poll(NOON + timedelta(seconds=0.5))
        mine, yours = self.beat.scheduler.collect(now), other.scheduler.collect(now)
        other.scheduler.settle(yours, won := other.scheduler.fire(yours, now), now)
        self.assertEqual(len(won), 1)
        won = self.beat.scheduler.fire(mine, now)
        self.assertEqual(won, [])
        self.beat.scheduler.settle(mine, won, now)
        self.assertEqual(self.entries(), [("Queued", "12:00:01")])
        self.assertEqual((len(self.beat.enqueued), len(other.enqueued)), (0, 1))

    def test_the_loser_goes_on_with_the_next_occurrence(self) -> None:
        self.make("* * * * * *")
        other = Beat()
        for second in range(6):
            first, second_ = (self.beat, other) if second % 3 else (other, self.beat)
            first.work(NOON + timedelta(seconds=second))
            second_.work(NOON + timedelta(seconds=second))
            self.end_runs()
        moments = [f"12:00:0{second}" for second in range(1, 6)]
        self.assertEqual(self.entries(), [("Success", moment) for moment in moments])

    def test_a_beat_that_comes_back_knows_what_was_fired_without_it(self) -> None:
        self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=0.5))
        other = Beat()
        other.work(NOON + timedelta(seconds=1))
        self.end_runs()
        other.work(NOON + timedelta(seconds=2))
        self.beat.work(NOON + timedelta(seconds=2))
        self.assertEqual([moment for _, moment in self.entries()], ["12:00:01", "12:00:02"])

    def test_the_constraint_stands_behind_the_claim(self) -> None:
        schedule = self.make("* * * * * *")
        self.beat.work(NOON + timedelta(seconds=1))
        self.end_runs()
        Schedule.objects.filter(pk=schedule.pk).update(last_occurrence=None)
        other = Beat()
        other.work(NOON + timedelta(seconds=1))
        self.assertEqual(self.entries(), [("Success", "12:00:01")])
        self.assertEqual(other.enqueued, [])
