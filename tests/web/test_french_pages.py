"""Every page in French: no English text of the catalogue is left on any of them."""

from __future__ import annotations

import re
from html import unescape

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import TestCase, override_settings
from django.urls import reverse

from tests.screenshots import sample
from tests.screenshots.shots import shots
from tests.support.french import breaking_among, english_among
from tests.web.test_french import ENGLISH, WRITTEN
from webjobs.models import App, AppSetting, Membership, Slot

# What operators may add by hand.
ADDED = {App, AppSetting, Membership, Slot}
# What people of the sample wrote.
PEOPLES = {
    *["Dashboard in the hall", "Name the articles that have no price"],
    *["Send at seven, not at eight"],
}
_NOT_SAID = re.compile(r'<(script|style|pre|code)\b.*?</\1>|<div class="line.*?</div>', re.DOTALL)
_READ_OUT = re.compile(r'(?:title|aria-label|placeholder|data-label|data-why)="([^"]*)"')
QUESTIONS = ["run", "delete", "properties", "edit", "call", "versions/"]


def said(html: str) -> set[str]:
    """Every text of the page, what is read out too; not what jobs printed. U+00A0 stays."""
    html = _NOT_SAID.sub("", html)
    texts = [*re.split(r"<[^>]*>", html), *_READ_OUT.findall(html)]
    return {re.sub(r"[ \n]+", " ", unescape(text)).strip() for text in texts}


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
        return said(response.content.decode())

    def test_no_page_of_the_sample_has_english_left(self) -> None:
        self.client.force_login(User.objects.get(username=sample.ADMIN))
        blade = f"/apps/{sample.APP}/webjobs/"
        slots = f"/apps/{sample.APP}/deployment-slots/"
        paths = {shot.path for shot in shots() if shot.user}
        paths |= {f"{blade}triggered/nightly-report/{page}" for page in QUESTIONS}
        paths |= {f"{blade}continuous/thumbnail-worker/{page}" for page in ("start", "stop")}
        paths |= {f"{blade}continuous/thumbnail-worker/{page}" for page in QUESTIONS[1:4]}
        paths |= {f"{slots}staging/delete", f"/apps/{sample.APP}/settings/SMTP_HOST/delete"}
        paths |= {f"/apps/{sample.APP}/settings/add", f"/apps/{sample.APP}/settings/advanced"}
        for path in sorted(paths):
            with self.subTest(path=path):
                texts = self.french(path) - PEOPLES
                self.assertEqual(english_among(texts), set())
                # Django's own texts are set as Django does.
                if not path.startswith("/admin/"):
                    self.assertEqual(breaking_among(texts), set())

    def test_no_page_of_the_operators_has_english_left(self) -> None:
        self.client.force_login(User.objects.get(username=sample.ADMIN))
        for model, page in admin.site._registry.items():
            if model._meta.app_label != "webjobs":
                continue
            name = f"admin:webjobs_{model._meta.model_name}"
            paths = [reverse(f"{name}_changelist")]
            if found := page.get_queryset(HttpRequest()).first():
                paths.append(reverse(f"{name}_change", args=[found.pk]))
            if model in ADDED:
                paths.append(reverse(f"{name}_add"))
            for path in paths:
                with self.subTest(path=path):
                    self.assertEqual(self.french(path) & ENGLISH, set())

    def test_the_searches_of_operators_are_explained_in_french(self) -> None:
        self.client.force_login(User.objects.get(username=sample.ADMIN))
        runs = self.french(reverse("admin:webjobs_run_changelist"))
        self.assertTrue(any("exécutions de 20 tâches" in text for text in runs))

    def test_every_name_of_the_operators_site_is_in_the_catalogue(self) -> None:
        names = set()
        for model in admin.site._registry:
            if model._meta.app_label == "webjobs":
                names |= {model._meta.verbose_name, model._meta.verbose_name_plural}
                for field in model._meta.fields:
                    names |= {field.verbose_name, field.help_text}
                    names |= {word for _value, word in field.flatchoices}
        self.assertEqual({str(name) for name in names if name} - WRITTEN.keys(), set())
