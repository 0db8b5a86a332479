"""The command search."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import User

from tests.web.objects import make_job, make_member, make_package, make_slot
from tests.web.pages import PagesTestCase
from webjobs.models import Role, WebJob
from webjobs.states import JobType

AT = "/apps/demo/webjobs/"


class FindTests(PagesTestCase):
    def find(self, query: str, user: User | None = None, at: str = AT, **headers: str) -> Any:
        self.client.force_login(user or self.alice)
        answer = self.client.get("/find", {"q": query, "at": at}, headers=headers)
        self.assertEqual(answer.status_code, 200)
        return {group["title"]: group["items"] for group in answer.json()["groups"]}

    def test_a_webjob_leads_to_its_history_and_properties(self) -> None:
        make_job(self.slot, "nightly-report")
        found = self.find("night")["WebJobs"]
        self.assertEqual(
            [item["url"] for item in found],
            [
                "/apps/demo/history/triggered/nightly-report/",
                "/apps/demo/webjobs/triggered/nightly-report/properties",
            ],
        )

    def test_the_word_of_a_page_behind_a_name_chooses_it(self) -> None:
        for name in ["report-a", "report-b", "report-c", "report-d"]:
            make_job(self.slot, name)
        self.assertEqual(len(self.find("report")["WebJobs"]), 4)
        found = self.find("report-b properties")["WebJobs"]
        self.assertEqual(
            [item["url"] for item in found],
            ["/apps/demo/webjobs/triggered/report-b/properties"],
        )

    def test_every_page_of_a_webjob_is_found_by_its_name(self) -> None:
        make_job(self.slot, "report")
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        base = "/apps/demo/webjobs/triggered/report"
        for word, page in (("edit", "edit"), ("package", "versions/"), ("call", "call")):
            urls = [item["url"] for item in self.find(f"report {word}")["WebJobs"]]
            self.assertEqual(urls, [f"{base}/{page}"])
        self.assertNotIn("WebJobs", self.find("report edit", self.carol))
        self.assertNotIn("WebJobs", self.find("listener call"))
        self.assertEqual(self.find("center")["Pages"][0]["url"], "/apps/demo/deployment/")

    def test_french_is_found_as_it_is_typed_in_haste(self) -> None:
        for typed, page in [
            ("deploiement centre", "deployment/"),
            ("variables d'environnement", "settings/"),
            ("Variables d’environnement", "settings/"),
            ("PRÉFÉRENCES", ""),
        ]:
            found = self.find(typed, accept_language="fr").get("Pages", [])
            self.assertEqual([item["url"] for item in found], [f"/apps/demo/{page}"] * bool(page))

    def test_names_that_begin_with_it_come_first(self) -> None:
        for name in ["a-sync", "b-sync", "sync-z", "zz-sync"]:
            make_job(self.slot, name)
        names = [item["label"] for item in self.find("SYNC")["WebJobs"]]
        self.assertEqual(names, ["sync-z", "a-sync", "b-sync", "zz-sync"])

    def test_the_name_of_the_app_narrows(self) -> None:
        other = make_slot("shop", "staging")
        make_member(other.app, "eve", Role.READER)
        make_job(self.slot, "sync")
        make_job(other, "a-shop-job")
        make_job(other, "sync", JobType.CONTINUOUS)
        eve = User.objects.get(username="eve")
        found = self.find("shop sync", eve)["WebJobs"]
        self.assertEqual(found[0]["url"], "/apps/shop/slots/staging/history/continuous/sync/")

    def test_nobody_finds_what_they_may_not_see(self) -> None:
        make_job(self.slot, "nightly")
        make_job(make_slot("secret-app"), "nightly-secret")
        for user in (self.alice, self.carol):
            self.assertNotIn("secret", str(self.find("secret", user)))
            self.assertNotIn("secret", str(self.find("nightly", user)))
        found = self.find("", self.dave)
        self.assertNotIn("demo", str(found))
        self.client.logout()
        self.assertEqual(self.client.get("/find").status_code, 302)

    def test_pages_and_actions_are_those_of_the_app_one_is_in(self) -> None:
        found = self.find("")
        urls = [item["url"] for group in ("Pages", "Actions") for item in found[group]]
        for url in (AT, "/apps/demo/settings/", "/apps/demo/history/", AT + "add", "/apps/"):
            self.assertIn(url, urls)
        self.assertNotIn(AT + "add", str(self.find("", self.bob)))
        self.assertNotIn("/apps/demo/settings/", str(self.find("", at="/tokens/")))
        self.assertEqual(self.find("environment")["Pages"][0]["url"], "/apps/demo/settings/")

    def test_it_speaks_french_and_offers_english(self) -> None:
        found = self.find("", accept_language="fr")
        self.assertIn("Variables d’environnement", str(found))
        (language,) = [item for item in found["Actions"] if "language" in item]
        self.assertEqual(language["language"], "en")

    def test_odd_input_finds_nothing_and_breaks_nothing(self) -> None:
        for query in ["%", "_", "\0", "'", "x" * 5000, " ", "a" * 60 + " history"]:
            self.find(query)
        for at in [
            "",
            "//",
            "http://x/apps/demo/",
            "/apps/none/webjobs/",
            "\0",
            "/apps/%00/webjobs/",
        ]:
            self.find("a", at=at)

    def test_it_is_quick_and_short_with_a_thousand_webjobs(self) -> None:
        package = make_package()
        WebJob.objects.bulk_create(
            WebJob(
                slot=self.slot, name=f"job-{n:04}", type="triggered", package=package, script="x"
            )
            for n in range(1000)
        )
        self.client.force_login(self.alice)
        took = []
        for query in ["job", "099", "job-0500", "nothing-has-this", "job history"] * 3:
            start = time.process_time()
            with self.assertNumQueries(self._queries(query)):
                answer = self.client.get("/find", {"q": query, "at": AT})
            took.append(time.process_time() - start)
            self.assertLessEqual(sum(len(g["items"]) for g in answer.json()["groups"]), 25)
        # Of the processor, and the best of many: a busy machine proves nothing.
        self.assertLess(min(took), 0.05)

    def _queries(self, query: str) -> int:
        """Session, user, app, role, slot, role, WebJobs and apps; WebJobs again for a page."""
        return 9 if query == "job history" else 8
