from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

from django.contrib.auth.models import User
from django.utils import timezone

from tests.support import catalogue
from tests.web.objects import make_instance, make_job, make_run, make_setting
from tests.web.pages import JSON, PagesTestCase
from tests.web.test_runs import write
from webjobs.models import Copy, Schedule
from webjobs.states import CopyStatus, JobType, RunStatus

BLADE = "/apps/demo/webjobs/"
HISTORY = "/apps/demo/history/"
WRITTEN = catalogue.read_po(
    Path(__file__).parents[2] / "webjobs" / "locale" / "fr" / "LC_MESSAGES" / "django.po"
)
# "Continue" is English on a button and French as a type; a language is called by its own name.
ENGLISH = {
    text
    for text, forms in WRITTEN.items()
    if text not in forms and text not in {"Continue", "English"}
}


def labels(html: str) -> set[str]:
    """Every piece of text and every attribute that is read out or shown, without its blanks."""
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    shown = re.findall(r'(?:title|aria-label|placeholder|data-label|data-why)="([^"]*)"', html)
    return {" ".join(unescape(text).split()) for text in [*re.split(r"<[^>]*>", html), *shown]}


class FrenchTests(PagesTestCase):
    def french(self, url: str, user: User | None = None) -> set[str]:
        response = self.get(url, user, accept_language="fr-FR,fr;q=0.9,en;q=0.5")
        self.assertContains(response, '<html lang="fr">')
        found = labels(response.content.decode())
        self.assertEqual(found & ENGLISH, set())
        return found

    def assert_says(self, url: str, *wanted: str) -> None:
        self.assertLessEqual(set(wanted), self.french(url))

    def test_the_blade_has_the_labels_of_azure(self) -> None:
        job = make_job(self.slot)
        Schedule.objects.create(job=job, expression="0 30 2 * * *")
        moment = timezone.now() - timedelta(days=3, hours=1)
        make_run(job, at=moment, ended_at=moment)
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        self.assert_says(
            BLADE,
            *["Ajouter", "Actualiser", "Journaux", "Supprimer", "Exécuter", "Démarrer", "Arrêter"],
            *["Propriétés", "Paramètres", "Nom", "Type", "Continue", "Déclenchée", "Statut"],
            *["Planification", "Oui", "Non", "Se déconnecter", "il y a 3 jours", "il y a 3 j"],
        )

    def test_its_questions_are_those_of_azure(self) -> None:
        make_job(self.slot)
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        for path, verb in [
            ("triggered/nightly/run", "exécuter"),
            ("triggered/nightly/delete", "supprimer"),
            ("continuous/listener/start", "démarrer"),
            ("continuous/listener/stop", "arrêter"),
        ]:
            with self.subTest(verb=verb):
                question = f"Voulez-vous vraiment {verb} la tâche WebJob sélectionnée ?"
                self.assert_says(BLADE + path, question, "Oui", "Non")

    def test_the_add_panel_has_the_labels_of_azure(self) -> None:
        self.assert_says(
            BLADE + "add",
            *["Ajouter une tâche web", "Nom", "Chargement de fichiers", "Type", "Continue"],
            *["Déclenchée", "Déclencheurs", "Manuel", "Planifiée", "Expression CRON"],
            *["Mettre à l'échelle", "Multi-instances", "Instance unique", "OK"],
        )

    def test_properties(self) -> None:
        job = make_job(self.slot, "listener", JobType.CONTINUOUS)
        now = timezone.now()
        instance = make_instance()
        Copy.objects.create(
            job=job, instance=instance, epoch=1, status=CopyStatus.RUNNING, changed_at=now
        )
        self.assert_says(BLADE + "continuous/listener/properties", "En cours d’exécution")
        make_job(self.slot)
        self.assert_says(
            BLADE + "triggered/nightly/properties", "Mot de passe", "Fuseau horaire", "Modifier"
        )

    def test_the_history(self) -> None:
        job = make_job(self.slot)
        run = make_run(job, RunStatus.FAILED, reason="It ended with exit code 3.")
        write(run, b"one\n")
        self.assert_says(HISTORY, "Heure de la dernière exécution", "Échec")
        details = f"{HISTORY}triggered/nightly/"
        self.assert_says(details, "Détails de la tâche web", "Exécutions récentes de la tâche")
        self.assert_says(
            f"{details}runs/{run.number}/",
            *["WebJob Run Details", "Activer/désactiver la sortie", "télécharger"],
        )
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        self.assert_says(f"{HISTORY}continuous/listener/", "Détails de la tâche web continue")

    def test_what_the_engine_recorded_is_marked_as_english(self) -> None:
        reason = "It ended with exit code 3."
        run = make_run(make_job(self.slot), RunStatus.FAILED, reason=reason)
        for url in ("", f"runs/{run.number}/"):
            response = self.get(f"{HISTORY}triggered/nightly/{url}", accept_language="fr")
            self.assertContains(response, f'<span lang="en">{reason}</span>')

    def test_the_app_settings(self) -> None:
        make_setting(self.slot, "GREETING", "hello", is_slot_setting=True)
        url = "/apps/demo/settings/"
        self.assert_says(url, "Paramètre des emplacements de déploiement", "Afficher les valeurs")
        self.assert_says(url + "add", "Paramètre des emplacements de déploiement", "Appliquer")

    def test_the_other_pages(self) -> None:
        self.assert_says("/apps/", "Actualiser", "Date de création")
        self.assert_says("/tokens/", "Jetons d’API", "Nouveau jeton")

    def test_a_reader_learns_in_french_what_is_missing(self) -> None:
        found = self.french(BLADE, self.carol)
        self.assertIn("Votre rôle est Lecteur ; cette action requiert le rôle Contributeur.", found)

    def test_refusals_are_french_too(self) -> None:
        job = make_job(self.slot)
        make_run(job, RunStatus.RUNNING, started_at=timezone.now())
        self.client.force_login(self.alice)
        headers = {**JSON, "Accept-Language": "fr"}
        page = self.client.post(f"{BLADE}triggered/nightly/run", headers=headers)
        self.assertEqual(page.status_code, 409)
        self.assertIn("car la tâche est déjà en cours d’exécution.", page.json()["error"])

    def test_a_bad_name_is_refused_in_the_words_of_azure(self) -> None:
        self.client.force_login(self.alice)
        headers = {**JSON, "Accept-Language": "fr"}
        errors = self.client.post(BLADE + "add", {"name": "a b"}, headers=headers).json()["errors"]
        self.assertIn("Doit commencer par une lettre ou un chiffre", errors["name"][0])
        self.assertEqual(errors["file"], ["Ce champ est obligatoire"])

    def test_the_scripts_speak_french_too(self) -> None:
        response = self.client.get("/words.js", headers={"Accept-Language": "fr"})
        for text in ["il y a %(span)s", "%(count)s semaines", "Copi\\u00e9"]:
            self.assertContains(response, text)


