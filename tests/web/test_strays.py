"""Forms that arrive after the session has ended, and addresses that no page has."""

from __future__ import annotations

from django.http import QueryDict

from tests.web.objects import make_setting
from tests.web.pages import JSON, PagesTestCase

SCHEDULE = "/apps/demo/webjobs/triggered/nightly/schedule"
PAGE = "/apps/demo/webjobs/triggered/nightly/properties"


class SignedOutTests(PagesTestCase):
    def sent(self, referer: str, **headers: str) -> str:
        answer = self.client.post(SCHEDULE, headers={"Referer": referer, **headers})
        self.assertEqual(answer.status_code, 302)
        return answer.headers["Location"]

    def test_a_form_leads_back_to_its_page_and_says_that_it_did_not_arrive(self) -> None:
        location = self.sent(f"http://testserver{PAGE}?a=1")
        asked = QueryDict(location.partition("?")[2])
        self.assertEqual(asked["next"], f"{PAGE}?a=1")
        page = self.client.get(location)
        self.assertContains(page, "nothing of it was applied")
        self.assertContains(page, "Back leads to what you typed")
        answer = self.client.post(
            location, {"username": "alice", "password": "correct-horse-9", "next": asked["next"]}
        )
        self.assertEqual(answer.headers["Location"], f"{PAGE}?a=1")

    def test_it_says_so_in_french(self) -> None:
        location = self.sent(f"http://testserver{PAGE}")
        page = self.client.get(location, headers={"Accept-Language": "fr"})
        self.assertContains(page, "rien n’en a été appliqué")

    def test_a_page_of_somebody_else_is_nothing_to_go_back_to(self) -> None:
        for referer in ("", "https://evil.example/", "//evil.example/", "javascript:alert(1)"):
            with self.subTest(referer):
                location = self.sent(referer)
                self.assertNotIn("evil", location)
                self.assertIn("next=/apps/demo", location)

    def test_a_script_is_only_told_to_sign_in(self) -> None:
        location = self.sent(f"http://testserver{PAGE}", **JSON)
        self.assertNotIn("unsent", location)


class NoSuchAddressTests(PagesTestCase):
    def test_an_address_that_only_takes_forms_says_so(self) -> None:
        answer = self.get(SCHEDULE)
        self.assertContains(answer, "forms are sent to it", status_code=405)
        self.assertEqual(answer.headers["Allow"], "POST")
        self.assertIn("forms", self.get(SCHEDULE, None, **JSON).json()["error"])

    def test_a_null_character_is_no_fault_of_the_portal(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        for url in ("/apps/?q=%00", "/apps/demo/webjobs/?after=a%00b", "/apps/demo/history/?q=%00"):
            with self.subTest(url):
                self.assertEqual(self.get(url).status_code, 200)
        for url in ("/apps/demo/settings/%00/edit", "/apps/demo/settings/a%00/delete"):
            with self.subTest(url):
                self.assertEqual(self.get(url).status_code, 404)
        answer = self.post("/apps/demo/settings/reveal", {"name": "\0"})
        self.assertEqual(answer.json(), {"values": {}})

    def test_a_member_is_told_what_is_gone(self) -> None:
        page = self.get(PAGE, self.carol)
        self.assertContains(page, "There is no WebJob &quot;nightly&quot; here", status_code=404)
        self.assertNotContains(self.get(PAGE, self.dave), "no WebJob", status_code=404)
        answer = self.post("/apps/demo/settings/GONE/edit", {"name": "GONE"})
        self.assertIn("There is no setting GONE", answer.json()["error"])
