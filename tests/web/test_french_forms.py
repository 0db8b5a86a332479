"""What forms answer in French: remote debugging, and the operators' site."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from tests.support.french import breaking_among, english_among
from tests.web.objects import make_instance, make_job, make_member, make_setting, make_slot
from tests.web.test_french_pages import said
from webjobs import dispatch
from webjobs.dispatch import PORTAL
from webjobs.models import AppSetting, Copy, DebugSession, Role, Schedule, WebJob
from webjobs.states import CopyStatus, JobType


class FrenchCase(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"

    def expect_french(self, answer: Any, *expected: str) -> set[str]:
        texts = said(answer.content.decode())
        everything = " ".join(texts)
        for text in expected:
            self.assertIn(text, everything)
        self.assertEqual(english_among(texts), set())
        return texts


class DebuggingTests(FrenchCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = make_job(self.slot, "worker", JobType.CONTINUOUS)
        WebJob.objects.filter(pk=self.job.pk).update(script="run.py")
        self.job.refresh_from_db()
        self.instance = make_instance("alpha")
        Copy.objects.create(
            job=self.job, instance=self.instance, epoch=1, status=CopyStatus.RUNNING,
            changed_at=timezone.now(),
        )  # fmt: skip
        self.client.force_login(make_member(self.slot.app, "cora", Role.CONTRIBUTOR))
        self.page = "/apps/demo/history/continuous/worker/"
        self.start = f"/apps/demo/webjobs/continuous/worker/debug/{self.instance.key}/start"

    def expect_set(self, answer: Any, *expected: str) -> None:
        self.assertEqual(breaking_among(self.expect_french(answer, *expected)), set())

    def test_a_session_from_its_start_to_its_end(self) -> None:
        self.expect_set(self.client.get(self.page), "Débogage à distance", "Pas de débogueur")
        self.expect_set(self.client.get(self.start), "Démarrer le débogage", "30 minutes")
        self.expect_set(self.client.post(self.start, {"minutes": "61"}))
        self.expect_set(self.client.post(self.start, {"minutes": ""}))
        self.expect_set(self.client.post(self.start, {"minutes": "30"}, follow=True), "alpha")
        session = DebugSession.objects.get()
        self.assertTrue(session.note(self.instance.epoch, port=5678))
        self.expect_set(self.client.get(self.page), "Visual Studio Code")
        stop = self.start.removesuffix("start") + "stop"
        self.expect_set(self.client.get(stop), "Arrêter le débogage")
        self.expect_set(self.client.post(stop, follow=True), "alpha")
        for reason in ("cora stopped it.", "Its time was over."):
            DebugSession.objects.update(ended_at=timezone.now(), reason=reason)
            self.expect_set(self.client.get(self.page))

    def test_why_it_does_not_start(self) -> None:
        dispatch.start_debugging(self.job, None, PORTAL)
        self.expect_set(self.client.post(self.start, {"minutes": "5"}, follow=True), "alpha")
        DebugSession.objects.all().delete()
        Copy.objects.update(status=CopyStatus.STOPPED)
        self.expect_set(self.client.post(self.start, {"minutes": "5"}, follow=True))

    def test_what_a_reader_is_told(self) -> None:
        self.client.force_login(make_member(self.slot.app, "ruth", Role.READER))
        self.expect_set(self.client.get(self.page), "Contributeur")


class OperatorsTests(FrenchCase):
    """Only the portal's own texts: Django's are set as Django does."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(User.objects.create_superuser("admin"))

    def send(self, model: str, page: str, /, *args: object, **values: object) -> Any:
        address = reverse(f"admin:webjobs_{model}_{page}", args=args)
        return self.client.post(address, values, follow=True)

    def test_an_app_setting_that_is_refused(self) -> None:
        for name, value in (
            ("", ""),
            ("a b", "1"),
            ("WEBJOBS_IDLE_TIMEOUT", "soon"),
            ("WEBSITE_TIME_ZONE", "Mars"),
            ("GOOD", "a\0b"),
        ):
            with self.subTest(name=name, value=value):
                answer = self.send(
                    "appsetting", "add", slot=self.slot.pk, name=name, new_value=value
                )
                self.expect_french(answer)
                self.assertFalse(AppSetting.objects.exists())

    def test_an_app_setting_from_its_start_to_its_end(self) -> None:
        self.expect_french(
            self.send("appsetting", "add", slot=self.slot.pk, name="GOOD", new_value="1")
        )
        found = AppSetting.objects.get()
        self.expect_french(self.send("appsetting", "change", found.pk, new_value="2"))
        address = reverse("admin:webjobs_appsetting_delete", args=[found.pk])
        self.expect_french(self.client.get(address))
        self.expect_french(self.send("appsetting", "delete", found.pk, post="yes"))
        self.assertFalse(AppSetting.objects.exists())

    def test_apps_slots_and_members(self) -> None:
        self.expect_french(self.send("app", "add", name="a b"))
        self.expect_french(self.send("app", "add", name="demo"))
        self.expect_french(self.send("app", "add", name="other"), "other")
        self.expect_french(self.send("slot", "add", app=self.slot.app.pk, name="a b"))
        self.expect_french(self.send("membership", "add"))

    def test_what_is_done_with_selected_rows(self) -> None:
        make_setting(self.slot, "ONE", "1")
        job = make_job(self.slot, "nightly")
        Schedule.objects.create(job=job, expression="0 30 2 * * *")
        for model, pk in (("webjob", job.pk), ("slot", self.slot.pk)):
            page = self.client.get(reverse(f"admin:webjobs_{model}_changelist"))
            form = page.context["cl"].model_admin.get_actions(page.wsgi_request)
            for action in form:
                with self.subTest(model=model, action=action):
                    answer = self.send(model, "changelist", action=action, _selected_action=pk)
                    self.expect_french(answer)
