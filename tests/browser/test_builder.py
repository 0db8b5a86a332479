"""The schedule builder of the Add panel in a real browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, sign_in
from tests.web.objects import make_slot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def panel(page: Page, live_server: LiveServer, operator: User) -> Locator:
    make_slot("demo")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    command(page, "add").click()
    panel = page.get_by_role("dialog", name="Add WebJob")
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    return panel


def cron(panel: Locator) -> Locator:
    return panel.get_by_label("CRON Expression", exact=True)


def part(panel: Locator, name: str) -> Locator:
    return panel.locator(f'[data-part="{name}"]')


def test_each_choice_writes_its_expression(panel: Locator) -> None:
    repeat = panel.get_by_role("combobox", name="Repeat")
    expect(repeat).to_have_value("")
    repeat.select_option("Every so many minutes")
    expect(cron(panel)).to_have_value("0 */5 * * * *")
    part(panel, "minutes").select_option("15")
    expect(cron(panel)).to_have_value("0 */15 * * * *")
    expect(panel.locator(".preview .words")).to_have_text("Every 15 minutes")
    expect(panel.locator(".preview li")).to_have_count(5)
    repeat.select_option("Every so many hours")
    part(panel, "hours").select_option("2")
    part(panel, "minute").fill("10")
    expect(cron(panel)).to_have_value("0 10 */2 * * *")
    repeat.select_option("Every day")
    part(panel, "time").fill("09:30")
    expect(cron(panel)).to_have_value("0 30 9 * * *")
    repeat.select_option("Monday to Friday")
    expect(cron(panel)).to_have_value("0 30 9 * * 1-5")
    repeat.select_option("On days of the week")
    panel.get_by_label("Sat").check()
    expect(cron(panel)).to_have_value("0 30 9 * * 1,6")
    repeat.select_option("Once a month")
    panel.get_by_label("Day of the month").fill("31")
    expect(cron(panel)).to_have_value("0 30 9 31 * *")
    expect(panel.locator(".preview .warnings")).to_contain_text("Months without a day 31")


def test_what_is_typed_moves_the_choices_and_warns(panel: Locator) -> None:
    repeat = part(panel, "kind")
    cron(panel).fill("0 30 9 * * 1-5")
    expect(repeat).to_have_value("workdays")
    expect(part(panel, "time")).to_have_value("09:30")
    for text, warning in [
        ("* 5 * * * *", "every second of each matching minute"),
        ("0 0 22-2 * * *", "ranges do not wrap around"),
        ("0 0 0 31 2 *", "This date never comes"),
    ]:
        cron(panel).fill(text)
        expect(repeat).to_have_value("")
        expect(panel.locator(".preview .warnings").first).to_contain_text(warning)


def test_the_keyboard_is_enough_and_nothing_moves(page: Page, panel: Locator) -> None:
    below = panel.locator("[data-field=scale]")
    # It slides in.
    panel.evaluate("all => Promise.all(all.getAnimations().map(each => each.finished))")
    before = below.bounding_box()
    part(panel, "kind").focus()
    page.keyboard.press("ArrowDown")
    expect(cron(panel)).to_have_value("0 */5 * * * *")
    expect(panel.locator(".preview li")).to_have_count(5)
    assert below.bounding_box() == before
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(cron(panel)).to_have_value("0 */6 * * * *")


def test_it_speaks_french(page: Page, panel: Locator, live_server: LiveServer) -> None:
    page.context.add_cookies([{"name": "django_language", "value": "fr", "url": live_server.url}])
    page.goto(f"{live_server.url}/apps/demo/webjobs/add")
    page.get_by_label("Type", exact=True).select_option("Déclenchée")
    page.get_by_label("Déclencheurs", exact=True).select_option("Planifiée")
    page.get_by_role("combobox", name="Répéter").select_option("Du lundi au vendredi")
    expect(page.locator(".preview .words")).to_have_text(re.compile("lundi", re.IGNORECASE))
    page.get_by_label("Expression CRON", exact=True).fill("0 0 0 31 2 *")
    expect(page.locator(".preview .warnings")).to_contain_text("Cette date n’arrive jamais")
