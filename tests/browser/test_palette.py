"""The command search in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, sign_in
from tests.web.objects import make_job, make_slot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blade(page: Page, live_server: LiveServer, operator: User) -> Page:
    slot = make_slot("demo")
    for name in ["alpha", "alpine", "beta"]:
        make_job(slot, name)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    return page


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search apps, WebJobs, pages and actions")


def test_the_keyboard_finds_and_opens_a_webjob(blade: Page) -> None:
    command(blade, "refresh").focus()
    blade.keyboard.press("Control+k")
    expect(field(blade)).to_be_focused()
    blade.keyboard.press("Escape")
    expect(field(blade)).to_have_count(0)
    expect(command(blade, "refresh")).to_be_focused()
    blade.keyboard.press("/")
    expect(field(blade)).to_be_focused()
    blade.keyboard.type("alp")
    options = blade.get_by_role("option", name="alp")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(field(blade)).to_have_attribute("aria-activedescendant", "found-0")
    blade.keyboard.press("ArrowDown")
    blade.keyboard.press("ArrowDown")
    expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    expect(options.nth(2)).to_contain_text("alpine")
    blade.keyboard.press("Enter")
    blade.wait_for_url("**/history/triggered/alpine/")


def test_a_slash_in_a_field_is_a_slash(blade: Page) -> None:
    blade.get_by_label("Search the menu").focus()
    blade.keyboard.press("/")
    expect(field(blade)).to_have_count(0)
    expect(blade.get_by_label("Search the menu")).to_have_value("/")


def test_it_opens_panels_and_stands_above_them(blade: Page) -> None:
    blade.keyboard.press("Control+k")
    blade.keyboard.type("add web")
    blade.get_by_role("option", name="Add WebJob").click()
    panel = blade.get_by_role("dialog", name="Add WebJob")
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    blade.keyboard.press("Control+k")
    expect(field(blade)).to_be_focused()
    blade.keyboard.press("Escape")
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()


def test_the_language_is_switched_from_it(blade: Page) -> None:
    blade.get_by_label("Search apps", exact=True).click()
    expect(field(blade)).to_be_focused()
    blade.keyboard.type("français")
    expect(blade.get_by_role("option", name="Switch language: français")).to_be_visible()
    blade.keyboard.press("Enter")
    expect(blade.locator("html")).to_have_attribute("lang", "fr")
    expect(blade).to_have_url(f"{blade.url.split('/apps')[0]}/apps/demo/webjobs/")


def test_nothing_found_is_said(blade: Page) -> None:
    blade.keyboard.press("/")
    blade.keyboard.type("zzzz")
    expect(blade.get_by_text("Nothing has such a name.")).to_be_visible()
    # Not the text alone, as it does in other fields for a search.
    blade.keyboard.press("Escape")
    expect(field(blade)).to_have_count(0)
