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
def test_no_sign_that_stands_apart_begins_a_line(path: Path) -> None:
    """French has a space there, and lines must not break at it: U+00A0."""
    for forms in catalogue.read_po(path).values():
        for form in forms:
            assert not re.search(r" [;:?!»](\s|$)|« | %%(?!\()", form), form


@pytest.mark.parametrize("path", [PAGES, SCRIPTS], ids=lambda path: path.stem)
def test_apostrophes_are_those_of_print(path: Path) -> None:
    """All but that of a label which Azure writes so."""
    for forms in catalogue.read_po(path).values():
        for form in {*forms} - {"Mettre à l'échelle"}:
            assert not re.search(r"\w'\w", form), form


@pytest.mark.parametrize("path", [PAGES, SCRIPTS], ids=lambda path: path.stem)
def test_nothing_is_left_for_a_translator_to_look_at(path: Path) -> None:
    assert "fuzzy" not in path.read_text(encoding="utf-8")


# What users of Azure know, and what their article calls it.
GLOSSARY = {
    "WebJobs": "WebJobs",
    "Add": "Ajouter",
    "Add WebJob": "Ajouter une tâche web",
    "Name": "Nom",
    "File Upload": "Chargement de fichiers",
    "Type": "Type",
    "Continuous": "Continue",
    "Triggered": "Déclenchée",
    "Triggers": "Déclencheurs",
    "Manual": "Manuel",
    "Scheduled": "Planifiée",
    "CRON Expression": "Expression CRON",
    "Scale": "Mettre à l'échelle",
    "Multi Instance": "Multi-instances",
    "Single Instance": "Instance unique",
    "OK": "OK",
    "Refresh": "Actualiser",
    "Run": "Exécuter",
    "Start": "Démarrer",
    "Stop": "Arrêter",
    "Logs": "Journaux",
    "Delete": "Supprimer",
    "Properties": "Propriétés",
    "Settings": "Paramètres",
    "Always On": "Toujours actif",
    "Deployment slot setting": "Paramètre des emplacements de déploiement",
    "WebJob Details": "Détails de la tâche web",
    "WebJob Run Details": "WebJob Run Details",
    "Toggle Output": "Activer/désactiver la sortie",
    "download": "télécharger",
    "Breadcrumb": "Lien de navigation",
    "Free": "Gratuit",
    "Shared": "Partagé",
    "Basic": "De base",
    "Standard": "Standard",
    "Premium": "Premium",
    "Yes": "Oui",
    "No": "Non",
    "Cancel": "Annuler",
    "Save": "Enregistrer",
    "Discard": "Abandonner",
    "Edit": "Modifier",
    "Close": "Fermer",
    "Status": "Statut",
    "Running": "En cours d’exécution",
    "Success": "Opération réussie",
    "Failed": "Échec",
    "More information": "En savoir plus",
    "Search": "Rechercher",
    "Advanced edit": "Modification avancée",
    "Show values": "Afficher les valeurs",
    "Hide values": "Masquer les valeurs",
    "Continue": "Continuer",
    "Application settings": "Paramètres de l’application",
    "General settings": "Paramètres généraux",
}


@pytest.mark.parametrize("label", GLOSSARY)
def test_the_labels_are_those_of_azure(label: str) -> None:
    assert catalogue.read_po(PAGES)[label] == [GLOSSARY[label]]


# Names, and what people type: the same in every language.
NAMES = {
    *["App Services", "App Service", "WebJobs", "WebJobs Portal", "Portal", "API", "UTC"],
    *["Python", "Django", "Celery", "PowerShell", "SHA-256", "git push", "main", "export"],
    *["$env", "az", "job_scheduler.log", "git", "staging", "Ex: 0 0/2 * * * *"],
    "https://github.com/example/jobs.git",
}
_MARKED = re.compile(r"{%\s*blocktranslate.*?endblocktranslate\s*%}", re.DOTALL)
_NOT_TEXT = re.compile(
    r"<(script|style)\b.*?</\1>|{#.*?#}|{%\s*comment.*?endcomment\s*%}"
    r"|{{.*?}}|{%.*?%}|<[^>]*>|&\w+;",
    re.DOTALL,
)
_READ_OUT = re.compile(r'(?:title|aria-label|placeholder|alt)="([^"]*)"')


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=str)
def test_no_template_has_words_that_nobody_translates(path: Path) -> None:
    source = _MARKED.sub("", path.read_text(encoding="utf-8"))
    pieces = [*_NOT_TEXT.sub("\n", source).splitlines(), *_READ_OUT.findall(source)]
    words = {_NOT_TEXT.sub("", piece).strip(" |-/.,:;()") for piece in pieces}
    assert {text for text in words if re.search(r"[A-Za-z]{2}", text)} - NAMES == set()
