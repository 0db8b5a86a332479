"""Settings, slots and deployments in French: what is asked, applied, swapped and deployed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.french import expect_french
from tests.browser.pages import answer, expect_toast
from tests.support.repositories import make
from tests.web.objects import make_job, make_setting, make_slot
from webjobs.deploying import sync
from webjobs.models import Deployment
from webjobs.states import JobType

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

pytestmark = pytest.mark.django_db(transaction=True)
RESTART = "Votre application peut redémarrer si vous mettez à jour des paramètres d’application"


def test_settings_are_edited_applied_and_given_back(french: Page, live_server: LiveServer) -> None:
    slot = make_slot("demo")
    make_setting(slot, "GREETING", "hello")
    make_setting(slot, "API_KEY", "secret", is_secret=True)
    french.goto(f"{live_server.url}/apps/demo/settings/")
    expect_french(french)
    french.get_by_text("Valeur masquée. Cliquez pour l’afficher").click()
    expect(french.get_by_role("button", name="hello")).to_be_visible()
    french.get_by_role("link", name="Ajouter", exact=True).click()
    panel = french.get_by_role("dialog", name="Ajouter/modifier le paramètre d’application")
    panel.get_by_label("Nom", exact=True).fill("greeting")
    panel.get_by_role("button", name="Appliquer").click()
    expect(panel).to_contain_text("Les noms de paramètres d’application doivent être uniques")
    panel.get_by_label("Nom", exact=True).fill("WEBJOBS_RESTART_TIME")
    panel.get_by_label("Valeur", exact=True).fill("bientôt")
    panel.get_by_role("button", name="Appliquer").click()
    expect(panel).to_contain_text("doit être un nombre entier, 0 au moins, et non «\xa0bientôt")
    expect_french(french)
    panel.get_by_label("Valeur", exact=True).fill("5")
    panel.get_by_label("Paramètre des emplacements de déploiement").check()
    panel.get_by_role("button", name="Appliquer").click()
    line = french.locator('#settings tr[data-name="WEBJOBS_RESTART_TIME"]')
    expect(line).to_contain_text("(nouveau)")
    french.get_by_role("link", name="Supprimer GREETING").click()
    expect(french.get_by_role("button", name="Restaurer GREETING")).to_be_visible()
    french.get_by_role("link", name="Modification avancée").click()
    panel = french.get_by_role("dialog", name="Modification avancée")
    area = panel.get_by_label("Paramètres d’application en JSON")
    expect(area).to_have_value(re.compile("null"))
    for wrong, error in [
        ("{", "Objet JSON non valide"),
        ("{}", "Les valeurs des paramètres d’application doivent être un tableau"),
        ('[{"name": "A", "slot": 1}]', "n’est pas une propriété de paramètre d’application"),
    ]:
        area.fill(wrong)
        panel.get_by_role("button", name="OK").click()
        expect(panel.locator("#error_json")).to_contain_text(error)
    expect_french(french)
    french.keyboard.press("Escape")

    # What was typed waits, sealed, for whoever signs in again.
    french.wait_for_load_state("networkidle")
    signed_in = french.context.cookies()
    french.context.clear_cookies(name="sessionid")
    french.locator("#settings-apply").click()
    answer(french, RESTART, "Continuer")
    expect_toast(french, "Vous avez été déconnecté. Reconnectez-vous\xa0: vous revenez ici")
    french.context.add_cookies([cast("SetCookieParam", cookie) for cookie in signed_in])
    french.once("dialog", lambda dialog: dialog.accept())
    french.reload()
    expect(french.locator("#settings-notice")).to_contain_text(
        "pas encore appliquées sont toujours"
    )
    expect_french(french)
    french.locator("#settings-apply").click()
    answer(french, RESTART, "Continuer")
    expect_toast(french, "Les paramètres de l’application web ont été mis à jour")
    expect(french.locator("#settings tr.dirty")).to_have_count(0)
    expect_french(french)


def test_a_slot_is_cloned_and_swapped(french: Page, live_server: LiveServer) -> None:
    slot = make_slot("demo")
    make_job(slot, "listener", JobType.CONTINUOUS)
    make_job(slot, "nightly")
    make_setting(slot, "COLOR", "blue")
    french.goto(f"{live_server.url}/apps/demo/deployment-slots/")
    french.get_by_role("link", name="Ajouter un emplacement").click()
    french.get_by_label("Nom", exact=True).fill("staging")
    french.get_by_label("Cloner les paramètres à partir de").select_option("production")
    french.get_by_label("Copier aussi ses tâches web").check()
    expect_french(french)
    french.get_by_role("button", name="Ajouter", exact=True).click()
    expect_toast(french, "L’emplacement «\xa0staging\xa0» a été correctement ajouté")
    expect(french.locator('#slots tr[data-name="staging"]')).to_contain_text("En cours d’exécution")
    expect_french(french)
    french.reload()
    french.get_by_role("link", name="Échanger", exact=True).click()
    expect(french.locator("main")).to_contain_text("même package")
    expect_french(french)
    french.get_by_role("button", name="Démarrer l’échange").click()
    swaps = french.locator("#swaps")
    expect(swaps).to_contain_text("staging avec production")
    expect(swaps).to_contain_text(
        "Ont changé de place\xa0: 4 tâches web et 2 paramètres.", timeout=10_000
    )
    expect_french(french)


def test_a_repository_is_connected_and_deployed(
    french: Page, live_server: LiveServer, settings: Settings, data_dir: Path, tmp_path: Path
) -> None:
    settings.WEBJOBS_SOURCE_PATHS = [str(tmp_path)]
    files = {"App_Data/jobs/triggered/one/run.sh": "echo", "App_Data/jobs/triggered/two/x": ""}
    repository = make(tmp_path / "r", files)
    make_slot("demo")
    french.goto(f"{live_server.url}/apps/demo/deployment/")
    french.locator("#id_url").fill(str(repository))
    french.locator("#id_branch").fill("mian")
    french.get_by_role("button", name="Connecter").click()
    expect(french.locator("#error_branch")).to_have_text("Le dépôt n’a pas cette branche.")
    expect_french(french)
    french.locator("#id_branch").fill("main")
    french.get_by_role("button", name="Connecter").click()
    line = french.locator("#deployments tbody tr").first
    expect(line).to_contain_text("En attente")
    expect_french(french)
    sync.deploy(Deployment.objects.get(status="Pending").pk)
    expect(line).to_contain_text("Ajoutée\xa0: 1, Refusée\xa0: 1")
    expect_french(french)
    line.get_by_role("link").first.click()
    expect(french.locator("main")).to_contain_text("Aucun fichier de script exécutable")
    expect_french(french)
    french.goto(f"{live_server.url}/apps/demo/webjobs/")
    expect(french.get_by_role("button", name="Ajouter")).to_be_disabled()
    expect(french.locator("main")).to_contain_text("Lorsque le contrôle de code source est")
    expect_french(french)
