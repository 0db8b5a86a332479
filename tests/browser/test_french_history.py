"""The history, the output and the instances in French: dates, plurals, charts, searches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.french import expect_french
from tests.browser.pages import expect_toast
from tests.web.objects import make_instance, make_job, make_run, make_slot
from tests.web.test_runs import write
from webjobs.models import Copy, Instance, Run, Schedule, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
GIB = 1024**3


@pytest.fixture
def job(transactional_db: None) -> WebJob:
    job = make_job(make_slot("demo"), "nightly")
    Schedule.objects.create(job=job, expression="0 30 2 * * *", time_zone="Europe/Paris")
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    ends = [RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.ABORTED, RunStatus.SUCCESS]
    for day, status in enumerate(ends):
        at = noon + timedelta(days=day)
        ended = at + timedelta(seconds=4 * day + 4)
        make_run(job, status, at=at, started_at=at, ended_at=ended, exit_code=day, reason="")
    return job


def test_the_history_of_a_webjob(french: Page, live_server: LiveServer, job: WebJob) -> None:
    french.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/")
    main = french.locator("main")
    expect(main).to_contain_text("À 02:30, tous les jours (0 30 2 * * *, Europe/Paris)")
    expect(main).to_contain_text("2 des 4 dernières exécutions terminées ont réussi (50\xa0%).")
    # Days in the order of the French, long ago.
    times = main.get_by_title("Détails de l’exécution").locator("time")
    expect(times.first).to_have_text("13/03/2026 12:00:00")
    expect_french(french)
    french.get_by_text("Afficher sous forme de tableau").click()
    expect(french.get_by_role("columnheader", name="Durée").first).to_be_visible()
    french.get_by_role("link", name="Échec", exact=True).first.click()
    expect(main).to_contain_text("0 exécution terminée sur 1 a réussi (0\xa0%).")
    expect_french(french)
    french.get_by_label("Du", exact=True).fill("2026-03-11T00:00")
    french.get_by_label("au", exact=True).fill("2026-03-10T00:00")
    french.get_by_role("button", name="Afficher", exact=True).click()
    expect(main).to_contain_text("La fin précède le début.")
    expect(main).to_contain_text("Heures (Europe/Paris)")
    expect_french(french)
    french.get_by_role("link", name="Effacer la période").click()
    french.get_by_role("link", name="Tout", exact=True).click()
    times.nth(1).click()
    expect(main.get_by_role("link", name="Exécution suivante →")).to_be_visible()
    expect(main.get_by_role("link", name="← Exécution précédente")).to_be_visible()
    expect_french(french)


def test_the_output_of_a_run(french: Page, live_server: LiveServer, job: WebJob) -> None:
    french.context.grant_permissions(["clipboard-write"])
    run = make_run(job, RunStatus.RUNNING, started_at=timezone.now())
    write(run, b"".join(b"article %d\n" % number for number in range(1, 1301)), complete=False)
    page = f"{live_server.url}/apps/demo/history/triggered/nightly/runs/{run.number}/"
    french.goto(page)
    following = french.locator(".log-follow")
    expect(following).to_have_text("Suivi en cours")
    box = french.get_by_role("searchbox", name="Rechercher dans la sortie")
    box.fill("article 1")
    expect(french.locator(".search-count")).to_contain_text("sur 412")
    expect_french(french)
    box.fill("rien de tel")
    expect(french.locator(".search-count")).to_have_text("Aucune correspondance")
    french.get_by_label("Expression régulière").check()
    box.fill("(")
    expect(french.locator(".search-error")).to_contain_text("Ce n’est pas une expression régulière")
    expect_french(french)
    french.get_by_role("button", name="Aller au début").click()
    expect(following).to_have_text("En pause")
    for last, words in [
        (1, "1 ligne copiée"),
        (2, "2 lignes copiées"),
        (1000, "1\u202f000 lignes copiées"),
    ]:
        french.goto(f"{page}#L1-L{last}")
        french.get_by_role("button", name="Copier les lignes").click()
        expect_toast(french, words)
    expect_french(french)
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(
        status=RunStatus.ABORTED, ended_at=now, lane=None, reason="It was asked to stop."
    )
    expect(french.locator("#summary")).to_contain_text("Son arrêt a été demandé.")
    expect(french.locator(".run-status")).to_have_text("Abandonné")
    expect_french(french)


def test_instances_and_a_webjob_that_keeps_failing(
    french: Page, live_server: LiveServer, job: WebJob
) -> None:
    now = timezone.now()
    box = make_instance("box-1")
    Instance.objects.filter(pk=box.pk).update(
        host="box-1.example.org", busy=1, load=1.42, memory_used=GIB, memory_total=3 * GIB // 2,
        interpreters={".py": "/usr/bin/python3", ".php": None},
    )  # fmt: skip
    Instance.objects.filter(pk=make_instance("box-2").pk).update(is_draining=True)
    Copy.objects.create(
        job=make_job(job.slot, "listener", JobType.CONTINUOUS), instance=box, epoch=1,
        status=CopyStatus.PENDING_RESTART, changed_at=now, crash_looping_since=now,
        fast_failures=3, reason="The process exited with code 3.",
    )  # fmt: skip
    french.goto(f"{live_server.url}/instances/")
    line = french.locator('#instances tr[data-name="box-1"]')
    expect(line).to_contain_text("1,42")
    expect(line).to_contain_text("67\xa0% sur 1,5\xa0Gio")
    expect(line).to_contain_text("places libres\xa0: 4")
    expect_french(french)
    Instance.objects.filter(pk=box.pk).update(heartbeat_at=now - timedelta(minutes=5))
    expect(line).to_contain_text("Perdue")
    expect_french(french)
    line.get_by_role("link").first.click()
    expect(french.locator("main")).to_contain_text("Installez PHP (Debian et Ubuntu\xa0:")
    expect_french(french)
    Instance.objects.filter(pk=box.pk).update(heartbeat_at=timezone.now())
    french.goto(f"{live_server.url}/apps/demo/history/continuous/listener/")
    expect(french.locator("main")).to_contain_text("Échecs répétés\xa0: 3 fois de suite")
    expect(french.locator("main")).to_contain_text("Le processus s’est terminé avec le code 3.")
    expect_french(french)
