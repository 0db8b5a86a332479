"""Two people in the Properties of one WebJob: nobody overwrites unseen what the other did."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from tests.web.objects import ALICE, make_slot, make_upload
from tests.web.pages import JSON, PagesTestCase
from tests.web.test_add import a_file, zipped
from webjobs import dispatch
from webjobs.models import Schedule, WebJob
from webjobs.states import JobType

BASE = "/apps/demo/webjobs/triggered/nightly/"


@pytest.mark.usefixtures("data_dir")
class MeanwhileTests(PagesTestCase):
    def setUp(self) -> None:
        new = dispatch.NewWebJob("nightly", JobType.TRIGGERED, make_upload("echo one\n"))
        self.job = dispatch.add_webjob(self.slot, new, ALICE)
        dispatch.set_schedule(self.job, "0 0 1 * * *", "", True, ALICE)

    def base(self, form: str, text: str = "") -> str:
        """What the page's form begins from."""
        page = text or self.get(BASE + "properties").content.decode()
        found = re.search(rf'/{form}".*?name="base" value="([^"]*)"', page, re.DOTALL)
        assert found
        return unescape(found[1])

    def send(self, form: str, values: dict[str, Any], base: str, *, script: bool = True) -> Any:
        return self.post(BASE + form, values | {"base": base}, script=script)

    def expression(self) -> str:
        return Schedule.objects.get(job=self.job).expression

    def test_a_schedule_that_somebody_changed_is_not_overwritten_unseen(self) -> None:
        base = self.base("schedule")
        dispatch.set_schedule(self.job, "0 0 2 * * *", "Europe/Paris", False, ALICE)
        typed = {"cron": "0 0 3 * * *", "is_enabled": "on"}
        answer = self.send("schedule", typed, base)
        self.assertEqual(answer.status_code, 409)
        (words,) = answer.json()["errors"]["__all__"]
        for text in (
            "alice has changed", "nothing was applied",
            "CRON Expression: 0 0 1 * * * → 0 0 2 * * *", "Time zone: default → Europe/Paris",
            "Run on schedule: Yes → No",
        ):  # fmt: skip
            self.assertIn(text, words)
        self.assertEqual(self.expression(), "0 0 2 * * *")
        self.assertEqual(self.send("schedule", typed, answer.json()["base"]).status_code, 200)
        self.assertEqual(self.expression(), "0 0 3 * * *")

    def test_without_script_what_was_typed_stays_and_can_be_sent_again(self) -> None:
        base = self.base("schedule")
        dispatch.set_schedule(self.job, "0 0 2 * * *", "", True, ALICE)
        page = self.send("schedule", {"cron": "0 0 3 * * *"}, base, script=False)
        self.assertContains(page, "alice has changed this WebJob meanwhile", status_code=400)
        self.assertContains(page, 'value="0 0 3 * * *"', status_code=400)
        self.assertNotContains(page, 'name="is_enabled" checked', status_code=400)
        again = self.base("schedule", page.content.decode())
        self.send("schedule", {"cron": "0 0 3 * * *"}, again, script=False)
        self.assertEqual(self.expression(), "0 0 3 * * *")

    def test_it_is_told_in_french(self) -> None:
        base = self.base("schedule")
        dispatch.set_schedule(self.job, "0 0 2 * * *", "", False, ALICE)
        typed = {"cron": "0 0 3 * * *", "base": base}
        answer = self.client.post(
            BASE + "schedule", typed, headers=JSON | {"Accept-Language": "fr"}
        )
        (words,) = answer.json()["errors"]["__all__"]
        self.assertTrue(words.startswith("alice a modifié cette tâche web entre-temps"), words)
        self.assertIn("Exécuter selon la planification: Oui → Non", words.replace("\xa0", ""))

    def test_what_another_form_changes_stands_in_nobodys_way(self) -> None:
        base = self.base("schedule")
        dispatch.set_policy(self.job, dispatch.Policy(retry_attempts=2), ALICE)
        self.assertEqual(self.send("schedule", {"cron": "0 0 3 * * *"}, base).status_code, 200)

    def test_a_policy_that_somebody_changed_is_not_overwritten_unseen(self) -> None:
        base = self.base("policy")
        dispatch.set_policy(self.job, dispatch.Policy(retry_attempts=2), ALICE)
        answer = self.send("policy", {"concurrency": "queue"}, base)
        self.assertIn("Retries: default → 2", str(answer.json()["errors"]))
        self.assertEqual(WebJob.objects.get().concurrency, "")
        self.assertEqual(
            self.send("policy", {"concurrency": "queue"}, answer.json()["base"]).status_code, 200
        )

    def test_files_that_somebody_replaced_are_not_replaced_unseen(self) -> None:
        base = self.base("package")
        dispatch.replace_package(self.job, make_upload("echo two\n", "two.sh"), ALICE)
        file = zipped({"run.sh": "echo three"})
        answer = self.send("package", {"file": a_file(file, "three.zip")}, base)
        self.assertIn("two.sh", str(answer.json()["errors"]))
        self.assertEqual(WebJob.objects.get().script, "two.sh")
        base = answer.json()["base"]
        self.assertEqual(
            self.send("package", {"file": a_file(file, "three.zip")}, base).status_code, 200
        )
        self.assertEqual(WebJob.objects.get().script, "run.sh")

    def test_of_packages_of_others_nothing_is_told(self) -> None:
        foreign = dispatch.NewWebJob("x", JobType.TRIGGERED, make_upload("echo x\n", "theirs.sh"))
        theirs = dispatch.add_webjob(make_slot("other"), foreign, ALICE).package
        for seen in (theirs.sha256, "a\0b", ["x"]):
            with self.subTest(seen):
                file = a_file(zipped({"run.sh": "echo three"}), "three.zip")
                answer = self.send("package", {"file": file}, json.dumps({"package": seen}))
                self.assertEqual(answer.status_code, 409)
                self.assertIn("Package: another package → ", str(answer.json()["errors"]))

    def test_a_base_that_means_nothing_is_as_none(self) -> None:
        for base in ("", "[]", "{", json.dumps("x"), "[" * 100_000):
            with self.subTest(base[:9]):
                self.assertEqual(
                    self.send("schedule", {"cron": "0 0 4 * * *"}, base).status_code, 200
                )

    def test_one_that_was_deleted_is_named(self) -> None:
        base = self.base("policy")
        dispatch.delete(self.job, ALICE)
        answer = self.send("policy", {"concurrency": "queue"}, base)
        self.assertEqual(answer.status_code, 404)
        self.assertIn('There is no WebJob "nightly" here', answer.json()["error"])
        page = self.client.get(BASE + "edit", headers=JSON)
        self.assertIn("may have been deleted", page.json()["error"])
