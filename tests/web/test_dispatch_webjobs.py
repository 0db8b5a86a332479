"""Adding, changing, starting, stopping and deleting WebJobs through dispatch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.storage import storages
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import (
    ALICE,
    make_instance,
    make_job,
    make_run,
    make_setting,
    make_slot,
    make_upload,
)
from webjobs import dispatch, tasks
from webjobs.dispatch import NewWebJob, Refused
from webjobs.models import AuditEntry, Package, Run, Schedule, WebJob
from webjobs.runner.settings_job import JobSettings
from webjobs.states import JobType, RunStatus

HOURLY = "0 0 * * * *"


class ContinuousTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = make_job(self.slot, "daemon", JobType.CONTINUOUS)

    def test_stop_and_start_are_wishes_and_are_told_to_the_workers(self) -> None:
        with self.captureOnCommitCallbacks() as later:
            dispatch.stop(self.job, ALICE)
        self.job.refresh_from_db()
        self.assertTrue(self.job.is_stopped)
        with self.captureOnCommitCallbacks() as more:
            dispatch.start(self.job, ALICE)
        self.job.refresh_from_db()
        self.assertFalse(self.job.is_stopped)
        self.assertIsNotNone(self.job.start_requested_at)
        self.assertEqual([*later, *more], [tasks.nudge_workers] * 2)
        actions = AuditEntry.objects.order_by("pk").values_list("action", "target")
        target = "demo/continuous/daemon"
        self.assertEqual(list(actions), [("webjob.stop", target), ("webjob.start", target)])

    def test_stopping_twice_is_recorded_once(self) -> None:
        dispatch.stop(self.job, ALICE)
        dispatch.stop(self.job, ALICE)
        self.assertEqual(AuditEntry.objects.count(), 1)

    def test_a_triggered_webjob_is_neither_started_nor_stopped(self) -> None:
        triggered = make_job(self.slot)
        for ask in (dispatch.start, dispatch.stop):
            with self.assertRaises(Refused) as caught:
                ask(triggered, ALICE)
            self.assertEqual(caught.exception.code, "not-continuous")
            self.assertEqual(caught.exception.status, 400)
        self.assertFalse(AuditEntry.objects.exists())

    def test_it_does_not_start_when_all_is_stopped(self) -> None:
        make_setting(self.slot, "WEBJOBS_STOPPED", "1")
        dispatch.stop(self.job, ALICE)
        with self.assertRaises(Refused) as caught:
            dispatch.start(self.job, ALICE)
        self.assertEqual((caught.exception.code, caught.exception.status), ("stopped", 409))
        self.job.refresh_from_db()
        self.assertTrue(self.job.is_stopped)

    def test_it_does_not_start_what_was_deleted_since_it_was_looked_at(self) -> None:
        seen = WebJob.objects.get(pk=self.job.pk)
        dispatch.delete(self.job, ALICE)
        with self.assertRaises(Refused) as caught:
            dispatch.start(seen, ALICE)
        self.assertEqual((caught.exception.code, caught.exception.status), ("gone", 404))
        self.job.refresh_from_db()
        self.assertIsNone(self.job.start_requested_at)

    def test_the_wish_does_not_stay_when_the_record_cannot_be_written(self) -> None:
        with (
            mock.patch("webjobs.dispatch.webjobs.record", side_effect=OSError("disk full")),
            self.assertRaises(OSError),
        ):
            dispatch.stop(self.job, ALICE)
        self.job.refresh_from_db()
        self.assertFalse(self.job.is_stopped)


class DeleteTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = make_job(self.slot)

    def test_it_vanishes_at_once_and_its_runs_are_asked_to_end(self) -> None:
        run = make_run(self.job, RunStatus.QUEUED)
        with self.captureOnCommitCallbacks() as later:
            dispatch.delete(self.job, ALICE)
        self.assertFalse(WebJob.objects.living().exists())
        self.assertTrue(WebJob.objects.exists())
        run.refresh_from_db()
        self.assertEqual((run.status, run.reason), ("Aborted", "The WebJob was deleted by alice."))
        self.assertEqual(later, [tasks.nudge_workers])

    def test_a_run_that_executes_gets_the_wish_and_keeps_its_holder(self) -> None:
        run = make_run(self.job, RunStatus.QUEUED)
        run.claim(make_instance(), timezone.now())
        dispatch.delete(self.job, ALICE)
        run.refresh_from_db()
        self.assertEqual(run.status, RunStatus.INITIALIZING)
        self.assertIsNotNone(run.stop_requested_at)

    def test_beat_sees_that_the_schedule_is_no_more(self) -> None:
        long_ago = timezone.now() - timedelta(days=1)
        Schedule.objects.create(job=self.job, expression=HOURLY, changed_at=long_ago)
        dispatch.delete(self.job, ALICE)
        self.assertGreater(Schedule.objects.get().changed_at, long_ago)

    def test_deleting_twice_is_recorded_once(self) -> None:
        dispatch.delete(self.job, ALICE)
        dispatch.delete(self.job, ALICE)
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.target), ("webjob.delete", "demo/triggered/nightly"))

    def test_its_name_is_free_again_at_once(self) -> None:
        dispatch.delete(self.job, ALICE)
        new = NewWebJob("nightly", JobType.TRIGGERED, make_upload())
        self.assertNotEqual(dispatch.add_webjob(self.slot, new, ALICE).pk, self.job.pk)


@pytest.mark.usefixtures("data_dir")
class AddTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()

    def add(self, name: str = "nightly", **values: object) -> WebJob:
        wished = {"type": JobType.TRIGGERED, "upload": make_upload(), **values}
        return dispatch.add_webjob(self.slot, NewWebJob(name=name, **wished), ALICE)  # type: ignore[arg-type]

    def refusal(self, name: str = "nightly", **values: object) -> Refused:
        """What add_webjob says; and that nothing was written by it."""
        before = WebJob.objects.count(), Package.objects.count(), AuditEntry.objects.count()
        with self.captureOnCommitCallbacks() as later, self.assertRaises(Refused) as caught:
            self.add(name, **values)
        after = WebJob.objects.count(), Package.objects.count(), AuditEntry.objects.count()
        self.assertEqual((after, later), (before, []))
        return caught.exception

    def test_it_stores_the_package_and_records_its_hash(self) -> None:
        job = self.add(schedule=HOURLY, time_zone="Europe/Paris")
        self.assertTrue(storages["packages"].exists(job.package.storage_name))
        self.assertEqual(job.settings_job, {"schedule": HOURLY, "time_zone": "Europe/Paris"})
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.target), ("webjob.add", "demo/triggered/nightly"))
        self.assertEqual(entry.details, {"package": job.package.sha256})

    def test_equal_packages_are_stored_once(self) -> None:
        self.assertEqual(self.add("one").package_id, self.add("two").package_id)

    def test_it_refuses_a_taken_name_in_any_case(self) -> None:
        self.add("nightly")
        error = self.refusal("NIGHTLY", upload=make_upload("echo other"))
        self.assertEqual((error.code, error.status), ("exists", 409))
        self.assertEqual(error.message, "The WebJob already exists.")

    def test_it_refuses_a_name_that_was_taken_after_it_looked(self) -> None:
        self.add("nightly")
        with mock.patch("webjobs.dispatch.webjobs.WebJob.objects.living") as living:
            living.return_value.filter.return_value.exists.return_value = False
            error = self.refusal("nightly", upload=make_upload("echo other"))
        self.assertEqual(error.code, "exists")

    def test_the_other_type_may_have_the_same_name(self) -> None:
        self.add("nightly")
        self.add("nightly", type=JobType.CONTINUOUS)
        self.assertEqual(WebJob.objects.count(), 2)

    def test_it_refuses_a_schedule_that_cannot_be_read(self) -> None:
        error = self.refusal(schedule="* * * * *")
        self.assertEqual((error.code, error.status), ("schedule", 400))
        self.assertTrue(error.message.startswith("schedule: "))

    def test_it_refuses_a_schedule_longer_than_can_be_kept(self) -> None:
        seconds = ",".join(str(second) for second in range(60))
        error = self.refusal(schedule=f"{seconds} {seconds} * * * *")
        self.assertEqual((error.code, error.status), ("schedule", 400))
        self.assertIn("255", error.message)

    def test_it_refuses_a_time_zone_that_does_not_exist(self) -> None:
        error = self.refusal(schedule=HOURLY, time_zone="Europe/Pariss")
        self.assertEqual((error.code, error.status), ("time_zone", 400))
        self.assertIn("Europe/Paris", error.message)


@pytest.mark.usefixtures("data_dir")
class ChangeTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        new = NewWebJob("nightly", JobType.TRIGGERED, make_upload(), schedule=HOURLY)
        self.job = dispatch.add_webjob(self.slot, new, ALICE)
        AuditEntry.objects.all().delete()

    @contextmanager
    def refused(self, code: str, status: int) -> Iterator[None]:
        """The block is refused, and nothing of it is recorded."""
        with self.assertRaises(Refused) as caught:
            yield
        self.assertEqual((caught.exception.code, caught.exception.status), (code, status))
        self.assertFalse(AuditEntry.objects.exists())

    def test_new_files_keep_the_settings_that_the_package_does_not_name(self) -> None:
        revision = self.job.revision
        with self.captureOnCommitCallbacks() as later:
            dispatch.replace_package(self.job, make_upload("echo new", "new.sh"), ALICE)
        self.assertEqual((self.job.script, self.job.revision), ("new.sh", revision + 1))
        self.assertEqual(self.job.settings_job, {"schedule": HOURLY})
        self.assertEqual(later, [tasks.nudge_workers])
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.details, {"package": self.job.package.sha256})

    def test_new_files_do_not_undo_what_somebody_set_meanwhile(self) -> None:
        seen = WebJob.objects.select_related("schedule").get(pk=self.job.pk)
        self.assertEqual(seen.schedule.expression, HOURLY)
        dispatch.set_settings_job(self.job, JobSettings(schedule="0 30 * * * *"), ALICE)
        dispatch.replace_package(seen, make_upload("echo new"), ALICE)
        self.assertEqual(seen.settings_job, {"schedule": "0 30 * * * *"})

    def test_a_deleted_webjob_gets_nothing_new(self) -> None:
        seen = WebJob.objects.get(pk=self.job.pk)
        WebJob.objects.update(deleted_at=timezone.now())
        with self.refused("gone", 404):
            dispatch.replace_package(seen, make_upload("echo new"), ALICE)
        with self.refused("gone", 404):
            dispatch.set_settings_job(seen, JobSettings(), ALICE)
        with self.refused("gone", 404):
            dispatch.set_schedule(seen, None, "", True, ALICE)
        self.assertEqual(Package.objects.count(), 1)
        self.assertEqual(Schedule.objects.get().expression, HOURLY)

    def test_settings_job_is_replaced_as_a_whole_and_recorded(self) -> None:
        wished = JobSettings(stopping_wait_time=9, extra={"mine": [1]})
        dispatch.set_settings_job(self.job, wished, ALICE)
        self.assertEqual(self.job.settings_job, {"stopping_wait_time": 9, "mine": [1]})
        self.assertFalse(Schedule.objects.exists())
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.action, "webjob.settings")
        self.assertEqual(entry.details, {"settings": {"stopping_wait_time": 9, "mine": [1]}})

    def test_settings_that_cannot_be_leave_everything_as_it_was(self) -> None:
        bad = [
            ("schedule", JobSettings(schedule="61 * * * * *")),
            ("time_zone", JobSettings(schedule=HOURLY, time_zone="Nowhere/Land")),
            ("settings", JobSettings(extra={"text": "a\0b"})),
            ("settings", JobSettings(extra={"text": "\ud800"})),
        ]
        for code, values in bad:
            with self.refused(code, 400):
                dispatch.set_settings_job(self.job, values, ALICE)
        self.job.refresh_from_db()
        self.assertEqual(self.job.settings_job, {"schedule": HOURLY})

    def test_a_schedule_is_switched_without_touching_its_past(self) -> None:
        Schedule.objects.update(last_occurrence=timezone.now())
        dispatch.set_schedule(self.job, HOURLY, "", False, ALICE)
        schedule = Schedule.objects.get()
        self.assertFalse(schedule.is_enabled)
        self.assertIsNotNone(schedule.last_occurrence)
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.details, {"schedule": HOURLY, "time_zone": "", "is_enabled": False})

    def test_occurrences_before_a_change_do_not_count_after_it(self) -> None:
        before = Schedule.objects.get().since
        dispatch.set_schedule(self.job, "0 30 * * * *", " Europe/Paris ", True, ALICE)
        schedule = Schedule.objects.get()
        self.assertGreater(schedule.since, before)
        self.assertGreaterEqual(schedule.changed_at, schedule.since)
        self.assertEqual(schedule.time_zone, "Europe/Paris")

    def test_the_same_schedule_again_changes_nothing(self) -> None:
        before = Schedule.objects.get().since
        dispatch.set_schedule(self.job, HOURLY, "", True, ALICE)
        self.assertEqual(Schedule.objects.get().since, before)

    def test_a_schedule_is_removed(self) -> None:
        dispatch.set_schedule(self.job, None, "", True, ALICE)
        self.assertFalse(Schedule.objects.exists())
        self.assertEqual(self.job.settings_job, {})

    def test_a_continuous_webjob_has_no_schedule(self) -> None:
        daemon = make_job(self.slot, "daemon", JobType.CONTINUOUS)
        with self.refused("not-triggered", 400):
            dispatch.set_schedule(daemon, HOURLY, "", True, ALICE)

    def test_a_run_that_waits_keeps_its_own_package(self) -> None:
        run = dispatch.run_now(self.job, ALICE)
        dispatch.replace_package(self.job, make_upload("echo new"), ALICE)
        self.assertNotEqual(Run.objects.get(pk=run.pk).package_id, self.job.package_id)
