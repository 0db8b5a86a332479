"""The blade in a real browser: keys, menus, confirmations, selection."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, command, expect_toast, row, sign_in
from tests.web.objects import make_instance, make_job, make_member, make_run, make_slot
from webjobs.models import Role, Run, Slot, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
# What the menu of a row leads to.
PAGES = ["Edit", "Package versions"]


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    slot = make_slot("demo")
    make_instance()
    make_job(slot, "alpha")
    make_job(slot, "beta")
    make_job(slot, "listener", JobType.CONTINUOUS)
    return slot


@pytest.fixture
def blade(page: Page, live_server: LiveServer, slot: Slot, operator: User) -> Iterator[Page]:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    yield page


def test_commands_follow_the_selected_row(blade: Page) -> None:
    for name in ("delete", "run", "properties"):
        expect(command(blade, name)).to_be_disabled()
    row(blade, "alpha").click()
    expect(row(blade, "alpha")).to_have_attribute("aria-selected", "true")
    for name in ("delete", "run", "properties"):
        expect(command(blade, name)).to_be_enabled()
    expect(command(blade, "start")).to_be_hidden()
    row(blade, "listener").click()
    expect(command(blade, "run")).to_be_hidden()
    expect(command(blade, "stop")).to_be_enabled()
    expect(command(blade, "start")).to_be_disabled()


def test_logs_leads_to_the_page_of_the_selected_webjob(blade: Page) -> None:
    expect(command(blade, "logs")).to_have_attribute("href", re.compile("/apps/demo/history/$"))
    row(blade, "alpha").click()
    expect(command(blade, "logs")).to_have_attribute(
        "href", re.compile("/history/triggered/alpha/$")
    )


def test_run_asks_in_azures_words_and_the_grid_follows(blade: Page) -> None:
    row(blade, "alpha").click()
    command(blade, "run").click()
    question = "Are you sure you want to run the selected WebJob?"
    answer(blade, question, "No")
    expect(blade.get_by_role("alertdialog")).to_have_count(0)
    expect(command(blade, "run")).to_be_focused()
    command(blade, "run").click()
    answer(blade, question)
    expect_toast(blade, "Successfully triggered WebJob 'alpha'")
    expect(row(blade, "alpha")).to_contain_text("Queued")
    expect(row(blade, "alpha")).to_have_attribute("aria-selected", "true")
    assert Run.objects.get().status == RunStatus.QUEUED


def test_a_refusal_is_told_and_nothing_breaks(blade: Page, slot: Slot) -> None:
    row(blade, "alpha").click()
    command(blade, "run").click()
    make_run(WebJob.objects.get(name="alpha"), RunStatus.RUNNING)
    answer(blade, "run the selected WebJob")
    expect_toast(blade, "Cannot start a new run since job is already running.")


def test_stop_and_start_of_a_continuous_webjob(blade: Page) -> None:
    row(blade, "listener").click()
    command(blade, "stop").click()
    answer(blade, "Are you sure you want to stop the selected WebJob?")
    expect(row(blade, "listener")).to_contain_text("Stopped")
    expect(command(blade, "start")).to_be_enabled()
    command(blade, "start").click()
    answer(blade, "Are you sure you want to start the selected WebJob?")
    expect(row(blade, "listener")).to_contain_text("Initializing")


def test_the_keyboard_is_enough(blade: Page) -> None:
    row(blade, "alpha").focus()
    blade.keyboard.press("ArrowDown")
    expect(row(blade, "beta")).to_be_focused()
    expect(row(blade, "beta")).to_have_attribute("aria-selected", "true")
    blade.keyboard.press("Enter")
    panel = blade.get_by_role("dialog")
    expect(panel).to_contain_text("Run command")
    blade.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(row(blade, "beta")).to_be_focused()
    blade.keyboard.press("Shift+F10")
    expect(blade.get_by_role("menuitem", name="Run")).to_be_focused()
    blade.keyboard.press("ArrowUp")
    expect(blade.get_by_role("menuitem", name="Delete")).to_be_focused()
    blade.keyboard.press("Escape")
    expect(row(blade, "beta")).to_be_focused()
    blade.keyboard.press("Delete")
    expect(blade.get_by_role("button", name="Yes")).to_be_focused()
    blade.keyboard.press("Enter")
    expect(row(blade, "beta")).to_have_count(0)
    assert WebJob.objects.living().filter(name="beta").count() == 0


def test_the_context_menu_acts_on_the_row_under_the_pointer(blade: Page) -> None:
    row(blade, "beta").click(button="right")
    expect(row(blade, "beta")).to_have_attribute("aria-selected", "true")
    names = blade.get_by_role("menuitem").all_inner_texts()
    assert [name.strip() for name in names] == ["Run", "Logs", "Properties", *PAGES, "Delete"]
    blade.get_by_role("menuitem", name="Delete").click()
    answer(blade, "Are you sure you want to delete the selected WebJob?")
    expect(row(blade, "beta")).to_have_count(0)


def test_the_dots_open_the_same_menu(blade: Page) -> None:
    row(blade, "listener").locator("[data-menu]").click()
    names = blade.get_by_role("menuitem").all_inner_texts()
    names = [name.strip() for name in names]
    assert names == ["Start", "Stop", "Logs", "Properties", *PAGES, "Delete"]
    start = blade.get_by_role("menuitem", name="Start")
    expect(start).to_have_attribute("aria-disabled", "true")
    expect(start).to_have_attribute("title", "It is started.")


def test_a_refresh_keeps_the_selection_and_shows_what_changed(blade: Page, slot: Slot) -> None:
    row(blade, "beta").click()
    make_job(slot, "aaa-new")
    command(blade, "refresh").click()
    expect(row(blade, "aaa-new")).to_be_visible()
    expect(row(blade, "beta")).to_have_attribute("aria-selected", "true")
    expect(command(blade, "refresh")).to_be_focused()


def test_what_happens_elsewhere_shows_without_a_click(blade: Page, slot: Slot) -> None:
    make_run(WebJob.objects.get(name="alpha"), RunStatus.RUNNING)
    expect(row(blade, "alpha")).to_contain_text("Running", timeout=10_000)


def test_the_bell_keeps_what_was_said(blade: Page) -> None:
    row(blade, "listener").click()
    command(blade, "stop").click()
    answer(blade, "stop the selected WebJob")
    expect_toast(blade, "Successfully stopped WebJob 'listener'")
    blade.reload()
    blade.get_by_role("button", name="Notifications").click()
    expect(blade.locator("#notices")).to_contain_text("Successfully stopped WebJob 'listener'")
    blade.keyboard.press("Escape")
    expect(blade.locator("#notices")).to_be_hidden()


def test_a_reader_is_told_why_commands_are_disabled(
    page: Page, live_server: LiveServer, slot: Slot
) -> None:
    sign_in(page, live_server.url, make_member(slot.app, "carol", Role.READER))
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    row(page, "alpha").click()
    expect(command(page, "properties")).to_be_enabled()
    expect(command(page, "run")).to_be_disabled()
    expect(command(page, "run")).to_have_attribute(
        "title", "Your role is Reader; this needs Operator."
    )


def test_on_a_telephone_cards_and_the_panel_keep_to_what_matters(blade: Page) -> None:
    expect(row(blade, "alpha").locator("[data-label=Schedule]")).to_be_visible()
    blade.set_viewport_size({"width": 390, "height": 844})
    expect(row(blade, "alpha").locator("[data-label=Status] .cell")).to_be_visible()
    expect(row(blade, "alpha").locator("[data-label=Schedule] .cell")).to_be_hidden()
    row(blade, "alpha").click()
    command(blade, "properties").click()
    foot = blade.locator(".panel-foot")
    expect(foot.locator(".button")).to_have_count(6)
    box = foot.bounding_box()
    assert box and box["height"] < 120
    assert blade.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_that_cannot_look_says_of_when_it_is(blade: Page) -> None:
    stale = blade.locator("#stale")
    row(blade, "alpha").click()
    command(blade, "run").click()
    answer(blade, "Are you sure you want to run the selected WebJob?")
    expect_toast(blade, "alpha")
    blade.context.set_offline(True)
    expect(stale).to_contain_text("The portal does not answer.")
    expect(stale).to_contain_text(re.compile(r"What you see is from \d+:\d\d:\d\d"))
    expect(blade.locator("#said")).to_contain_text("The portal does not answer.")
    expect(row(blade, "alpha")).to_have_attribute("aria-selected", "true")
    blade.context.set_offline(False)
    expect(stale).to_be_hidden()
