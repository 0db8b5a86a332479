"""The plan of an app: tier, kind, Always On; idling and use."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

from django.db import IntegrityError
from django.test import override_settings
from django.utils import timezone

from tests.web.objects import make_job
from tests.web.pages import PagesTestCase
from webjobs import idling
from webjobs.dispatch import Actor, set_plan
from webjobs.models import App, AuditEntry, Schedule
from webjobs.states import AppKind, JobType, Tier

URL = "/apps/demo/configuration/"


class ConfigurationTests(PagesTestCase):
    def test_a_new_app_is_premium_and_always_on(self) -> None:
        response = self.get(URL, self.carol)
        self.assertContains(response, '<option value="premium" selected>')
        self.assertContains(response, 'value="on" checked')
        self.assertContains(response, "Prevents your app from being idled out")
        self.assertNotContains(response, "Save")

    def test_contributors_change_it_and_that_is_recorded(self) -> None:
        data = {"tier": "basic", "kind": "api", "always_on": "off"}
        self.assertEqual(self.post(URL, data).status_code, 200)
        app = App.objects.get()
        self.assertEqual((app.tier, app.kind, app.always_on), ("basic", "api", False))
        self.assertEqual(AuditEntry.objects.get().details["tier"], "basic")
        self.assert_refused_to(URL, self.bob, self.carol)
        self.assert_for_members_only(URL)

    def test_free_and_shared_have_no_always_on(self) -> None:
        for tier in ("free", "shared"):
            response = self.post(URL, {"tier": tier, "kind": "web", "always_on": "on"})
            self.assertEqual(response.status_code, 400)
            self.assertIn(
                "Always on requires a basic or higher App Service plan",
                response.json()["errors"]["always_on"],
            )
        self.assertEqual(self.post(URL, {"tier": "free", "kind": "web"}).status_code, 200)
        self.assertEqual(self.post(URL, {"tier": "gold", "kind": "web"}).status_code, 400)

    def test_the_add_panel_greys_scale_by_tier_and_tells_of_always_on(self) -> None:
        self.assertNotContains(self.get("/apps/demo/webjobs/add"), "why_scale")
        self.post(URL, {"tier": "shared", "kind": "web"})
        response = self.get("/apps/demo/webjobs/add")
        self.assertContains(response, "Multi Instance needs a Basic, Standard or Premium")
        self.assertContains(response, "enable the Always On feature")
        self.assertContains(response, "while the app idles, no schedule fires")
        self.assertContains(self.get("/apps/demo/webjobs/"), "Always On is off")

    def test_a_free_app_runs_continuous_webjobs_on_one_instance(self) -> None:
        job = make_job(self.slot, "worker", JobType.CONTINUOUS)
        self.assertFalse(job.runs_once)
        job.slot.app.tier = "free"
        self.assertTrue(job.runs_once)


class UseTests(PagesTestCase):
    def setUp(self) -> None:
        App.objects.update(always_on=False, last_used_at=timezone.now() - timedelta(minutes=30))

    def test_what_nobody_uses_idles_and_any_request_wakes_it(self) -> None:
        schedule = Schedule.objects.create(job=make_job(self.slot), expression="0 * * * * *")
        self.assertEqual(idling.let_idle(timezone.now()), 1)
        self.assertEqual(idling.let_idle(timezone.now()), 0)
        paused = Schedule.objects.get()
        self.assertGreater(paused.changed_at, schedule.changed_at)
        self.assertTrue(App.objects.get().is_idle)

        self.assertEqual(self.get("/apps/demo/webjobs/", self.dave).status_code, 404)
        self.assertTrue(App.objects.get().is_idle, "A stranger uses nothing.")
        self.get("/apps/demo/history/", self.carol)
        app = App.objects.get()
        self.assertFalse(app.is_idle)
        self.assertTrue(app.idle_since and app.slept_through(app.idle_since))
        self.assertFalse(app.slept_through(timezone.now()))
        self.assertGreater(Schedule.objects.get().changed_at, paused.changed_at)

    def test_the_api_is_use_too(self) -> None:
        idling.let_idle(timezone.now())
        self.client.logout()
        password = self.slot.publishing_password
        basic = self.client.get("/scm/demo/api/triggeredwebjobs", headers=_basic("$demo", password))
        self.assertEqual(basic.status_code, 200)
        self.assertFalse(App.objects.get().is_idle)

    def test_use_is_written_at_most_once_a_minute_and_never_while_always_on(self) -> None:
        self.get("/apps/demo/webjobs/")
        noted = App.objects.get().last_used_at
        self.get("/apps/demo/webjobs/")
        self.assertEqual(App.objects.get().last_used_at, noted)
        self.assertEqual(idling.let_idle(timezone.now()), 0)
        App.objects.update(always_on=True, last_used_at=timezone.now() - timedelta(days=1))
        before = App.objects.get().last_used_at
        self.get("/apps/demo/webjobs/")
        self.assertEqual(App.objects.get().last_used_at, before)
        self.assertEqual(idling.let_idle(timezone.now()), 0)

    @override_settings(WEBJOBS_IDLE_AFTER=3600)
    def test_the_time_can_be_set(self) -> None:
        self.assertEqual(idling.let_idle(timezone.now()), 0)

    def test_always_on_wakes_it(self) -> None:
        idling.let_idle(timezone.now())
        App.objects.update(last_used_at=timezone.now())
        self.post(URL, {"tier": "premium", "kind": "web", "always_on": "on"})
        self.assertFalse(App.objects.get().is_idle)


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


class MeanwhileTests(PagesTestCase):
    def test_what_somebody_else_saved_is_not_overwritten_unseen(self) -> None:
        page = self.get(URL)
        self.assertContains(page, 'name="seen" value="premium web on"')
        App.objects.update(tier="standard")
        typed = {"tier": "basic", "kind": "api", "always_on": "off", "seen": "premium web on"}
        page = self.post(URL, typed, script=False)
        words = "It is now: Standard, Web app, Always On: On. Save again to replace that."
        self.assertContains(page, words, status_code=400)
        self.assertContains(page, '<option value="api" selected>', status_code=400)
        self.assertEqual(App.objects.get().tier, "standard")
        self.assertContains(page, 'name="seen" value="standard web on"', status_code=400)
        self.post(URL, typed | {"seen": "standard web on"}, script=False)
        self.assertEqual(App.objects.get().tier, "basic")

    def test_what_cannot_be_recorded_is_not_changed(self) -> None:
        nobody = Actor(user=None, name=None)  # type: ignore[arg-type]
        with self.assertRaises(IntegrityError):
            set_plan(App.objects.get(), Tier.FREE, AppKind.WEB, nobody, always_on=False)
        self.assertEqual(App.objects.get().tier, "premium")
