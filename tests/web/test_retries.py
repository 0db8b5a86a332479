"""Runs that are tried again: when, how often, and after what."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import ALICE, make_instance, make_job, make_run, make_slot
from webjobs import dispatch, endings, housekeeping
from webjobs.dispatch import SettingChange
from webjobs.models import Instance, Run
from webjobs.models.queueing import insert_run
from webjobs.states import RetryOn, RunStatus, Trigger


class RetryTestCase(TestCase):
    def setUp(self) -> None:
        self.job = make_job(make_slot(), retry_attempts=2, retry_delay=30)
        self.instance = make_instance()

    def set(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self.job, name, value)
        self.job.save()

    def start(self, run: Run | None = None) -> Run:
        run = run or dispatch.run_now(self.job, ALICE, arguments="a b")
        self.assertTrue(run.claim(self.instance, timezone.now()))
        return run

    def end(
        self,
        run: Run,
        status: RunStatus = RunStatus.FAILED,
        ending: RetryOn | None = RetryOn.FAILURE,
    ) -> Run | None:
        """End a run as its executor does; returns its retry."""
        now = timezone.now()

        def end(words: str) -> bool:
            reason = f"Because. {words}".strip()
            return run.finish(self.instance, status, now, reason=reason)

        with transaction.atomic():
            self.assertTrue(endings.conclude(run, end, now, ending))
        return run.next_attempt


class MakingTests(RetryTestCase):
    def test_a_failed_run_is_tried_again_as_it_was(self) -> None:
        run = self.start()
        retry = self.end(run)
        assert retry is not None
        self.assertEqual((retry.status, retry.attempt, retry.lane), (RunStatus.QUEUED, 2, None))
        self.assertEqual((retry.arguments, retry.trigger), ("a b", Trigger.MANUAL))
        self.assertEqual((retry.trigger_text, retry.script), (run.trigger_text, "run.sh"))
        self.assertEqual(retry.previous_attempt, run)
        self.assertEqual(retry.not_before, (run.ended_at or retry.queued_at) + self.job.retry_wait)
        self.assertEqual(self.job.retry_wait, timedelta(seconds=30))
        assert retry.not_before is not None
        self.assertEqual(run.reason, f"Because. Retry 1 of 2 at {retry.not_before:%H:%M:%S} UTC.")

    def test_it_takes_over_the_occurrence(self) -> None:
        due = timezone.now()
        run = make_run(self.job, RunStatus.QUEUED, scheduled_for=due)
        retry = self.end(self.start(run))
        assert retry is not None
        self.assertEqual((retry.scheduled_for, retry.attempt), (due, 2))

    def test_there_are_no_more_retries_than_it_says(self) -> None:
        self.set(retry_delay=0)
        run: Run | None = self.start()
        for attempt in (2, 3):
            assert run is not None
            run = self.end(run)
            assert run is not None
            self.assertEqual((run.attempt, run.lane), (attempt, 0))
            self.start(run)
        assert run is not None
        self.assertEqual((run.attempt, run.retries), (3, 2))
        self.assertIsNone(self.end(run))
        self.assertEqual(run.reason, "Because.")

    def test_without_a_policy_there_is_none(self) -> None:
        self.set(retry_attempts=None)
        self.assertIsNone(self.end(self.start()))

    def test_a_success_and_a_stop_are_not_tried_again(self) -> None:
        self.assertIsNone(self.end(self.start(), RunStatus.SUCCESS, None))
        self.assertIsNone(self.end(self.start(), RunStatus.ABORTED, None))

    def test_a_run_that_failed_while_it_was_to_be_stopped_is_not_tried_again(self) -> None:
        run = self.start()
        dispatch.stop_run(Run.objects.get(pk=run.pk), ALICE)
        self.assertIsNone(self.end(run))

    def test_it_is_tried_again_only_after_what_the_policy_names(self) -> None:
        self.set(retry_on=["lost"])
        self.assertIsNone(self.end(self.start()))
        self.assertIsNotNone(self.end(self.start(), RunStatus.ABORTED, RetryOn.LOST))

    def test_the_run_of_a_lost_instance_is_tried_again(self) -> None:
        run = self.start()
        found = self.instance
        Instance.declare_lost(found.pk, found.epoch, found.beats, timezone.now())
        with self.captureOnCommitCallbacks(execute=False):
            self.assertEqual(housekeeping.abort_orphans(timezone.now()), 1)
        run.refresh_from_db()
        self.assertEqual(run.status, RunStatus.ABORTED)
        self.assertIn("was lost", run.reason)
        self.assertIn("Retry 1 of 2 at", run.reason)
        self.assertNotIn("Run it again", run.reason)
        self.assertIsNotNone(run.next_attempt)

    def test_who_did_not_win_makes_no_retry(self) -> None:
        run = self.start()
        with transaction.atomic():
            now = timezone.now()
            self.assertFalse(endings.conclude(run, lambda _: False, now, RetryOn.FAILURE))
        self.assertIsNone(run.next_attempt)

    def test_a_run_has_one_retry(self) -> None:
        run = self.start()
        self.end(run)
        now = timezone.now()
        with self.assertRaises(IntegrityError), transaction.atomic():
            insert_run(
                Run(job=self.job, retry_of=run, attempt=2, queued_at=now, trigger=Trigger.MANUAL)
            )

    def test_trimming_the_history_leaves_the_retry(self) -> None:
        run = self.start()
        retry = self.end(run)
        assert retry is not None
        Run.objects.filter(pk=run.pk).delete()
        retry.refresh_from_db()
        self.assertEqual((retry.previous_attempt, retry.attempt), (None, 2))


class WaitingTests(RetryTestCase):
    def setUp(self) -> None:
        super().setUp()
        retry = self.end(self.start())
        assert retry is not None and retry.not_before is not None
        self.retry, self.due = retry, retry.not_before

    def test_it_starts_when_its_time_has_come_and_not_before(self) -> None:
        endings.start_waiting(self.due - timedelta(milliseconds=1))
        self.retry.refresh_from_db()
        self.assertIsNone(self.retry.lane)
        with self.captureOnCommitCallbacks() as told:
            endings.start_waiting(self.due)
        self.retry.refresh_from_db()
        self.assertEqual((self.retry.lane, len(told)), (0, 1))

    def test_it_is_in_nobodys_way_until_then(self) -> None:
        self.assertIsNone(self.retry.queue_position(self.due - timedelta(seconds=1)))
        self.assertEqual(dispatch.run_now(self.job, ALICE).lane, 0)

    def test_it_waits_for_the_run_that_is_in_progress_then(self) -> None:
        other = self.start()
        endings.start_waiting(self.due)
        self.retry.refresh_from_db()
        self.assertIsNone(self.retry.lane)
        self.assertEqual(self.retry.queue_position(self.due), 1)
        self.end(other, RunStatus.SUCCESS, None)
        endings.start_waiting(self.due)
        self.retry.refresh_from_db()
        self.assertEqual(self.retry.lane, 0)

    def test_stop_cancels_it(self) -> None:
        dispatch.stop_run(self.retry, ALICE)
        self.retry.refresh_from_db()
        self.assertEqual(self.retry.status, RunStatus.ABORTED)
        self.assertEqual(self.retry.reason, "Stopped by alice.")
        self.assertIsNone(self.retry.next_attempt)

    def test_the_deletion_of_the_webjob_cancels_it(self) -> None:
        dispatch.delete(self.job, ALICE)
        self.retry.refresh_from_db()
        self.assertEqual(self.retry.status, RunStatus.ABORTED)
        self.assertIn("deleted by alice", self.retry.reason)

    def test_the_stop_of_all_webjobs_cancels_it(self) -> None:
        dispatch.change_settings(self.job.slot, [SettingChange("WEBJOBS_STOPPED", "1")], ALICE)
        self.retry.refresh_from_db()
        self.assertEqual(self.retry.status, RunStatus.ABORTED)
        self.assertIn("WEBJOBS_STOPPED", self.retry.reason)

    def test_it_is_not_trimmed(self) -> None:
        dispatch.change_settings(self.job.slot, [SettingChange("WEBJOBS_HISTORY_SIZE", "1")], ALICE)
        make_run(self.job)
        housekeeping.trim_histories()
        self.assertTrue(Run.objects.filter(pk=self.retry.pk).exists())
