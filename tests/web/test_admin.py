"""The admin site: who gets in, and that every page works under the content security policy."""

from __future__ import annotations

import re
from datetime import timedelta

from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.web.objects import (
    ALICE,
    make_instance,
    make_job,
    make_member,
    make_run,
    make_setting,
    make_slot,
)
from webjobs.dispatch import record
from webjobs.models import AppSetting, Beat, Copy, Role, Run, Schedule, Slot, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus

# What an operator must find.
SHOWN = {
    "webjobs.app", "webjobs.slot", "webjobs.webjob", "webjobs.schedule", "webjobs.run",
    "webjobs.occurrence", "webjobs.copy", "webjobs.instance", "webjobs.beat",
    "webjobs.appsetting", "webjobs.membership", "webjobs.package", "webjobs.auditentry",
    "auth.user", "auth.group", "django_celery_beat.periodictask",
}  # fmt: skip
FACTS = ["run", "occurrence", "copy", "instance", "beat", "package", "auditentry"]
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", re.DOTALL)
INLINE_HANDLER = re.compile(r"<[^>]+\son[a-z]+=|javascript:", re.IGNORECASE)


def _address(model: type, page: str, *args: object) -> str:
    meta = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


class _WithRows(TestCase):
    """One row of everything, and an operator."""

    operator: User
    member: User
    job: WebJob
    ended: Run

    @classmethod
    def setUpTestData(cls) -> None:
        slot = make_slot()
        cls.operator = User.objects.create_superuser("admin", password="correct-horse-9")
        cls.member = make_member(slot.app, "bob", Role.CONTRIBUTOR)
        cls.job = make_job(slot)
        Schedule.objects.create(job=cls.job, expression="0 0 * * * *")
        cls.ended = make_run(cls.job, reason="Because.", started_at=timezone.now())
        earlier = timezone.now() - timedelta(hours=1)
        make_run(cls.job, RunStatus.MISSED, at=earlier, scheduled_for=earlier, reason="Too late.")
        instance = make_instance()
        Copy.objects.create(
            job=make_job(slot, "daemon", JobType.CONTINUOUS),
            instance=instance,
            epoch=1,
            status=CopyStatus.RUNNING,
            changed_at=timezone.now(),
        )
        Beat.objects.create(key="beat", ticked_at=timezone.now())
        make_setting(slot, "Token", "hunter2-hunter2", is_secret=True)
        record(ALICE, "webjob.run", slot, "triggered/nightly")
        from django_celery_beat.models import IntervalSchedule, PeriodicTask

        every = IntervalSchedule.objects.create(every=10, period="seconds")
        PeriodicTask.objects.create(name="clean up", task="webjobs.clean_up", interval=every)


class EntryTests(_WithRows):
    def test_anonymous_is_sent_to_sign_in_and_back(self) -> None:
        for address, sign_in in (
            (reverse("admin:index"), "admin:login"),
            (_address(Run, "changelist"), "sign-in"),
        ):
            response = self.client.get(address)
            self.assertRedirects(
                response, f"{reverse(sign_in)}?next={address}", fetch_redirect_response=False
            )

    def test_the_sign_in_names_the_portal(self) -> None:
        self.assertContains(self.client.get(reverse("admin:login")), "WebJobs Portal")

    def test_a_contributor_of_an_app_is_no_operator(self) -> None:
        self.client.force_login(self.member)
        for address in (reverse("admin:index"), _address(Run, "changelist")):
            response = self.client.get(address)
            self.assertEqual(response.status_code, 302)
            self.assertIn(reverse("admin:login"), response["Location"])

    def test_staff_sees_and_does_only_what_its_permissions_say(self) -> None:
        staff = User.objects.create_user("carol", is_staff=True)
        staff.user_permissions.add(Permission.objects.get(codename="view_webjob"))
        self.client.force_login(staff)
        self.assertEqual(self.client.get(_address(Run, "changelist")).status_code, 403)
        page = self.client.get(_address(type(self.job), "changelist"))
        self.assertEqual(page.status_code, 200)
        self.assertNotContains(page, 'value="run"')
        self.assertNotContains(page, "delete_selected")
        for action in ("run", "delete_selected"):
            self.client.post(
                _address(type(self.job), "changelist"),
                {"action": action, "_selected_action": self.job.pk, "post": "yes"},
            )
        self.assertEqual(Run.objects.count(), 2)
        self.job.refresh_from_db()
        self.assertIsNone(self.job.deleted_at)

    def test_a_superuser_finds_everything(self) -> None:
        found = {
            f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry
        }
        self.assertLessEqual(SHOWN, found)
        self.client.force_login(self.operator)
        page = self.client.get(reverse("admin:index"))
        self.assertContains(page, "WebJobs Portal")
        for model in admin.site._registry:
            self.assertContains(page, _address(model, "changelist"))


