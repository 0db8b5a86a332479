"""Without a mouse: every control is reached, and no action leaves the focus nowhere."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, row, sign_in
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from webjobs.models import AppSetting, Schedule, Slot, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)

LOST = "!document.activeElement || document.activeElement === document.body"
# The outline of what has the focus, and the colour that it lies upon.
OUTLINE = """() => {
  const active = document.activeElement;
  const { outlineStyle, outlineColor, outlineOffset } = getComputedStyle(active);
  let below = parseFloat(outlineOffset) < 0 ? active : active.parentElement;
  const colour = (element) => getComputedStyle(element).backgroundColor;
  while (below.parentElement && colour(below) === "rgba(0, 0, 0, 0)") below = below.parentElement;
  return [outlineStyle, outlineColor, colour(below)];
}"""


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    slot = make_slot("demo")
    make_instance()
    for name in ("alpha", "beta", "gamma"):
        make_job(slot, name)
    Schedule.objects.create(job=slot.webjobs.get(name="alpha"), expression="0 0 * * * *")
    make_job(slot, "listener", JobType.CONTINUOUS)
    return slot


@pytest.fixture
def blade(page: Page, live_server: LiveServer, slot: Slot, operator: User) -> Page:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    return page


def assert_focus_is_visible(page: Page) -> None:
    style, colour, below = page.evaluate(OUTLINE)
    assert style != "none"
    assert colour != below


def test_signing_in_again_begins_at_the_password(
    page: Page, live_server: LiveServer, operator: User
) -> None:
    page.goto(f"{live_server.url}/sign-in")
    page.keyboard.type(operator.username)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("incorrect")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("correct-horse-9")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/apps/")


def test_the_frame_of_a_page(blade: Page) -> None:
    blade.locator("#top-search").focus()
    assert_focus_is_visible(blade)
    bell = blade.locator("#bell")
    bell.focus()
    blade.keyboard.press("Enter")
    blade.keyboard.press("Tab")
    expect(blade.get_by_role("button", name="Dismiss all")).to_be_focused()
    assert_focus_is_visible(blade)
    blade.keyboard.press("Escape")
    expect(bell).to_be_focused()
    blade.keyboard.press("Tab")
    blade.keyboard.press("Enter")
    blade.keyboard.press("Tab")
    assert_focus_is_visible(blade)
    blade.keyboard.press("Escape")
    expect(blade.locator("#user-menu summary")).to_be_focused()
    blade.get_by_label("Search the menu").focus()
    blade.keyboard.type("variab")
    blade.keyboard.press("Enter")
    blade.wait_for_url("**/settings/")


def test_rows_apart_from_each_other_are_chosen(blade: Page) -> None:
    row(blade, "alpha").focus()
    blade.keyboard.press("Control+ArrowDown")
    blade.keyboard.press("Control+ArrowDown")
    expect(row(blade, "gamma")).to_be_focused()
    expect(row(blade, "gamma")).to_have_attribute("aria-selected", "false")
    blade.keyboard.press("Control+Space")
    chosen = blade.locator("#grid tr[aria-selected=true]")
    assert chosen.evaluate_all("rows => rows.map(row => row.dataset.name)") == ["alpha", "gamma"]
    # The pane of the row in which the focus is acts on that one alone.
    blade.keyboard.press("Enter")
    blade.get_by_role("dialog").get_by_role("link", name="Delete").click()
    expect(blade.get_by_role("alertdialog").locator(".target")).to_have_text("gamma")
    blade.keyboard.press("Escape")
    expect(row(blade, "gamma")).to_be_focused()


def test_the_focus_stays_in_the_blade_whatever_becomes_of_a_row(blade: Page) -> None:
    row(blade, "beta").focus()
    blade.keyboard.press("Delete")
    blade.keyboard.press("Enter")
    expect_toast(blade, "Successfully deleted WebJob 'beta'")
    expect(row(blade, "beta")).to_have_count(0)
    # What stands in its place, not chosen: the next Delete must not delete it.
    expect(row(blade, "gamma")).to_be_focused()
    expect(row(blade, "gamma")).to_have_attribute("aria-selected", "false")
    blade.locator("#toasts .undo").focus()
    blade.keyboard.press("Enter")
    expect_toast(blade, "Undone")
    expect(row(blade, "gamma")).to_be_focused()
    row(blade, "listener").focus()
    stop = command(blade, "stop")
    stop.focus()
    blade.keyboard.press("Enter")
    blade.keyboard.press("Enter")
    expect(row(blade, "listener")).to_contain_text("Stopped")
    expect(row(blade, "listener")).to_be_focused()
    # Drawn anew while its pane is open, or one of its links has the focus.
    blade.keyboard.press("Enter")
    expect(blade.get_by_role("dialog")).to_be_visible()
    make_run(WebJob.objects.get(name="alpha"), RunStatus.SUCCESS)
    expect(row(blade, "alpha").locator(".bar a")).to_have_count(1)
    blade.keyboard.press("Escape")
    expect(row(blade, "listener")).to_be_focused()
    blade.get_by_label("Select all").focus()
    make_run(WebJob.objects.get(name="gamma"), RunStatus.SUCCESS)
    expect(row(blade, "gamma").locator(".bar a")).to_have_count(1)
    expect(blade.get_by_label("Select all")).to_be_focused()


def test_a_form_in_the_pane_keeps_the_focus(blade: Page) -> None:
    row(blade, "alpha").focus()
    blade.keyboard.press("Enter")
    panel = blade.get_by_role("dialog")
    cron = panel.get_by_label("CRON Expression", exact=True)
    cron.fill("0 0 25 * * *")
    cron.press("Enter")
    expect(panel.locator(".field-error").filter(has_text=re.compile("25"))).to_be_visible()
    expect(cron).to_be_focused()
    expect(cron).to_have_attribute("aria-invalid", "true")
    cron.fill("0 0 5 * * *")
    fields = blade.get_by_label("CRON Expression", exact=True)
    apply = panel.locator("form", has=fields).get_by_role("button", name="Apply")
    apply.focus()
    blade.keyboard.press("Enter")
    expect_toast(blade, "alpha")
    expect(panel.get_by_label("CRON Expression", exact=True)).to_have_value("0 0 5 * * *")
    expect(apply).to_be_focused()
    blade.locator("#toasts").get_by_role("button", name="Dismiss").last.focus()
    blade.keyboard.press("Enter")
    assert not blade.evaluate(LOST)
    blade.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(row(blade, "alpha")).to_be_focused()


def test_environment_variables(blade: Page, slot: Slot) -> None:
    make_setting(slot, "GREETING", "hello")
    blade.get_by_role("link", name="Environment variables").press("Enter")
    blade.wait_for_url("**/settings/")
    blade.get_by_role("link", name="Add", exact=True).press("Enter")
    expect(blade.get_by_label("Name", exact=True)).to_be_focused()
    blade.keyboard.type("NEW")
    blade.keyboard.press("Enter")
    expect(blade.get_by_role("link", name="NEW", exact=True)).to_be_focused()
    blade.get_by_role("link", name="Delete NEW").press("Enter")
    # It was never applied, so it is gone, and the focus is where it stood.
    expect(blade.get_by_role("link", name="Delete GREETING")).to_be_focused()
    blade.keyboard.press("Enter")
    expect(blade.get_by_role("button", name="Restore GREETING")).to_be_focused()
    apply = blade.get_by_role("toolbar").get_by_role("button", name="Apply")
    discard = blade.get_by_role("button", name="Discard")
    apply.press("Enter")
    blade.keyboard.press("Escape")
    expect(apply).to_be_focused()
    discard.press("Enter")
    blade.keyboard.press("Enter")
    expect(discard).to_be_disabled()
    refresh = blade.get_by_role("link", name="Refresh")
    expect(refresh).to_be_focused()
    blade.get_by_role("link", name="Delete GREETING").press("Enter")
    apply.press("Enter")
    blade.keyboard.press("Enter")
    expect_toast(blade, "Successfully updated web app settings")
    expect(refresh).to_be_focused()
    assert not AppSetting.objects.exists()


def test_a_page_that_comes_back_refused_begins_at_the_error(
    blade: Page, live_server: LiveServer
) -> None:
    blade.goto(f"{live_server.url}/tokens/")
    name = blade.locator("#id_name")
    name.press("Enter")
    expect(blade.locator(".field-error").first).to_have_text("This field is required")
    expect(name).to_be_focused()
