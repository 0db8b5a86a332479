"""Deployment slots through Azure Resource Manager."""

from __future__ import annotations

import json
from unittest.mock import patch

from tests.api.calling import ApiTestCase
from tests.api.test_arm import SITE, v
from tests.web.objects import make_job, make_run, make_setting, make_slot
from webjobs import swapping
from webjobs.models import Run, Slot
from webjobs.states import RunStatus


class SlotTests(ApiTestCase):
    def test_they_are_made_cloned_listed_and_deleted(self) -> None:
        make_setting(self.slot, "COLOR", "blue")
        cora = self.of(self.contributor)
        body = json.dumps({"properties": {"cloningInfo": {"sourceWebAppId": SITE}}})
        made = self.put(v(f"{SITE}/slots/staging"), auth=cora, data=body)
        self.assertEqual((made.status_code, made.json()["name"]), (200, "demo/staging"))
        staging = Slot.objects.get(name="staging")
        self.assertEqual(staging.settings.get().value, "blue")
        again = self.put(v(f"{SITE}/slots/staging"), auth=cora, data="{}")
        self.assertEqual(again.status_code, 200)
        names = [item["name"] for item in self.get(v(f"{SITE}/slots")).json()["value"]]
        self.assertEqual(names, ["demo/staging"])
        self.assertEqual(self.delete(v(f"{SITE}/slots/staging"), auth=cora).status_code, 200)
        self.assertEqual(self.get(v(f"{SITE}/slots/staging"), auth=cora).status_code, 404)
        self.assertEqual(self.get(v(f"{SITE}/slots")).json()["value"], [])

    def test_only_contributors_and_only_good_names(self) -> None:
        otto, cora = self.of(self.operator), self.of(self.contributor)
        self.assertEqual(
            self.put(v(f"{SITE}/slots/staging"), auth=otto, data="{}").status_code, 403
        )
        self.assertEqual(self.put(v(f"{SITE}/slots/-x"), auth=cora, data="{}").status_code, 400)
        long = self.put(v(f"{SITE}/slots/{'x' * 61}"), auth=cora, data="{}")
        self.assertEqual(long.status_code, 400)
        gone = self.delete(v(f"{SITE}/slots/production"), auth=cora)
        self.assertEqual(gone.status_code, 409)

    def test_a_swap_is_polled_until_its_end(self) -> None:
        staging = make_slot("demo", "staging")
        job = make_job(staging)
        run = make_run(job, RunStatus.RUNNING)
        cora = self.of(self.contributor)
        body = json.dumps({"targetSlot": "production", "preserveVnet": True})
        with self.captureOnCommitCallbacks(execute=True), patch.object(swapping, "nudge_workers"):
            begun = self.post(v(f"{SITE}/slots/staging/slotsswap"), auth=cora, data=body)
        self.assertEqual(begun.status_code, 202)
        where = begun.headers["Location"].partition("testserver")[2]
        self.assertEqual(self.get(where, auth=cora).status_code, 202)

        Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCESS, lane=None)
        with patch.object(swapping, "nudge_workers"):
            swapping.advance_all(run.queued_at)
        self.assertEqual(self.get(where, auth=cora).status_code, 200)
        job.refresh_from_db()
        self.assertEqual(job.slot, self.slot)

    def test_a_swap_that_failed_says_why(self) -> None:
        staging = make_slot("demo", "staging")
        make_run(make_job(staging), RunStatus.RUNNING)
        cora = self.of(self.contributor)
        body = json.dumps({"targetSlot": "staging"})
        begun = self.post(v(f"{SITE}/slotsswap"), auth=cora, data=body)
        swapping.fail(staging.app.swaps.get(), staging.app.created_at, "Cancelled.")
        answer = self.get(begun.headers["Location"].partition("testserver")[2], auth=cora)
        self.assertEqual((answer.status_code, answer.json()["Message"]), (409, "Cancelled."))
        wrong = self.post(v(f"{SITE}/slotsswap"), auth=cora, data='{"targetSlot": "x"}')
        self.assertEqual(wrong.status_code, 400)

    def test_the_settings_that_stay(self) -> None:
        staging = make_slot("demo", "staging")
        make_setting(self.slot, "DB", "x", is_slot_setting=True)
        make_setting(staging, "COLOR", "x", is_slot_setting=True)
        make_setting(staging, "OTHER", "x")
        found = self.get(v(f"{SITE}/config/slotConfigNames")).json()["properties"]
        self.assertEqual(found["appSettingNames"], ["COLOR", "DB"])
