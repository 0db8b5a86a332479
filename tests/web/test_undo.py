"""Undo: what was just done is taken back, by whoever did it, for some minutes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from unittest import mock

from django.contrib.sessions.models import Session
from django.utils import timezone

from tests.web.objects import ALICE, make_job, make_run, make_setting, make_slot, make_upload
from tests.web.pages import PagesTestCase
from webjobs import dispatch, housekeeping
from webjobs.models import AppSetting, AuditEntry, PackageVersion, Schedule, WebJob
from webjobs.models.webjob import KEEP_DELETED
from webjobs.states import JobType, RunStatus

BLADE = "/apps/demo/webjobs/"


class UndoTestCase(PagesTestCase):
    def done(self, url: str, data: dict[str, Any] | None = None) -> str:
        """Do something that works; the address that takes it back, empty when there is none."""
        response = self.post(url, data or {})
        self.assertEqual(response.status_code, 200, response.content)
        found: str = response.json().get("undo", "")
        return found

    def undo(self, address: str) -> str:
        response = self.post(address)
        self.assertEqual(response.status_code, 200, response.content)
        message: str = response.json()["message"]
        return message

    def job(self, name: str, type: JobType = JobType.TRIGGERED) -> WebJob:
        new = dispatch.NewWebJob(name, type, make_upload("echo one\n"))
        return dispatch.add_webjob(self.slot, new, ALICE)


class StateTests(UndoTestCase):
    def test_a_stopped_webjob_is_started_again(self) -> None:
        job = self.job("listener", JobType.CONTINUOUS)
        address = self.done(f"{BLADE}continuous/listener/stop")
        self.assertIn("listener", self.undo(address))
        job.refresh_from_db()
        self.assertFalse(job.is_stopped)
        # Once.
        self.assertEqual(self.post(address).status_code, 409)

    def test_a_started_webjob_is_stopped_again(self) -> None:
        job = self.job("listener", JobType.CONTINUOUS)
        dispatch.stop(job, ALICE)
        self.undo(self.done(f"{BLADE}continuous/listener/start"))
        job.refresh_from_db()
        self.assertTrue(job.is_stopped)

    def test_what_changed_nothing_has_no_undo(self) -> None:
        job = self.job("listener", JobType.CONTINUOUS)
        self.assertEqual(self.done(f"{BLADE}continuous/listener/start"), "")
        dispatch.stop(job, ALICE)
        self.assertEqual(self.done(f"{BLADE}continuous/listener/stop"), "")

    def test_several_are_undone_together_and_only_what_was_changed(self) -> None:
        jobs = [self.job(name, JobType.CONTINUOUS) for name in ("one", "two", "three")]
        dispatch.stop(jobs[2], ALICE)
        keys = [f"continuous/{job.name}" for job in jobs]
        self.undo(self.done(f"{BLADE}bulk", {"command": "stop", "job": keys}))
        stopped = WebJob.objects.filter(is_stopped=True).values_list("name", flat=True)
        self.assertEqual(list(stopped), ["three"])

    def test_without_a_script_it_is_a_button_of_the_message(self) -> None:
        self.job("listener", JobType.CONTINUOUS)
        self.client.force_login(self.alice)
        response = self.client.post(f"{BLADE}continuous/listener/stop", follow=True)
        found = re.search(r'<form method="post" action="(/undo/[^"]+)">', response.content.decode())
        assert found
        response = self.client.post(found[1], follow=True)
        self.assertRedirects(response, BLADE)
        self.assertFalse(WebJob.objects.get().is_stopped)


class DeleteTests(UndoTestCase):
    def test_a_deleted_webjob_comes_back_with_its_history_and_schedule(self) -> None:
        job = self.job("nightly")
        dispatch.set_schedule(job, "0 0 1 * * *", "", True, ALICE)
        ended, queued = make_run(job), make_run(job, RunStatus.QUEUED, lane=None)
        address = self.done(f"{BLADE}triggered/nightly/delete")
        self.assertNotContains(self.get(BLADE), 'data-name="nightly"')
        housekeeping.purge_deleted(timezone.now())
        self.undo(address)
        self.assertContains(self.get(BLADE), 'data-name="nightly"')
        job.refresh_from_db()
        self.assertEqual(set(job.runs.all()), {ended, queued})
        # What would have come due meanwhile is no debt.
        self.assertGreater(Schedule.objects.get().since, timezone.now() - timedelta(minutes=1))
        self.assertTrue(AuditEntry.objects.filter(action="webjob.restore").exists())

    def test_its_rows_go_when_it_is_too_late(self) -> None:
        self.job("nightly")
        address = self.done(f"{BLADE}triggered/nightly/delete")
        later = timezone.now() + KEEP_DELETED
        housekeeping.purge_deleted(later)
        self.assertFalse(WebJob.objects.exists())
        self.assertEqual(self.post(address).status_code, 404)
        with mock.patch("webjobs.views.undo.time.time", return_value=later.timestamp()):
            response = self.post(address)
        self.assertContains(response, "too late", status_code=409)

    def test_one_whose_name_was_taken_stays_away(self) -> None:
        self.job("nightly")
        address = self.done(f"{BLADE}triggered/nightly/delete")
        self.job("nightly")
        self.assertContains(self.post(address), "already exists", status_code=409)
        self.assertEqual(WebJob.objects.living().count(), 1)


class EditTests(UndoTestCase):
    def test_a_version_is_rolled_forward_again_with_its_settings(self) -> None:
        job = self.job("nightly")
        dispatch.replace_package(job, make_upload("echo two\n"), ALICE)
        dispatch.set_policy(job, dispatch.Policy(retry_attempts=3), ALICE)
        two = job.package_id
        self.undo(self.done(f"{BLADE}triggered/nightly/versions/1/roll-back"))
        job.refresh_from_db()
        self.assertEqual((job.package_id, job.retry_attempts), (two, 3))
        self.assertEqual(PackageVersion.objects.filter(job=job).count(), 4)

    def test_a_schedule_and_its_switch_are_put_back(self) -> None:
        job = self.job("nightly")
        url = f"{BLADE}triggered/nightly/schedule"
        address = self.done(url, {"cron": "0 0 1 * * *", "time_zone": "", "is_enabled": "on"})
        off = self.done(url, {"cron": "0 0 2 * * *", "time_zone": "Europe/Paris"})
        self.undo(off)
        schedule = Schedule.objects.get(job=job)
        self.assertEqual((schedule.expression, schedule.time_zone), ("0 0 1 * * *", ""))
        self.assertTrue(schedule.is_enabled)
        self.undo(address)
        self.assertFalse(Schedule.objects.exists())

    def test_what_somebody_changed_meanwhile_stays(self) -> None:
        job = self.job("nightly")
        address = self.done(
            f"{BLADE}triggered/nightly/schedule",
            {"cron": "0 0 1 * * *", "time_zone": "", "is_enabled": "on"},
        )
        dispatch.set_policy(job, dispatch.Policy(retry_attempts=2), ALICE)
        self.assertContains(self.post(address), "Somebody else", status_code=409)
        self.assertTrue(Schedule.objects.exists())


class SettingTests(UndoTestCase):
    def apply(self, *changes: dict[str, Any]) -> str:
        return self.done("/apps/demo/settings/apply", {"changes": json.dumps(changes)})

    def test_values_come_back_also_secret_ones_that_never_show(self) -> None:
        key = make_setting(self.slot, "KEY", "old-secret-value", is_secret=True)
        gone = make_setting(self.slot, "GONE", "here")
        address = self.apply(
            {"was": "KEY", "seen": key.version, "name": "KEY", "value": "new", "secret": True},
            {"was": "GONE", "seen": gone.version, "name": ""},
            {"was": "", "seen": "", "name": "FRESH", "value": "x"},
        )
        for session in Session.objects.all():
            self.assertNotIn("old-secret-value", str(session.get_decoded()))
        self.assertNotIn("old-secret-value", self.undo(address))
        found = {each.name: (each.value, each.is_secret) for each in AppSetting.objects.all()}
        self.assertEqual(found, {"KEY": ("old-secret-value", True), "GONE": ("here", False)})

    def test_one_that_was_changed_again_stays(self) -> None:
        address = self.apply({"was": "", "seen": "", "name": "COLOR", "value": "red"})
        dispatch.change_settings(self.slot, [dispatch.SettingChange("COLOR", "blue")], ALICE)
        self.assertEqual(self.post(address).status_code, 409)
        self.assertEqual(AppSetting.objects.get().value, "blue")


class WhoTests(UndoTestCase):
    def test_only_whoever_did_it_and_still_may(self) -> None:
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        address = self.done(f"{BLADE}continuous/listener/stop")
        self.assertEqual(self.client.get(address).status_code, 405)
        alice = self.client.session["undo"]
        self.client.force_login(self.carol)
        self.assertEqual(self.post(address, user=self.carol).status_code, 409)
        session = self.client.session
        session["undo"] = alice
        session.save()
        self.assertEqual(self.post(address, user=self.carol).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.post(address).status_code, 302)

    def test_a_slot_that_is_gone_takes_nothing_back(self) -> None:
        staging = make_slot("demo", "staging")
        make_job(staging, "listener", JobType.CONTINUOUS)
        base = "/apps/demo/slots/staging/webjobs/continuous/listener/"
        address = self.done(f"{base}delete")
        dispatch.delete_slot(staging, ALICE)
        self.assertEqual(self.post(address).status_code, 404)
