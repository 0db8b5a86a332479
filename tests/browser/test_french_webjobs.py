"""The flows of the WebJobs blade in French, from the words of the page to those of its scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.french import expect_french
from tests.browser.pages import answer, command, expect_toast, row, zip_file
from tests.web.objects import ALICE, make_instance, make_job, make_run, make_slot, make_upload
from webjobs import dispatch
from webjobs.models import Slot
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(transactional_db: None, data_dir: Path) -> Slot:
    slot = make_slot("demo")
    make_instance()
    for name, type in (("nightly", JobType.TRIGGERED), ("listener", JobType.CONTINUOUS)):
        dispatch.add_webjob(slot, dispatch.NewWebJob(name, type, make_upload()), ALICE)
    make_run(make_job(slot, "hourly"), RunStatus.RUNNING)
    return slot


@pytest.fixture
def blade(french: Page, live_server: LiveServer, slot: Slot) -> Page:
    french.goto(f"{live_server.url}/apps/demo/webjobs/")
    return french


def test_several_webjobs_are_run_and_a_deleted_one_comes_back(blade: Page) -> None:
    expect_french(blade)
    blade.get_by_role("checkbox", name="Tout sélectionner").check()
    command(blade, "run").click()
    question = blade.get_by_role("alertdialog")
    expect(question).to_contain_text("Ignorée\xa0: listener. Elle est continue.")
    expect(question).to_contain_text("Ignorée\xa0: hourly. Impossible de démarrer une nouvelle")
    expect_french(blade)
    answer(blade, "Voulez-vous vraiment exécuter la tâche WebJob sélectionnée (1)\xa0?", "Oui")
    expect_toast(blade, "1 tâche a été déclenchée")

    row(blade, "listener").click()
    command(blade, "delete").click()
    answer(blade, "Voulez-vous vraiment supprimer la tâche WebJob sélectionnée\xa0?", "Oui")
    expect_toast(blade, "La tâche WebJob «\xa0listener\xa0» a été correctement supprimée")
    expect_french(blade)
    blade.locator(".toast").get_by_role("button", name="Annuler l’action").click()
    expect(blade.locator(".toast").last).to_contain_text("Action annulée\xa0: La tâche WebJob")
    blade.get_by_role("button", name="Notifications").click()
    notices = blade.get_by_role("dialog", name="Notifications")
    expect(notices).to_contain_text("il y a un instant")
    expect_french(blade)
    notices.get_by_role("button", name="Tout effacer").click()
    expect(notices).to_contain_text("Il n’y a aucune notification.")


def test_the_command_search_and_a_half_filled_panel(blade: Page) -> None:
    blade.keyboard.press("Control+k")
    field = blade.get_by_role("combobox", name="Rechercher des applications, tâches, pages et")
    field.fill("night")
    expect(blade.get_by_role("option", name="nightly demo · Propriétés")).to_be_visible()
    expect(blade.get_by_role("status").filter(has_text="résultats")).to_have_count(1)
    expect_french(blade)
    field.fill("variables d'")
    expect(blade.get_by_role("option", name="Variables d’environnement")).to_be_visible()
    field.fill("zzz")
    expect(blade.get_by_text("Rien ne porte ce nom.")).to_be_visible()
    blade.keyboard.press("Escape")

    blade.get_by_label("Rechercher dans le menu").fill("deploiement")
    expect(blade.get_by_role("link", name="Centre de déploiement")).to_be_visible()
    expect(blade.get_by_role("link", name="Configuration")).to_be_hidden()

    command(blade, "add").click()
    panel = blade.get_by_role("dialog", name="Ajouter une tâche web")
    panel.get_by_role("button", name="OK").click()
    expect(panel.locator("[data-field=name]")).to_contain_text("Ce champ est obligatoire")
    panel.get_by_label("Nom", exact=True).fill("nocturne")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo"}))
    panel.get_by_label("Type", exact=True).select_option("Déclenchée")
    panel.get_by_label("Déclencheurs", exact=True).select_option("Planifiée")
    cron = panel.get_by_label("Expression CRON", exact=True)
    for expression, warning in [
        ("* 5 * * * *", "Le * du champ seconde lance une exécution à chaque seconde"),
        ("0 0 22-2 * * *", "une plage ne fait pas le tour"),
        ("0 0 0 31 2 *", "Cette date n’arrive jamais\xa0: aucun des mois choisis n’a ce jour."),
        ("5 * * * *", "La planification a cinq champs, il en faut six"),
    ]:
        cron.fill(expression)
        expect(panel.locator("[data-field=cron]")).to_contain_text(warning)
        expect_french(blade)
    panel.get_by_role("combobox", name="Répéter").select_option("Une fois par mois")
    expect(panel.locator(".preview")).to_contain_text("À 03:00, le 1er du mois")
    day = panel.locator(".preview li").first
    expect(day).to_have_text(re.compile(r"^(lun|mar|mer|jeu|ven|sam|dim)\. \d{4}-\d\d-01 03:00:00"))
    expect_french(blade)
    # The draft is kept a moment after the field was left.
    panel.get_by_label("Nom", exact=True).focus()
    blade.reload()
    expect(panel.locator("[data-field=file]")).to_contain_text(
        "Choisissez à nouveau le fichier job.zip\xa0: les fichiers ne sont pas conservés."
    )
    expect(cron).to_have_value("0 0 3 1 * *")
    expect_french(blade)


def test_an_edit_is_reviewed_applied_and_rolled_back(blade: Page, live_server: LiveServer) -> None:
    row(blade, "nightly").click(button="right")
    blade.get_by_role("menuitem", name="Modifier").click()
    blade.wait_for_url("**/edit")
    expect_french(blade)
    blade.locator("#id_file").set_input_files(zip_file({"run.sh": "echo two\n", "a.py": ""}))
    blade.get_by_label("Nouvelles tentatives").fill("3")
    blade.get_by_role("button", name="Vérifier les modifications").click()
    expect(blade.locator(".changes")).to_contain_text("modifié")
    expect(blade.locator(".review")).to_contain_text("Nouvelles tentatives")
    expect_french(blade)
    blade.get_by_role("button", name="Appliquer").click()
    expect(blade.get_by_role("heading", level=1)).to_contain_text("Détails de la tâche web")
    blade.get_by_role("link", name="Versions du package").click()
    expect(blade.get_by_role("link", name="Restaurer Version 1")).to_be_visible()
    expect_french(blade)
    blade.get_by_role("link", name="Restaurer Version 1").click()
    expect_french(blade)
    blade.get_by_role("button", name="Oui").click()
    expect(blade.locator("tbody tr").first).to_contain_text("(de nouveau la version 1)")
    with blade.expect_navigation():  # The page shows the versions anew.
        blade.locator(".toast").get_by_role("button", name="Annuler l’action").click()
    expect(blade.locator(".toast").last).to_contain_text("Action annulée\xa0: ")
    blade.goto(f"{live_server.url}/apps/demo/webjobs/triggered/nightly/call")
    expect(blade.get_by_role("heading", name="Exécuter et attendre la fin").first).to_be_visible()
    expect(blade.locator("main")).to_contain_text("Cette page ne contient aucun secret\xa0:")
    expect_french(blade)
    assert re.search("nightly", blade.title())
