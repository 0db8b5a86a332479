"""Apps, app settings and credentials through dispatch."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import ALICE, make_instance, make_job, make_run, make_setting, make_slot
from webjobs import dispatch, tasks
from webjobs.dispatch import Actor, Refused, SettingChange
from webjobs.models import App, AppSetting, AuditEntry, Membership, Role, Schedule, Slot
from webjobs.models.setting import settings_of
from webjobs.states import RunStatus


class CreateAppTests(TestCase):
    def test_its_maker_becomes_contributor_of_an_app_with_a_production_slot(self) -> None:
        alice = User.objects.create_user("alice")
        app = dispatch.create_app("demo", Actor(alice, "alice"))
        self.assertTrue(Slot.objects.get(app=app).is_production)
        self.assertEqual(Membership.objects.get(app=app, user=alice).role, Role.CONTRIBUTOR)
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.app, entry.target), ("app.create", app, "demo"))

    def test_the_portal_itself_needs_no_membership(self) -> None:
        dispatch.create_app("demo", dispatch.PORTAL)
        self.assertFalse(Membership.objects.exists())

    def test_a_name_exists_once_in_any_case(self) -> None:
        dispatch.create_app("demo", ALICE)
        with self.assertRaises(Refused) as caught:
            dispatch.create_app("DEMO", ALICE)
        self.assertEqual((caught.exception.code, caught.exception.status), ("app-exists", 409))
        self.assertEqual((App.objects.count(), Slot.objects.count()), (1, 1))
        self.assertEqual(AuditEntry.objects.count(), 1)


class ChangeSettingsTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()

    def change(self, *changes: SettingChange) -> None:
        dispatch.change_settings(self.slot, changes, ALICE)

    def test_it_adds_changes_and_deletes_in_one_go(self) -> None:
        make_setting(self.slot, "Old", "1")
        make_setting(self.slot, "Kept", "2")
        with self.captureOnCommitCallbacks() as later:
            self.change(
                SettingChange("old", None),
                SettingChange("NEW", "3", is_secret=True),
                SettingChange("kept", "4"),
            )
        self.assertEqual(settings_of(self.slot), {"NEW": "3", "kept": "4"})
        self.assertTrue(AppSetting.objects.get(name="NEW").is_secret)
        self.assertEqual(later, [tasks.nudge_workers])

    def test_the_record_names_the_settings_and_holds_no_value(self) -> None:
        make_setting(self.slot, "Token", "hunter2-old")
        self.change(SettingChange("Token", "hunter2-new", is_secret=True), SettingChange("A", "b3"))
        entry = AuditEntry.objects.values().get()
        self.assertEqual(entry["action"], "settings.change")
        self.assertEqual(entry["details"], {"names": ["A", "Token"]})
        self.assertNotIn("hunter2", str(entry))

    def test_a_value_that_the_engine_cannot_use_changes_nothing_at_all(self) -> None:
        before = Slot.objects.values().get()
        with self.assertRaises(Refused) as caught:
            self.change(SettingChange("GOOD", "1"), SettingChange("WEBJOBS_IDLE_TIMEOUT", "soon"))
        self.assertEqual((caught.exception.code, caught.exception.status), ("setting", 400))
        self.assertIn("WEBJOBS_IDLE_TIMEOUT", caught.exception.message)
        self.assertFalse(AppSetting.objects.exists())
        self.assertFalse(AuditEntry.objects.exists())
        self.assertEqual(Slot.objects.values().get(), before)

    def test_only_what_jobs_see_lets_them_start_anew(self) -> None:
        self.change(SettingChange("WEBJOBS_HISTORY_SIZE", "10"))
        self.slot.refresh_from_db()
        self.assertEqual((self.slot.settings_revision, self.slot.environment_revision), (2, 1))
        self.change(SettingChange("COLOUR", "blue"))
        self.slot.refresh_from_db()
        self.assertEqual((self.slot.settings_revision, self.slot.environment_revision), (3, 2))

    def test_beat_looks_at_the_schedules_again(self) -> None:
        long_ago = timezone.now() - timedelta(days=1)
        Schedule.objects.create(
            job=make_job(self.slot), expression="0 0 * * * *", changed_at=long_ago
        )
        self.change(SettingChange("WEBSITE_TIME_ZONE", "Europe/Paris"))
        self.assertGreater(Schedule.objects.get().changed_at, long_ago)

    def test_stopping_all_ends_what_waits_and_asks_what_runs(self) -> None:
        waits = make_run(make_job(self.slot, "waits"), RunStatus.QUEUED)
        runs = make_run(make_job(self.slot, "runs"), RunStatus.QUEUED)
        runs.claim(make_instance(), timezone.now())
        other = make_run(make_job(make_slot("other")), RunStatus.QUEUED)
        self.change(SettingChange("WEBJOBS_STOPPED", "1"))
        for run in (waits, runs, other):
            run.refresh_from_db()
        self.assertEqual(waits.status, RunStatus.ABORTED)
        self.assertIn("WEBJOBS_STOPPED", waits.reason)
        self.assertEqual(runs.status, RunStatus.INITIALIZING)
        self.assertIn("WEBJOBS_STOPPED", runs.stop_reason)
        self.assertEqual((other.status, other.stop_requested_at), (RunStatus.QUEUED, None))

    def test_two_who_add_the_same_name_leave_one_setting(self) -> None:
        self.change(SettingChange("Same", "first"))
        self.change(SettingChange("SAME", "second"))
        self.assertEqual(settings_of(self.slot), {"SAME": "second"})


class PasswordTests(TestCase):
    def test_the_new_password_is_kept_encrypted_and_not_recorded(self) -> None:
        slot = make_slot()
        dispatch.set_publishing_password(slot, "hunter2-hunter2", ALICE)
        self.assertEqual(Slot.objects.get().publishing_password, "hunter2-hunter2")
        entry = AuditEntry.objects.values().get()
        self.assertEqual((entry["action"], entry["target"]), ("slot.password", "demo"))
        self.assertNotIn("hunter2", str(entry))
