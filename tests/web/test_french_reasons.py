"""Reasons are stored in English, and French on the pages of those who read French."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from tests.api.calling import basic
from tests.web.objects import make_instance, make_job, make_run
from tests.web.pages import JSON, PagesTestCase
from webjobs import dispatch
from webjobs.dispatch import Actor
from webjobs.models import (
    Copy,
    DebugSession,
    Deployment,
    Run,
    SourceConnection,
    Swap,
    WebJob,
)
from webjobs.models.swap import HELD_REASON
from webjobs.states import CopyStatus, JobType, RunStatus, SwapState

ENDED = "Stopped by bob. It was asked to stop. The process exited with code 0."
TERMINÉE = "Arrêtée par bob. Son arrêt a été demandé. Le processus s’est terminé avec le code 0."
AS_IT_WAS = "Nothing was swapped; everything goes on as it was."


class FrenchReasonTests(PagesTestCase):
    def page(self, path: str, user: User | None = None, language: str = "fr") -> str:
        response = self.get(f"/apps/demo/{path}", user, accept_language=language)
        self.assertContains(response, f'<html lang="{language}">')
        return unescape(response.content.decode()).replace("\xa0", " ")

    def assert_told(self, path: str, french: str, english: str) -> None:
        page = self.page(path)
        self.assertIn(french, page)
        self.assertNotIn(english, page)
        page = self.page(path, language="en")
        self.assertIn(english, page)
        self.assertNotIn(french, page)

    def run_with(self, reason: str, status: RunStatus = RunStatus.ABORTED) -> Run:
        now = timezone.now()
        return make_run(make_job(self.slot), status, reason=reason, started_at=now, ended_at=now)

    def copy_with(self, reason: str, **values: Any) -> Copy:
        return Copy.objects.create(
            job=make_job(self.slot, "listener", JobType.CONTINUOUS),
            instance=make_instance(),
            epoch=1,
            changed_at=timezone.now(),
            reason=reason,
            **{"status": CopyStatus.PENDING_RESTART, **values},
        )

    def test_a_run_tells_why_it_ended(self) -> None:
        run = self.run_with(ENDED)
        for path in (
            f"history/triggered/nightly/runs/{run.number}/",
            "history/triggered/nightly/",
            "history/",
            "webjobs/",
            "webjobs/triggered/nightly/properties",
        ):
            with self.subTest(path=path):
                self.assert_told(path, TERMINÉE, ENDED)

    def test_a_run_tells_who_asked_for_its_end(self) -> None:
        job = make_job(self.slot)
        run = make_run(job, RunStatus.RUNNING, started_at=timezone.now())
        dispatch.stop_run(run, Actor(user=self.bob, name="bob"))
        path = f"history/triggered/nightly/runs/{run.number}/"
        self.assert_told(path, "Arrêtée par bob.", "Stopped by bob.")

    def test_a_long_reason_is_cut_off_in_its_own_language(self) -> None:
        self.run_with(
            "The instance could not renew its right to run it, because it stood still or could "
            "not reach the database, and killed it so that it never runs twice. Run it again if "
            "it is needed."
        )
        page = self.page("history/triggered/nightly/")
        self.assertIn("L’instance n’a pas pu renouveler son droit de l’exécuter, parce qu", page)
        self.assertIn("…</span>", page)

    def test_a_copy_tells_why_it_is_in_its_status(self) -> None:
        copy = self.copy_with("The process exited with code 1.")
        french, english = "Le processus s’est terminé avec le code 1.", copy.reason
        self.assert_told("history/continuous/listener/", french, english)
        self.assert_told("webjobs/", french, english)
        url = f"/instances/{copy.instance.key}/"
        self.assertContains(self.get(url, accept_language="fr"), french)

    def test_an_idle_app_says_so(self) -> None:
        self.copy_with(
            "The app is idle: it has no Always On, and nobody has used it for a while. It goes on "
            "with the next use of the app.",
            status=CopyStatus.STOPPED,
        )
        page = self.page("history/continuous/listener/")
        self.assertIn("L’application est en veille : elle n’a pas l’option Toujours actif", page)

    def test_a_copy_whose_slot_is_swapped_says_so(self) -> None:
        self.copy_with(HELD_REASON, status=CopyStatus.STOPPED)
        french = "Son emplacement est en cours d’échange. Elle redémarre quand l’échange est"
        self.assert_told("history/continuous/listener/", french, HELD_REASON)

    def test_what_a_job_printed_last_is_its_own(self) -> None:
        now = timezone.now()
        self.copy_with("", crash_looping_since=now, last_error="Traceback: The end.")
        self.assertIn("Traceback: The end.", self.page("history/continuous/listener/"))

    def test_a_debug_session_tells_why_it_ended(self) -> None:
        copy = self.copy_with("", status=CopyStatus.RUNNING)
        WebJob.objects.update(script="run.py")
        now = timezone.now()
        DebugSession.objects.create(
            job=copy.job, instance=copy.instance, language="python", requested_at=now,
            by_name="alice", until=now + timedelta(minutes=5), ended_at=now,
            reason="bob stopped it.",
        )  # fmt: skip
        self.assert_told("history/continuous/listener/", "bob l’a arrêté.", "bob stopped it.")

    def test_swaps_tell_how_they_ended(self) -> None:
        for reason, french in [
            ("1 WebJob and 0 settings changed places.", "1 tâche web et 0 paramètre."),
            ("2 WebJobs and 3 settings changed places.", "2 tâches web et 3 paramètres."),
            (
                "Run 202601010203040506 of nightly, with 2 more, was still in progress. Stop it, "
                f"or wait for its end, and swap again. {AS_IT_WAS}",
                "L’exécution 202601010203040506 de nightly, et 2 de plus, étaient encore en cours.",
            ),
            (f"Cancelled by bob. {AS_IT_WAS}", "Annulé par bob. Rien n’a été échangé"),
        ]:
            with self.subTest(reason=reason):
                now = timezone.now()
                Swap.objects.all().delete()
                Swap.objects.create(
                    app=self.slot.app, source_name="staging", target_name="production",
                    state=SwapState.FAILED, started_at=now, deadline=now, ended_at=now,
                    reason=reason, by_name="bob",
                )  # fmt: skip
                self.assert_told("deployment-slots/", french, reason)

    def deployment(self, **values: Any) -> Deployment:
        now = timezone.now()
        return Deployment.objects.create(
            slot=self.slot, trigger="manual", status="Failed", requested_at=now, started_at=now,
            ended_at=now, by_name="bob", commit="a" * 40, **values,
        )  # fmt: skip

    def test_a_deployment_tells_why_it_failed(self) -> None:
        english = "git failed: fatal: early EOF"
        made = self.deployment(reason=english)
        for path in ("deployment/", f"deployment/{made.pk}/"):
            self.assert_told(path, "échou", english)

    def test_a_deployment_tells_why_a_webjob_was_refused(self) -> None:
        result = {"type": "triggered", "name": "nightly", "outcome": "refused", "package": None}
        structured = {"text": "The folder has %(count)d files; at most %(most)d are allowed.",
                      "params": {"count": 9, "most": 5}}  # fmt: skip
        filled = {"text": "The arguments cannot be read: The arguments end in a backslash.",
                  "params": {"": ""}}  # fmt: skip
        for more, english in [(structured, "The folder has 9 files"), (filled, filled["text"])]:
            made = self.deployment(results=[result | more])
            path = f"deployment/{made.pk}/"
            self.assertNotIn(str(english), self.page(path))
            self.assertIn(str(english), self.page(path, language="en"))

    def test_the_words_inside_of_a_refusal_are_french_too(self) -> None:
        params = {"key": "is_singleton", "wanted": "true or false", "kind": "a list"}
        text = 'settings.job: "%(key)s" must be %(wanted)s, not %(kind)s.'
        made = self.deployment(
            results=[
                {"type": "triggered", "name": "nightly", "outcome": "refused", "package": None,
                 "text": text, "params": params},
            ]
        )  # fmt: skip
        french = "« is_singleton » doit être true ou false, et non une liste."
        self.assert_told(f"deployment/{made.pk}/", french, text % params)

    def test_a_connection_tells_what_is_wrong_with_its_repository(self) -> None:
        english = (
            "The host cannot be reached: Could not resolve host: example.org. Check the address "
            "and the network."
        )
        SourceConnection.objects.create(
            slot=self.slot, url="https://example.org/x.git", branch="main", problem=english,
            checked_at=timezone.now(), by_name="bob",
        )  # fmt: skip
        self.assert_told("deployment/", "Could not resolve host: example.org. Vérifiez", english)

    def test_how_to_get_a_program_is_french(self) -> None:
        instance = make_instance()
        instance.interpreters = {".php": None}
        instance.save(update_fields=["interpreters"])
        page = self.get(f"/instances/{instance.key}/", accept_language="fr")
        self.assertContains(page, "Installez PHP (Debian et Ubuntu\xa0: apt install php-cli")

    def test_toasts_are_french(self) -> None:
        make_job(self.slot)
        self.client.force_login(self.alice)
        url = "/apps/demo/webjobs/triggered/nightly/run"
        done, refused = (
            self.client.post(url, headers={**JSON, "Accept-Language": "fr"}).json()
            for _ in range(2)
        )
        self.assertIn("a été correctement déclenchée", done["message"])
        self.assertIn("Échec de l’exécution", refused["error"])
        self.assertIn("la tâche est déjà en cours d’exécution", refused["error"])

    def test_the_api_and_the_row_stay_english(self) -> None:
        run = self.run_with(ENDED)
        signed = basic(self.slot.publishing_user, self.slot.publishing_password)
        answer = self.client.get(
            f"/scm/demo/api/triggeredwebjobs/nightly/history/{run.number}",
            headers={"Authorization": signed, "Accept-Language": "fr"},
        )
        self.assertEqual(answer.json()["reason"], ENDED)

    def test_what_is_unknown_is_marked_as_english(self) -> None:
        self.run_with("A portal of tomorrow wrote this.")
        page = self.page("history/triggered/nightly/")
        self.assertIn('<span lang="en">A portal of tomorrow wrote this.</span>', page)

    def test_what_cannot_be_searched_for_is_told_in_french(self) -> None:
        run = self.run_with(ENDED)
        path = f"/apps/demo/history/triggered/nightly/runs/{run.number}/log/search"
        answer = self.get(f"{path}?q=a(&regex=1", accept_language="fr")
        self.assertEqual(answer.status_code, 400)
        self.assertIn("Ce n’est pas une expression régulière", answer.json()["error"])
