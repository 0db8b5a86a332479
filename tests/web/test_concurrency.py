"""How many runs of a WebJob may be in progress at once, and who waits for whom."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import ALICE, make_instance, make_job, make_run, make_slot
from tests.web.schedules import NOON, ScheduleTestCase, at
from webjobs import dispatch, endings
from webjobs.dispatch import Refused, SettingChange, parse_settings_of
from webjobs.models import Run, Schedule, WebJob
from webjobs.models.lanes import hand_over, jobs_with_room
from webjobs.runner.settings_job import JobSettings
from webjobs.states import RunStatus


class PolicyTestCase(TestCase):
    def setUp(self) -> None:
        self.job = make_job(make_slot())
        self.instance = make_instance()

    def set(self, concurrency: str, **values: int) -> None:
        dispatch.set_settings_job(
            self.job,
            JobSettings(
                concurrency=concurrency,
                max_parallel=values.get("max_parallel"),
                queue_limit=values.get("queue_limit"),
            ),
            ALICE,
        )

    def run_now(self) -> Run:
        return dispatch.run_now(self.job, ALICE)

    def refusal(self) -> Refused:
        with self.assertRaises(Refused) as caught:
            self.run_now()
        return caught.exception

    def finish(self, run: Run) -> None:
        """Let `run` execute and succeed, as an executor does."""
        now = timezone.now()
        self.assertTrue(run.claim(self.instance, now))

        def end(_: str) -> bool:
            return run.finish(self.instance, RunStatus.SUCCESS, now, reason="")

        with transaction.atomic():
            self.assertTrue(endings.conclude(run, end, now))

    def lanes(self) -> list[int | None]:
        """The lanes of all active runs, oldest first."""
        runs = Run.objects.active().filter(job=self.job).order_by("number")
        return list(runs.values_list("lane", flat=True))


class QueueTests(PolicyTestCase):
    def test_runs_wait_in_their_order_and_know_their_position(self) -> None:
        self.set("queue")
        runs = [self.run_now() for _ in range(4)]
        self.assertEqual(self.lanes(), [0, None, None, None])
        now = timezone.now()
        self.assertEqual([run.queue_position(now) for run in runs], [None, 1, 2, 3])

    def test_only_a_run_with_a_lane_is_told_to_the_workers(self) -> None:
        self.set("queue")
        with self.captureOnCommitCallbacks() as first:
            self.run_now()
        with self.captureOnCommitCallbacks() as second:
            self.run_now()
        self.assertEqual((len(first), len(second)), (1, 0))

    def test_a_waiting_run_is_never_claimed(self) -> None:
        self.set("queue")
        self.run_now()
        waiting = self.run_now()
        self.assertFalse(waiting.claim(self.instance, timezone.now()))
        self.assertNotIn(waiting, Run.objects.ready())

    def test_the_end_of_a_run_gives_its_lane_to_the_oldest(self) -> None:
        self.set("queue")
        first, second, third = [self.run_now() for _ in range(3)]
        with self.captureOnCommitCallbacks() as told:
            self.finish(first)
        second.refresh_from_db()
        self.assertEqual((second.lane, self.lanes()), (0, [0, None]))
        self.assertEqual(len(told), 1)
        self.assertEqual(third.queue_position(timezone.now()), 1)

    def test_a_full_queue_refuses_in_words(self) -> None:
        self.set("queue", queue_limit=2)
        for _ in range(3):
            self.run_now()
        refused = self.refusal()
        self.assertEqual((refused.code, refused.status), ("queue-full", 409))
        self.assertIn("The queue is full: 2 runs", refused.message)
        self.assertIn("queue_limit", refused.message)

    def test_stopping_the_run_that_is_next_lets_the_one_behind_it_go_on(self) -> None:
        self.set("queue")
        first, second, third = [self.run_now() for _ in range(3)]
        dispatch.stop_run(second, ALICE)
        self.assertEqual(self.lanes(), [0, None])
        with self.captureOnCommitCallbacks() as told:
            dispatch.stop_run(first, ALICE)
        third.refresh_from_db()
        self.assertEqual((third.lane, third.status), (0, RunStatus.QUEUED))
        self.assertEqual(len(told), 2)

    def test_a_new_run_does_not_overtake_those_that_wait(self) -> None:
        self.set("queue")
        first, second = self.run_now(), self.run_now()
        Run.objects.filter(pk=first.pk).update(status=RunStatus.SUCCESS, lane=None)
        third = self.run_now()
        self.assertEqual((second.lane, third.lane), (None, None))

    def test_housekeeping_gives_a_lane_that_nobody_handed_over(self) -> None:
        self.set("queue")
        first = self.run_now()
        self.run_now()
        now = timezone.now()
        self.assertEqual(jobs_with_room(now), [])
        Run.objects.filter(pk=first.pk).update(status=RunStatus.SUCCESS, lane=None)
        self.assertEqual(jobs_with_room(now), [self.job.pk])
        with self.captureOnCommitCallbacks() as told:
            endings.start_waiting(now)
        self.assertEqual((self.lanes(), len(told)), ([0], 1))
        self.assertEqual(jobs_with_room(now), [])

    def test_deleting_the_webjob_cancels_who_waits(self) -> None:
        self.set("queue")
        self.run_now()
        waiting = self.run_now()
        dispatch.delete(self.job, ALICE)
        waiting.refresh_from_db()
        self.assertEqual(waiting.status, RunStatus.ABORTED)
        self.assertIn("deleted by alice", waiting.reason)

    def test_stopping_all_webjobs_cancels_who_waits(self) -> None:
        self.set("queue")
        self.run_now()
        waiting = self.run_now()
        dispatch.change_settings(self.job.slot, [SettingChange("WEBJOBS_STOPPED", "1")], ALICE)
        waiting.refresh_from_db()
        self.assertEqual(waiting.status, RunStatus.ABORTED)
        self.assertIn("WEBJOBS_STOPPED", waiting.reason)

    def test_who_waits_goes_on_when_the_queue_is_given_up(self) -> None:
        self.set("queue")
        first, second = self.run_now(), self.run_now()
        self.set("skip")
        self.finish(first)
        second.refresh_from_db()
        self.assertEqual(second.lane, 0)


class ParallelTests(PolicyTestCase):
    def test_as_many_run_as_it_says_and_then_no_more(self) -> None:
        self.set("parallel", max_parallel=3)
        for _ in range(3):
            self.run_now()
        self.assertEqual(self.lanes(), [0, 1, 2])
        refused = self.refusal()
        self.assertEqual((refused.code, refused.status), ("already-running", 409))
        self.assertEqual(refused.message, "Cannot start a new run since job is already running.")

    def test_a_lane_that_is_free_again_is_taken_again(self) -> None:
        self.set("parallel", max_parallel=3)
        runs = [self.run_now() for _ in range(3)]
        self.finish(runs[1])
        self.assertEqual(self.run_now().lane, 1)

    def test_runs_of_a_wider_policy_count_under_a_narrower_one(self) -> None:
        self.set("parallel", max_parallel=3)
        runs = [self.run_now() for _ in range(3)]
        self.finish(runs[0])
        self.set("skip")
        self.assertEqual(self.refusal().code, "already-running")
        self.finish(runs[1])
        self.finish(runs[2])
        self.assertEqual(self.run_now().lane, 0)


class ConstraintTests(PolicyTestCase):
    def test_two_runs_never_hold_one_lane(self) -> None:
        make_run(self.job, RunStatus.RUNNING)
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_run(self.job, RunStatus.QUEUED)

    def test_no_run_executes_without_a_lane(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_run(self.job, RunStatus.RUNNING, lane=None)

    def test_a_lane_is_handed_over_once(self) -> None:
        self.set("queue")
        first = self.run_now()
        self.run_now()
        Run.objects.filter(pk=first.pk).update(status=RunStatus.SUCCESS, lane=None)
        now = timezone.now()
        self.assertEqual(len(hand_over(self.job, now)), 1)
        self.assertEqual(hand_over(self.job, now), [])


class SettingsTests(PolicyTestCase):
    def test_the_settings_are_kept_and_shown(self) -> None:
        wished = JobSettings(
            concurrency="parallel", max_parallel=4, queue_limit=5, retry_attempts=2,
            retry_delay=30, retry_on=["lost"],
        )  # fmt: skip
        dispatch.set_settings_job(self.job, wished, ALICE)
        self.job.refresh_from_db()
        self.assertEqual(parse_settings_of(self.job), wished)
        self.assertEqual(self.job.settings_job, wished.to_dict())

    def test_absent_settings_are_not_shown(self) -> None:
        self.assertEqual(self.job.settings_job, {})
        self.assertEqual((self.job.lanes, self.job.queue_room), (1, 0))


class ScheduleTests(ScheduleTestCase):
    def job_with(self, concurrency: str, **values: int) -> WebJob:
        schedule: Schedule = self.make("0 * * * * *")
        WebJob.objects.filter(pk=schedule.job_id).update(concurrency=concurrency, **values)
        return schedule.job

    def test_occurrences_queue_until_the_queue_is_full(self) -> None:
        self.job_with("queue", queue_limit=2)
        self.beat.work_through(NOON, at("12:04"), 10)
        runs = list(Run.objects.order_by("number"))
        self.assertEqual(
            [(run.status, run.lane) for run in runs],
            [("Queued", 0), ("Queued", None), ("Queued", None), ("Skipped", None)],
        )
        self.assertIn("The queue is full: 2 runs of this WebJob", runs[3].reason)
        self.assertIn("2026-03-02 12:04:00 UTC", runs[3].reason)
        self.assertEqual(self.beat.enqueued, [runs[0].pk])

    def test_occurrences_run_beside_each_other_up_to_the_limit(self) -> None:
        self.job_with("parallel", max_parallel=2)
        self.beat.work_through(NOON, at("12:03"), 10)
        runs = list(Run.objects.order_by("number"))
        self.assertEqual(
            [(run.status, run.lane) for run in runs],
            [("Queued", 0), ("Queued", 1), ("Skipped", None)],
        )
        self.assertIn("no more than 2 at once", runs[2].reason)
        self.assertEqual(self.beat.enqueued, [runs[0].pk, runs[1].pk])

    def test_an_occurrence_does_not_overtake_those_that_wait(self) -> None:
        job = self.job_with("queue")
        make_run(job, RunStatus.QUEUED, at=NOON, lane=None)
        self.beat.work_through(NOON, at("12:01"), 10)
        self.assertEqual(Run.objects.get(scheduled_for=at("12:01")).lane, None)

    def test_a_retry_whose_time_has_not_come_is_in_nobodys_way(self) -> None:
        job = self.job_with("queue")
        later = at("12:01") + timedelta(hours=1)
        make_run(job, RunStatus.QUEUED, at=NOON, lane=None, not_before=later)
        self.beat.work_through(NOON, at("12:01"), 10)
        self.assertEqual(Run.objects.get(scheduled_for=at("12:01")).lane, 0)