class PageTests(_WithRows):
    def setUp(self) -> None:
        self.client.force_login(self.operator)

    def pages(self) -> list[str]:
        """Every list, search, form and object page."""
        found = [reverse("admin:index"), reverse("admin:password_change")]
        for model, registered in admin.site._registry.items():
            found.append(_address(model, "changelist"))
            if registered.search_fields:
                found.append(_address(model, "changelist") + "?q=nightly")
            if model._meta.model_name not in [*FACTS, "webjob", "schedule"]:
                found.append(_address(model, "add"))
            rows = registered.model._default_manager.all()
            if model._meta.model_name == "occurrence":
                rows = rows.filter(scheduled_for__isnull=False)
            for row in rows[:1]:
                found.append(_address(model, "history", row.pk))
                found.append(_address(model, "change", row.pk))
        found.append(_address(type(self.job), "delete", self.job.pk))
        return found

    def test_every_page_opens_and_obeys_the_content_security_policy(self) -> None:
        for address in self.pages():
            with self.subTest(address):
                response = self.client.get(address)
                self.assertEqual(response.status_code, 200)
                policy = response.headers["Content-Security-Policy"]
                self.assertIn("default-src 'self'", policy)
                self.assertNotIn("unsafe", policy)
                html = response.content.decode()
                scripts = [body for kind, body in INLINE_SCRIPT.findall(html) if "json" not in kind]
                self.assertEqual("".join(scripts).strip(), "")
                self.assertIsNone(INLINE_HANDLER.search(html))

    def test_no_page_holds_the_value_of_a_setting_or_a_publishing_password(self) -> None:
        password = self.job.slot.publishing_password
        for address in self.pages():
            with self.subTest(address):
                html = self.client.get(address).content.decode()
                self.assertNotIn("hunter2", html)
                self.assertNotIn(password, html)

    def test_lists_do_not_even_read_the_values(self) -> None:
        secrets = ('"webjobs_appsetting"."value"', '"publishing_password"')
        for model in (AppSetting, Slot, WebJob, Schedule, Run, Copy):
            with self.subTest(model.__name__), CaptureQueriesContext(connection) as seen:
                page = self.client.get(_address(model, "changelist"))
            self.assertGreater(page.context["cl"].result_count, 0)
            text = " ".join(query["sql"] for query in seen.captured_queries)
            self.assertFalse([name for name in secrets if name in text])

    def test_facts_cannot_be_added_changed_or_deleted_by_a_superuser(self) -> None:
        for name in FACTS:
            with self.subTest(name):
                model = next(
                    model for model in admin.site._registry if model._meta.model_name == name
                )
                row = model._default_manager.last()
                if name == "occurrence":
                    row = model._default_manager.get(scheduled_for__isnull=False)
                assert row is not None
                self.assertEqual(self.client.get(_address(model, "add")).status_code, 403)
                delete = _address(model, "delete", row.pk)
                self.assertEqual(self.client.post(delete, {"post": "yes"}).status_code, 403)
                change = _address(model, "change", row.pk)
                self.assertEqual(self.client.post(change, {"reason": "x"}).status_code, 403)
                page = self.client.get(_address(model, "changelist"))
                self.assertNotContains(page, "delete_selected")
                self.assertTrue(model._default_manager.filter(pk=row.pk).exists())

    def test_a_run_tells_why_it_ended_and_links_to_the_portal(self) -> None:
        page = self.client.get(_address(Run, "change", self.ended.pk))
        self.assertContains(page, "Because.")
        self.assertContains(page, "View on site")

    def test_occurrences_are_the_runs_of_schedules(self) -> None:
        page = self.client.get(reverse("admin:webjobs_occurrence_changelist"))
        self.assertContains(page, "Too late.")
        self.assertEqual(page.context["cl"].result_count, 1)
