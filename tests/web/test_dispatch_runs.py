"""Starting and stopping runs, also when something came in between."""

from __future__ import annotations

from unittest import mock

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import (
    ALICE,
    make_instance,
    make_job,
    make_package,
    make_run,
    make_setting,
    make_slot,
)
from webjobs import dispatch, messages, tasks
from webjobs.dispatch import Actor, Refused
from webjobs.messages import enqueue_run
from webjobs.models import AuditEntry, Run, WebJob
from webjobs.states import JobType, RunStatus, Trigger


class RunNowTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = make_job(self.slot)

    def refusal(self, job: WebJob, arguments: str = "") -> Refused:
        """What run_now says; and that nothing was written by it."""
        before = Run.objects.count(), AuditEntry.objects.count()
        with self.captureOnCommitCallbacks() as later, self.assertRaises(Refused) as caught:
            dispatch.run_now(job, ALICE, arguments=arguments)
        self.assertEqual((Run.objects.count(), AuditEntry.objects.count()), before)
        self.assertEqual(later, [])
        return caught.exception

    @pytest.mark.usefixtures("broker")
    def test_it_queues_a_run_and_tells_a_worker_after_the_commit(self) -> None:
        with self.captureOnCommitCallbacks() as later:
            run = dispatch.run_now(self.job, ALICE, arguments="one 'two three'")
        run.refresh_from_db()
        self.assertEqual(
            (run.status, run.trigger, run.arguments, run.lane),
            (RunStatus.QUEUED, Trigger.MANUAL, "one 'two three'", 0),
        )
        self.assertEqual((run.package, run.script), (self.job.package, "run.sh"))
        self.assertEqual(len(str(run.number)), 18)
        later[0]()
        with current_app.connection_for_read() as connection:
            message = connection.SimpleQueue(settings.CELERY_TASK_DEFAULT_QUEUE).get(timeout=5)
        self.assertEqual(message.headers["task"], tasks.execute_run.name)
        self.assertEqual(message.payload[0], [run.pk])

    @pytest.mark.usefixtures("broker")
    def test_it_sends_no_more_hints_than_there_are_threads_to_take_them(self) -> None:
        most = settings.CELERY_WORKER_CONCURRENCY
        sent = [enqueue_run(number) for number in range(most + 5)]
        self.assertTrue(all(sent))
        with current_app.connection_for_read() as connection:
            queue = connection.SimpleQueue(settings.CELERY_TASK_DEFAULT_QUEUE)
            self.assertEqual(queue.qsize(), most)
            self.assertEqual([queue.get().payload[0] for _ in range(2)], [[0], [1]])

    @pytest.mark.usefixtures("broker")
    def test_a_database_that_goes_away_after_the_commit_costs_no_hint(self) -> None:
        def refuse(*_: object) -> object:
            raise OperationalError

        with (
            mock.patch.object(messages, "_threads", messages._Threads()),
            connection.execute_wrapper(refuse),
        ):
            self.assertTrue(enqueue_run(7))

    def test_it_records_who_what_and_from_where(self) -> None:
        alice = User.objects.create_user("alice")
        run = dispatch.run_now(self.job, Actor(alice, "alice", "192.0.2.7"), arguments="x")
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.user, entry.user_name), (alice, "alice"))
        self.assertEqual((entry.address, entry.app), ("192.0.2.7", self.slot.app))
        self.assertEqual((entry.action, entry.target), ("webjob.run", "demo/triggered/nightly"))
        self.assertEqual(entry.details, {"run": run.number, "arguments": "x"})
        self.assertEqual(run.requested_by, alice)

    def test_it_refuses_while_a_run_is_active_in_azures_words(self) -> None:
        for status in (RunStatus.QUEUED, RunStatus.INITIALIZING, RunStatus.RUNNING):
            with self.subTest(status):
                run = make_run(self.job, status)
                error = self.refusal(self.job)
                self.assertEqual((error.code, error.status), ("already-running", 409))
                self.assertEqual(
                    error.message, "Cannot start a new run since job is already running."
                )
                run.delete()

    def test_an_ended_run_is_in_nobodys_way(self) -> None:
        dispatch.run_now(self.job, ALICE).cancel(timezone.now(), "No.")
        dispatch.run_now(self.job, ALICE)
        self.assertEqual(Run.objects.count(), 2)

    def test_two_runs_in_the_same_moment_get_two_numbers(self) -> None:
        now = timezone.now()
        make_run(self.job, at=now)
        with mock.patch("webjobs.dispatch.runs.timezone.now", return_value=now):
            run = dispatch.run_now(self.job, ALICE)
        self.assertEqual(Run.objects.filter(number=run.number - 1).count(), 1)

    def test_it_says_so_when_no_number_is_free(self) -> None:
        now = timezone.now()
        make_run(self.job, at=now)
        with (
            mock.patch("webjobs.dispatch.runs.timezone.now", return_value=now),
            mock.patch("webjobs.models.queueing.MAX_NUMBER_TRIES", 1),
        ):
            error = self.refusal(self.job)
        self.assertEqual((error.code, error.status), ("busy", 503))

    def test_it_refuses_when_all_is_stopped_by_either_spelling(self) -> None:
        for name in ("WEBJOBS_STOPPED", "webjob_stopped"):
            with self.subTest(name):
                setting = make_setting(self.slot, name, "1")
                error = self.refusal(self.job)
                self.assertEqual((error.code, error.status), ("stopped", 409))
                self.assertEqual(error.message, 'WebJobs are currently in "stopped" state.')
                setting.delete()

    def test_it_refuses_a_continuous_webjob(self) -> None:
        error = self.refusal(make_job(self.slot, "daemon", JobType.CONTINUOUS))
        self.assertEqual((error.code, error.status), ("not-triggered", 400))

    def test_it_refuses_arguments_that_no_shell_could_read(self) -> None:
        for arguments, word in (("'open", "quotation"), ("end\\", "backslash"), ("a\0b", "null")):
            with self.subTest(arguments):
                error = self.refusal(self.job, arguments=arguments)
                self.assertEqual((error.code, error.status), ("arguments", 400))
                self.assertIn(word, error.message)

    def test_it_refuses_when_the_webjob_was_deleted_since_it_was_looked_at(self) -> None:
        seen = WebJob.objects.get(pk=self.job.pk)
        dispatch.delete(self.job, ALICE)
        error = self.refusal(seen)
        self.assertEqual((error.code, error.status), ("gone", 404))

    def test_it_refuses_when_the_webjobs_row_is_gone(self) -> None:
        seen = WebJob.objects.get(pk=self.job.pk)
        self.job.delete()
        self.assertEqual(self.refusal(seen).code, "gone")

    def test_it_runs_the_package_of_now_and_not_the_one_that_was_looked_at(self) -> None:
        seen = WebJob.objects.get(pk=self.job.pk)
        newer = make_package("new.py")
        WebJob.objects.filter(pk=self.job.pk).update(package=newer, script="new.py")
        run = dispatch.run_now(seen, ALICE)
        self.assertEqual((run.package_id, run.script), (newer.pk, "new.py"))

    def test_a_long_trigger_text_is_cut_to_what_the_column_takes(self) -> None:
        run = dispatch.run_now(
            self.job, ALICE, trigger=Trigger.WEBHOOK, trigger_text="External - " + "x" * 600
        )
        self.assertEqual(len(run.trigger_text), 512)

    def test_no_run_stays_when_the_record_cannot_be_written(self) -> None:
        nobody = Actor(None, "alice" * 100)
        with (
            mock.patch("webjobs.dispatch.runs.record", side_effect=OSError("disk full")),
            self.assertRaises(OSError),
        ):
            dispatch.run_now(self.job, nobody)
        self.assertFalse(Run.objects.exists())