class LanguageTests(PagesTestCase):
    def choose(self, language: str, next: str = BLADE) -> None:
        data = {"language": language, "next": next}
        self.assertRedirects(
            self.client.post("/i18n/setlang/", data), next, fetch_redirect_response=False
        )

    def test_the_choice_outweighs_the_language_of_the_browser(self) -> None:
        self.client.force_login(self.alice)
        self.choose("fr")
        self.assertContains(
            self.client.get(BLADE, headers={"Accept-Language": "en"}), '<html lang="fr">'
        )
        self.choose("en")
        self.assertContains(
            self.client.get(BLADE, headers={"Accept-Language": "fr"}), '<html lang="en">'
        )

    def test_it_can_be_chosen_before_signing_in(self) -> None:
        self.choose("fr", "/sign-in?next=/apps/")
        page = self.client.get("/sign-in?next=/apps/")
        self.assertContains(page, "Se connecter")
        self.assertContains(page, 'name="next" value="/sign-in?next=/apps/"')

    def test_the_present_language_is_marked(self) -> None:
        page = self.get(BLADE)
        self.assertContains(page, 'value="en" lang="en" aria-pressed="true">English</button>')
        self.assertContains(page, 'value="fr" lang="fr" aria-pressed="false">Français</button>')

    def test_it_leads_to_no_other_site(self) -> None:
        data = {"language": "fr", "next": "https://example.com/"}
        answer = self.client.post("/i18n/setlang/", data)
        self.assertEqual(answer.headers["Location"], "/")

    def test_an_unknown_language_changes_nothing(self) -> None:
        self.client.force_login(self.alice)
        self.choose("tlh")
        self.assertContains(self.client.get(BLADE), '<html lang="en">')
