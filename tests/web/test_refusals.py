"""Refusals of the engine and of dispatch in the language of whoever asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils import translation

from tests.support import catalogue
from tests.web.pages import JSON, PagesTestCase
from webjobs import ncrontab, timezones
from webjobs.dispatch import Refused
from webjobs.ncrontab.messages import ERRORS, WARNINGS
from webjobs.reasons import Phrase, Reason
from webjobs.runner import settings_job
from webjobs.telling import told

ROOT = Path(__file__).parents[2]
FRENCH = catalogue.read_po(ROOT / "webjobs" / "locale" / "fr" / "LC_MESSAGES" / "django.po")
ENGINE = [ROOT / "webjobs" / "timezones.py", *sorted((ROOT / "webjobs" / "runner").glob("*.py"))]
ERRORS_OF_THE_ENGINE = {"PackageError", "SettingsError", "ArgumentsError"}


def _plain_sentences(path: Path) -> Iterator[str]:
    """Sentences that are written where an error is raised, without a mark for translators."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if isinstance(node, ast.Call) and name in ERRORS_OF_THE_ENGINE:
            for given in node.args:
                is_text = isinstance(given, ast.Constant) and " " in str(given.value)
                if is_text or isinstance(given, ast.JoinedStr):
                    yield f"{path.name}:{given.lineno}"


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_the_engine_marks_every_sentence_and_each_has_french(path: Path) -> None:
    assert not list(_plain_sentences(path))
    texts = set(catalogue.texts_of_python(path))
    assert texts - set(FRENCH) == set()
    assert all(FRENCH[text] != [text] for text in texts)


@pytest.mark.parametrize("code", [*ERRORS, *WARNINGS])
def test_each_error_and_warning_of_ncrontab_has_french(code: str) -> None:
    text = (ERRORS | WARNINGS)[code]
    assert text.fr and text.fr != text.en


def test_an_error_of_settings_job_is_told_with_translated_places() -> None:
    with pytest.raises(settings_job.SettingsError) as caught:
        settings_job.parse_settings('{"is_singleton": []}')
    assert str(caught.value) == 'settings.job: "is_singleton" must be true or false, not a list.'
    with translation.override("fr"):
        words = told(caught.value).replace("\xa0", " ")
    assert words == "settings.job : « is_singleton » doit être true ou false, et non une liste."


def test_what_is_no_phrase_stays_as_it_was_written() -> None:
    with translation.override("fr"):
        assert told(Reason("x", "%(a)s", a="Name")) == "Name"
        assert told(Reason("x", "%(a)s", a=Phrase("Name"))) == "Nom"


def test_an_error_within_an_error_is_told_too() -> None:
    with pytest.raises(timezones.UnknownTimeZone) as zone:
        timezones.resolve("Europe/Berln")
    with pytest.raises(ncrontab.NcrontabError) as cron:
        ncrontab.parse("0 0 * * *")
    with translation.override("fr"):
        words = told(Refused("time_zone", "time_zone: %(error)s", 400, error=zone.value))
        assert "Il n’y a pas de fuseau horaire" in words
        assert "Europe/Berlin" in words
        words = told(Refused("schedule", "schedule: %(error)s", 400, error=cron.value))
        assert "La planification a cinq champs" in words


def test_a_sentence_without_french_is_told_in_english() -> None:
    with translation.override("fr"):
        assert told(Reason("x", "No such sentence.")) == "No such sentence."


class FrenchRefusalTests(PagesTestCase):
    def ask(self, url: str, data: Mapping[str, object]) -> dict[str, list[str]]:
        self.client.force_login(self.alice)
        answer = self.client.post(url, data, headers={**JSON, "Accept-Language": "fr"})
        self.assertEqual(answer.status_code, 400, answer.content)
        errors: dict[str, list[str]] = answer.json()["errors"]
        return errors

    def test_a_bad_package(self) -> None:
        file = TemporaryUploadedFile("job.zip", "application/zip", 3, None)
        file.write(b"abc")
        file.seek(0)
        errors = self.ask("/apps/demo/webjobs/add", {"name": "a", "file": file})
        self.assertIn("n’est pas un fichier zip", errors["file"][0])

    def test_a_setting_that_the_engine_cannot_use(self) -> None:
        data = {"name": "WEBJOBS_RESTART_TIME", "value": "soon"}
        errors = self.ask("/apps/demo/settings/add", data)
        self.assertIn("doit être un nombre entier", errors["value"][0])
        data = {"name": "WEBSITE_TIME_ZONE", "value": "Mars/Base"}
        errors = self.ask("/apps/demo/settings/add", data)
        self.assertIn("Il n’y a pas de fuseau horaire", errors["value"][0])

    def test_too_low_a_role(self) -> None:
        page = self.get("/apps/demo/webjobs/add", self.carol, accept_language="fr")
        self.assertContains(page, "Votre rôle dans demo est Lecteur", status_code=403)
        self.assertContains(page, "Contributeur", status_code=403)

    def test_the_api_answers_in_english(self) -> None:
        self.assertEqual(str(Refused("schedule", "schedule: %(error)s", error=ValueError("x"))),
                         "schedule: x")  # fmt: skip
