"""The French catalogues: complete, compiled, and with the same places as the English texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import catalogue

ROOT = Path(__file__).parents[2]
FRENCH = ROOT / "webjobs" / "locale" / "fr" / "LC_MESSAGES"
PAGES = FRENCH / "django.po"
SCRIPTS = FRENCH / "djangojs.po"
PLACE = re.compile(r"%%?\(\w+\)[ds]")

Reader = Callable[[Path], Iterator[str]]


def _texts(reader: Reader, folder: str, suffix: str) -> set[str]:
    files = (ROOT / folder).rglob(f"*{suffix}")
    return {text for path in files for text in reader(path)}


@pytest.mark.parametrize("path", [PAGES, SCRIPTS], ids=lambda path: path.stem)
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    assert catalogue.read_mo(path.with_suffix(".mo")) == catalogue.read_po(path), (
        f"Compile it: msgfmt -o {path.stem}.mo {path.name}"
    )


def test_every_text_of_the_pages_is_translated() -> None:
    texts = (
        _texts(catalogue.texts_of_python, "webjobs", ".py")
        | _texts(catalogue.texts_of_python, "portal", ".py")
        | _texts(catalogue.texts_of_template, "templates", ".html")
    )
    assert {"Add", "Starting WebJob '%%(name)s'", "%(count)d day", "by %(name)s"} <= texts
    assert texts - set(catalogue.read_po(PAGES)) == set()


def test_every_text_of_the_scripts_is_translated() -> None:
    texts = _texts(catalogue.texts_of_script, "static/js", ".js")
    assert {"Copied!", "%(count)s day"} <= texts
    assert texts - set(catalogue.read_po(SCRIPTS)) == set()


@pytest.mark.parametrize("path", [PAGES, SCRIPTS], ids=lambda path: path.stem)
def test_no_translation_is_empty_or_loses_a_place(path: Path) -> None:
    for text, forms in catalogue.read_po(path).items():
        for form in forms:
            assert form, f"Without a translation: {text}"
            assert sorted(PLACE.findall(form)) == sorted(PLACE.findall(text)), text


@pytest.mark.parametrize("path", [PAGES, SCRIPTS], ids=lambda path: path.stem)
def test_nothing_is_left_for_a_translator_to_look_at(path: Path) -> None:
    assert "fuzzy" not in path.read_text(encoding="utf-8")
