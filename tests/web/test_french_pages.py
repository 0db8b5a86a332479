"""Every page in French: no English text of the catalogue is left on any of them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import TestCase, override_settings

from tests.screenshots import sample
from tests.screenshots.shots import shots
from tests.web.test_french import ENGLISH, labels

QUESTIONS = ["run", "delete", "properties", "edit", "call", "versions/"]


@override_settings(ROOT_URLCONF="tests.screenshots.urls")
class EveryPageTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        sample.build()

    def french(self, path: str) -> set[str]:
        self.client.raise_request_exception = False
        response = self.client.get(path, headers={"Accept-Language": "fr"})
        self.assertContains(response, '<html lang="fr"', status_code=response.status_code)
        self.assertNotContains(response, '<span lang="en">', status_code=response.status_code)
        return labels(response.content.decode())

    def test_no_page_of_the_sample_has_english_left(self) -> None:
        self.client.force_login(User.objects.get(username=sample.ADMIN))
        blade = f"/apps/{sample.APP}/webjobs/"
        slots = f"/apps/{sample.APP}/deployment-slots/"
        # The site of operators speaks of tables and columns, under their names.
        paths = {shot.path for shot in shots() if shot.user and "/admin/" not in shot.path}
        paths |= {f"{blade}triggered/nightly-report/{page}" for page in QUESTIONS}
        paths |= {f"{blade}continuous/thumbnail-worker/{page}" for page in ("start", "stop")}
        paths |= {f"{blade}continuous/thumbnail-worker/{page}" for page in QUESTIONS[1:4]}
        paths |= {f"{slots}staging/delete", f"/apps/{sample.APP}/settings/SMTP_HOST/delete"}
        paths |= {f"/apps/{sample.APP}/settings/add", f"/apps/{sample.APP}/settings/advanced"}
        for path in sorted(paths):
            with self.subTest(path=path):
                self.assertEqual(self.french(path) & ENGLISH, set())