class StopRunTests(TestCase):
    def setUp(self) -> None:
        self.job = make_job(make_slot())
        self.instance = make_instance()

    def test_a_queued_run_ends_at_once_and_is_never_claimed(self) -> None:
        run = make_run(self.job, RunStatus.QUEUED)
        seen_by_worker = Run.objects.get(pk=run.pk)
        dispatch.stop_run(run, ALICE)
        self.assertFalse(seen_by_worker.claim(self.instance, timezone.now()))
        run.refresh_from_db()
        self.assertEqual((run.status, run.lane), (RunStatus.ABORTED, None))
        self.assertEqual(run.reason, "Stopped by alice.")

    def test_a_run_that_was_claimed_meanwhile_carries_the_wish(self) -> None:
        seen = make_run(self.job, RunStatus.QUEUED)
        Run.objects.get(pk=seen.pk).claim(self.instance, timezone.now())
        with self.captureOnCommitCallbacks() as later:
            dispatch.stop_run(seen, ALICE)
        seen.refresh_from_db()
        self.assertEqual(seen.status, RunStatus.INITIALIZING)
        self.assertEqual(seen.stop_reason, "Stopped by alice.")
        self.assertIsNotNone(seen.stop_requested_at)
        self.assertEqual(later, [tasks.nudge_workers])

    def test_it_is_recorded_once_however_often_it_is_asked(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        dispatch.stop_run(run, ALICE)
        dispatch.stop_run(run, Actor(None, "bob"))
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.target), ("run.stop", "demo/triggered/nightly"))
        self.assertEqual(entry.details, {"run": run.number})
        run.refresh_from_db()
        self.assertEqual(run.stop_reason, "Stopped by alice.")

    def test_it_refuses_a_run_that_ended_since_it_was_looked_at(self) -> None:
        run = make_run(self.job, RunStatus.QUEUED)
        seen = Run.objects.get(pk=run.pk)
        run.claim(self.instance, timezone.now())
        run.finish(self.instance, RunStatus.SUCCESS, timezone.now(), reason="Done.")
        with self.assertRaises(Refused) as caught:
            dispatch.stop_run(seen, ALICE)
        self.assertEqual((caught.exception.code, caught.exception.status), ("not-running", 409))
        seen.refresh_from_db()
        self.assertEqual((seen.status, seen.stop_requested_at), (RunStatus.SUCCESS, None))
        self.assertFalse(AuditEntry.objects.exists())

    def test_it_takes_few_queries(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        found = Run.objects.select_related("job__slot__app").get(pk=run.pk)
        with self.assertNumQueries(6):
            dispatch.stop_run(found, ALICE)
