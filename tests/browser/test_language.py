"""The language is chosen in the menu, and the scripts speak it as well."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, command, row, sign_in
from tests.support.chromium import Chromium
from tests.web.objects import make_instance, make_job, make_run, make_slot
from webjobs.models import Slot
from webjobs.states import JobType

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    slot = make_slot("demo")
    make_instance()
    make_run(make_job(slot), at=timezone.now() - timedelta(hours=5, minutes=1))
    make_job(slot, "listener", JobType.CONTINUOUS)
    return slot


def test_the_menu_changes_the_language_of_page_and_scripts(
    page: Page, live_server: LiveServer, slot: Slot, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    blade = f"{live_server.url}/apps/demo/webjobs/"
    page.goto(blade)
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="Français").click()
    expect(page).to_have_url(blade)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(row(page, "nightly").get_by_text("il y a 5 heures")).to_be_visible()

    row(page, "nightly").click()
    expect(command(page, "run")).to_have_text("Exécuter")
    command(page, "run").click()
    answer(page, "Voulez-vous vraiment exécuter la tâche WebJob sélectionnée ?", "Oui")
    expect(page.locator("#toasts")).to_contain_text("La tâche WebJob « nightly » a été")

    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="English").click()
    expect(command(page, "run")).to_have_text("Run")


def test_it_works_without_scripts_and_before_signing_in(
    chromium: Chromium, live_server: LiveServer
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="fr-CA")
    page = context.new_page()
    page.goto(f"{live_server.url}/sign-in")
    expect(page.get_by_label("Mot de passe")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/sign-in")
    with chromium.closing():
        context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_french_fits_the_pages(
    chromium: Chromium, live_server: LiveServer, slot: Slot, operator: User, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{live_server.url}/sign-in")
    page.get_by_label("Nom d’utilisateur").fill(operator.username)
    page.get_by_label("Mot de passe").fill("correct-horse-9")
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"{live_server.url}/apps/")
    for path in [
        "/apps/demo/webjobs/",
        "/apps/demo/webjobs/add",
        "/apps/demo/webjobs/triggered/nightly/properties",
        "/apps/demo/webjobs/continuous/listener/properties",
        "/apps/demo/history/",
        "/apps/demo/history/triggered/nightly/",
        "/apps/demo/history/continuous/listener/",
        "/apps/demo/settings/",
        "/apps/demo/settings/add",
        "/tokens/",
    ]:
        page.goto(live_server.url + path)
        beyond = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{path} is {beyond} px too wide"
    with chromium.closing():
        context.close()
