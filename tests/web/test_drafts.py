"""Drafts of what may be secret are sealed for whoever typed them."""

from __future__ import annotations

from django.urls import reverse

from tests.web.objects import make_setting
from tests.web.pages import PagesTestCase
from webjobs.models.fields import encrypt

URL = reverse("drafts")


class DraftTests(PagesTestCase):
    def seal(self, text: str) -> str:
        sealed: str = self.post(URL, {"text": text}).json()["sealed"]
        return sealed

    def test_whoever_typed_it_reads_it_again(self) -> None:
        sealed = self.seal("geheim £ {}")
        self.assertNotIn("geheim", sealed)
        self.assertEqual(self.post(URL, {"sealed": sealed}).json(), {"text": "geheim £ {}"})

    def test_nobody_else_does(self) -> None:
        sealed = self.seal("top-secret")
        answer = self.post(URL, {"sealed": sealed}, user=self.bob)
        self.assertContains(answer, "cannot be opened any more", status_code=410)
        self.client.logout()
        self.assertEqual(self.client.post(URL, {"sealed": sealed}).status_code, 302)

    def test_it_opens_nothing_else_that_is_encrypted(self) -> None:
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        others = [encrypt("secret-value"), encrypt('["other", "1", "x"]'), encrypt("{}")]
        for sealed in [*others, "no token", ""]:
            with self.subTest(sealed=sealed):
                answer = self.post(URL, {"sealed": sealed})
                self.assertNotContains(answer, "secret-value", status_code=410)

    def test_it_rejects_get(self) -> None:
        self.assertEqual(self.get(URL).status_code, 405)
