"""The record of what people did: complete, lasting, and without a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import (
    make_instance,
    make_job,
    make_package,
    make_run,
    make_slot,
    make_upload,
)
from webjobs import dispatch
from webjobs.dispatch import Actor, Edit, NewWebJob, Policy, SettingChange, record
from webjobs.models import AuditEntry, Copy, DebugSession, Hook, PackageVersion, WebJob
from webjobs.runner.settings_job import JobSettings
from webjobs.states import AppKind, CopyStatus, JobType, RunStatus, Tier
from webjobs.tunnel import Connection

SECRETS = ("hunter2-setting", "hunter2-password", "hunter2-hook")


@pytest.mark.usefixtures("data_dir", "broker")
class AuditTests(TestCase):
    def setUp(self) -> None:
        self.alice = User.objects.create_user("alice")
        self.actor = Actor(self.alice, "alice", "2001:db8::7")
        self.slot = make_slot("demo", "staging")

    def everything(self) -> dict[str, Callable[[], object]]:
        """Every action that there is, each ready to be asked for."""
        slot, actor = self.slot, self.actor
        triggered = make_job(slot)
        continuous = make_job(slot, "daemon", JobType.CONTINUOUS)
        running = make_run(make_job(slot, "busy"), RunStatus.RUNNING)
        earlier = PackageVersion.objects.create(
            job=triggered, number=1, package=make_package("run.py"), created_at=timezone.now()
        )
        new = NewWebJob("new", JobType.TRIGGERED, make_upload("echo new"))
        change = SettingChange("Token", SECRETS[0], is_secret=True)
        hook = Hook.objects.create(
            slot=slot, url="http://localhost/old", event="any", base="", secret=SECRETS[2]
        )
        debugged, session, lost = self._debugging()
        return self._slots() | {
            "debug.start": lambda: dispatch.start_debugging(debugged, None, actor),
            "debug.connect": lambda: dispatch.connect_debugger(session, actor),
            "debug.disconnect": lambda: dispatch.note_lost(session, lost, actor),
            "debug.stop": lambda: dispatch.stop_debugging(session, actor),
            "app.create": lambda: dispatch.create_app("shop", actor),
            "hook.add": lambda: dispatch.add_hook(
                slot, "http://localhost/new", "other", actor, insecure_ssl=False, base=""
            ),
            "hook.publish": lambda: dispatch.publish(slot, "nobody", {}, actor),
            "hook.delete": lambda: dispatch.delete_hook(hook, actor),
            "run.stop": lambda: dispatch.stop_run(running, actor),
            "settings.change": lambda: dispatch.change_settings(slot, [change], actor),
            "slot.password": lambda: dispatch.set_publishing_password(slot, SECRETS[1], actor),
            "slot.restart": lambda: dispatch.restart(slot, actor),
            "webjob.add": lambda: dispatch.add_webjob(slot, new, actor),
            "webjob.replace": lambda: dispatch.replace_package(
                triggered, make_upload("echo other"), actor
            ),
            "webjob.rollback": lambda: dispatch.roll_back(triggered, earlier, actor),
            "webjob.edit": lambda: dispatch.edit_webjob(
                triggered, Edit({"retry_attempts": 2}), dispatch.state_of(triggered), actor
            ),
            "webjob.settings": lambda: dispatch.set_settings_job(triggered, JobSettings(), actor),
            "webjob.policy": lambda: dispatch.set_policy(triggered, Policy("queue"), actor),
            "webjob.schedule": lambda: dispatch.set_schedule(
                triggered, "0 0 * * * *", "", True, actor
            ),
            "webjob.run": lambda: dispatch.run_now(triggered, actor),
            "webjob.stop": lambda: dispatch.stop(continuous, actor),
            "webjob.start": lambda: dispatch.start(continuous, actor),
            "webjob.delete": lambda: dispatch.delete(continuous, actor),
            "webjob.restore": lambda: dispatch.restore(continuous, actor),
        }

    def _slots(self) -> dict[str, Callable[[], object]]:
        actor = self.actor
        one, two, left = (make_slot("other", name) for name in ("one", "two", "left"))
        return {
            "app.plan": lambda: dispatch.set_plan(
                one.app, Tier.STANDARD, AppKind.WEB, actor, always_on=True
            ),
            "slot.add": lambda: dispatch.add_slot(one.app, "fresh", actor),
            "slot.delete": lambda: dispatch.delete_slot(left, actor),
            "slot.swap.start": lambda: dispatch.swap_slots(one, two, actor),
        }

    def _debugging(self) -> tuple[WebJob, DebugSession, Connection]:
        """A WebJob to debug, a session of another one, and a connection without a worker."""
        now, instance = timezone.now(), make_instance()
        jobs = [make_job(self.slot, name, JobType.CONTINUOUS) for name in ("debugged", "held")]
        WebJob.objects.filter(type=JobType.CONTINUOUS).update(script="run.py")
        for job in jobs:
            job.refresh_from_db()
            Copy.objects.create(
                job=job, instance=instance, epoch=1, status=CopyStatus.RUNNING, changed_at=now
            )
        session = DebugSession.objects.create(
            job=jobs[1],
            instance=instance,
            language="python",
            requested_at=now,
            by_name="alice",
            until=now + timedelta(minutes=5),
        )
        return jobs[0], session, Connection.ask(session.pk, None, "alice", None)

    def test_every_action_leaves_one_entry_that_says_who_what_and_from_where(self) -> None:
        for action, ask in self.everything().items():
            with self.subTest(action):
                AuditEntry.objects.all().delete()
                ask()
                entry = AuditEntry.objects.get()
                self.assertEqual(entry.action, action)
                self.assertEqual((entry.user, entry.user_name), (self.alice, "alice"))
                self.assertEqual(entry.address, "2001:db8::7")
                self.assertIsNotNone(entry.app)
                where = ("shop", "demo/staging", "other")
                self.assertTrue(entry.target.startswith(where), entry.target)

    def test_every_action_of_dispatch_is_tried_here(self) -> None:
        helpers = {"record", "parse_settings_of", "state_of", "check_connectable", "keep_upload"}
        helpers.add("present")
        # Recorded as the end of the swap, whoever or whatever ended it.
        helpers.add("cancel_swap")
        offered = {name for name in dispatch.__all__ if name.islower()} - helpers
        self.assertEqual(len(self.everything()), len(offered), offered)

    def test_no_entry_holds_a_secret(self) -> None:
        for ask in self.everything().values():
            ask()
        text = json.dumps(list(AuditEntry.objects.values()), default=str)
        for secret in (*SECRETS, self.slot.publishing_password):
            self.assertNotIn(secret, text)

    def test_an_entry_outlives_its_app_and_its_user(self) -> None:
        record(self.actor, "webjob.run", self.slot, "triggered/nightly")
        self.slot.app.delete()
        self.alice.delete()
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.app, entry.user), (None, None))
        self.assertEqual(str(entry), "alice: webjob.run demo/staging/triggered/nightly")

    def test_what_belongs_to_no_app_is_recorded_too(self) -> None:
        record(self.actor, "user.add", None, "user/bob")
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.app, entry.target), (None, "user/bob"))

    def test_a_very_long_target_is_cut_and_not_refused(self) -> None:
        record(self.actor, "group.add", None, "x" * 1000)
        self.assertEqual(len(AuditEntry.objects.get().target), 300)
