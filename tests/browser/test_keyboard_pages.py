"""Without a mouse, the pages besides the blade: reached in order, seen, and never lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import expect_toast, sign_in
from tests.browser.test_keyboard import LOST, assert_focus_is_visible
from tests.support.repositories import make
from tests.web.objects import ALICE, make_job, make_run, make_setting, make_slot, make_upload
from tests.web.test_runs import write
from webjobs import dispatch
from webjobs.models import ApiToken, Slot, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]

OUTPUT = b"one\n::group::Two\nthree\n::endgroup::\n" + b"".join(
    b"line %d\n" % number for number in range(5, 401)
)
NAME = """() => {
  const active = document.activeElement;
  return (active.labels?.[0] ?? active).textContent.trim() || active.ariaLabel;
}"""


@pytest.fixture
def job(transactional_db: None) -> WebJob:
    new = dispatch.NewWebJob("nightly", JobType.TRIGGERED, make_upload("echo one\n"))
    return dispatch.add_webjob(make_slot("demo"), new, ALICE)


@pytest.fixture
def slot(job: WebJob) -> Slot:
    return job.slot


@pytest.fixture
def person(page: Page, live_server: LiveServer, slot: Slot, operator: User) -> Page:
    sign_in(page, live_server.url, operator)
    return page


def tab(page: Page, count: int) -> list[str]:
    """What the Tab key comes to next; each is seen."""
    names = []
    for _ in range(count):
        page.keyboard.press("Tab")
        assert_focus_is_visible(page)
        names.append(page.evaluate(NAME))
    return names


def test_the_output(person: Page, live_server: LiveServer, job: WebJob) -> None:
    run = make_run(job)
    write(run, OUTPUT)
    person.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/runs/{run.number}/")
    box = person.get_by_role("log")
    person.locator("summary", has_text="Toggle Output").focus()
    assert tab(person, 6) == ["download", "raw (.gz)", "All", "Output", "Errors", "System"]
    assert tab(person, 1) == ["Search the output"]
    person.keyboard.type("line 39")
    expect(person.locator(".search-count")).to_have_text("2 of 11")
    assert tab(person, 2) == ["Match case", "Regular expression"]
    assert tab(person, 2) == ["Previous match", "Next match"]
    person.keyboard.press("Enter")
    expect(person.locator(".search-count")).to_have_text("3 of 11")
    assert tab(person, 1)[0].startswith("Times")
    person.keyboard.press("ArrowDown")
    expect(person.locator(".log-lines")).to_contain_class("times")
    assert tab(person, 2) == ["Line numbers", "Wrap"]
    person.keyboard.press("Space")
    expect(person.locator(".log-lines")).not_to_contain_class("wrap")
    assert tab(person, 2) == ["Copy lines", "Line"]
    person.keyboard.type("6-8")
    person.keyboard.press("Enter")
    expect(person.locator(".line.chosen")).to_have_count(3)
    assert person.url.endswith("#L6-L8")
    expect(person.locator("#said")).to_have_text("6: line 6")
    assert tab(person, 2) == ["To the start", "To the end"]
    person.keyboard.press("Enter")
    expect(person.get_by_text("line 400", exact=True)).to_be_in_viewport()
    person.keyboard.press("Tab")
    expect(box).to_be_focused()
    person.keyboard.press("Home")
    expect(person.get_by_text("one", exact=True)).to_be_in_viewport()
    assert tab(person, 1) == ["Two"]
    person.keyboard.press("Enter")
    expect(person.locator('.line[data-n="3"]')).to_be_hidden()
    expect(person.get_by_role("button", name="Two")).to_be_focused()


def test_edit_review_and_the_versions(person: Page, live_server: LiveServer, slot: Slot) -> None:
    person.goto(f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit")
    cron = person.locator("#id_cron")
    cron.fill("0 0 25 * * *")
    cron.press("Enter")
    expect(cron).to_be_focused()
    expect(cron).to_have_attribute("aria-invalid", "true")
    expect(cron).to_have_accessible_description(re.compile("25"))
    balloon = person.locator("details.balloon", has=person.locator("summary")).first
    balloon.locator("summary").focus()
    person.keyboard.press("Enter")
    expect(balloon.locator("p")).to_be_visible()
    person.keyboard.press("Escape")
    expect(balloon.locator("p")).to_be_hidden()
    expect(balloon.locator("summary")).to_be_focused()
    person.keyboard.press("Enter")
    person.keyboard.press("Tab")
    person.keyboard.press("Tab")
    # Left, it lies upon nothing any more.
    expect(balloon.locator("p")).to_be_hidden()
    cron.fill("0 0 5 * * *")
    cron.press("Enter")
    expect(person.locator(".review")).to_contain_text("0 0 5 * * *")
    person.get_by_role("button", name="Apply").press("Enter")
    expect(person.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    dispatch.replace_package(WebJob.objects.get(), make_upload("echo two\n"), ALICE)
    person.get_by_role("link", name="Package versions").press("Enter")
    person.get_by_label("Changes from").focus()
    assert [name.split()[0] for name in tab(person, 2)] == ["to", "Compare"]
    person.keyboard.press("Enter")
    person.get_by_role("region", name="Changed lines").focus()
    assert_focus_is_visible(person)
    person.get_by_role("link", name="Roll back to version 1").press("Enter")
    person.get_by_role("button", name="Yes").press("Enter")
    expect(person.locator("tbody tr").first).to_contain_text("(version 1 again)")


def test_the_menu_at_the_top_and_tokens(person: Page, live_server: LiveServer) -> None:
    person.goto(f"{live_server.url}/apps/")
    menu = person.locator("#user-menu summary")
    menu.focus()
    person.keyboard.press("ArrowDown")
    expect(person.get_by_role("link", name="Administration")).to_be_focused()
    assert_focus_is_visible(person)
    person.keyboard.press("ArrowUp")
    expect(person.get_by_role("button", name="Sign out")).to_be_focused()
    person.keyboard.press("Home")
    person.keyboard.press("ArrowDown")
    expect(person.get_by_role("link", name="API tokens")).to_be_focused()
    person.keyboard.press("Escape")
    expect(menu).to_be_focused()
    # Shift+Tab out of it leaves nothing open behind.
    person.keyboard.press("ArrowDown")
    menu.focus()
    person.keyboard.press("Shift+Tab")
    expect(person.locator("#user-menu")).not_to_have_attribute("open", "")
    person.goto(f"{live_server.url}/tokens/")
    person.locator("#id_name").fill("pipeline")
    person.locator("#id_name").press("Enter")
    # It is shown only now, so this is where one is.
    expect(person.get_by_label("The new token")).to_be_focused()
    person.get_by_role("button", name="Revoke pipeline").press("Enter")
    expect(person.locator("main")).to_contain_text("You have no token.")
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    menu.focus()
    person.keyboard.press("ArrowDown")
    person.get_by_role("button", name="Français").press("Enter")
    expect(person.locator("html")).to_have_attribute("lang", "fr")
    expect(person.locator("#user-menu summary")).to_be_focused()


def test_slots_and_what_an_app_is_configured_for(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    make_setting(slot, "COLOR", "blue")
    person.goto(f"{live_server.url}/apps/demo/deployment-slots/")
    add = person.get_by_role("link", name="Add Slot")
    add.press("Enter")
    name = person.get_by_role("dialog").get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    person.keyboard.press("Escape")
    expect(add).to_be_focused()
    person.keyboard.press("Enter")
    name.fill("staging")
    name.press("Enter")
    expect_toast(person, "Successfully added slot 'staging'")
    assert not person.evaluate(LOST)
    person.reload()
    add.focus()
    person.keyboard.press("ArrowRight")
    expect(person.get_by_role("link", name="Swap", exact=True)).to_be_focused()
    person.keyboard.press("Enter")
    person.get_by_label("Source").focus()
    assert [words.split()[0] for words in tab(person, 2)] == ["Target", "Show"]
    person.get_by_role("button", name="Start swap").press("Enter")
    expect(person.locator("#swaps")).to_contain_text("changed places.")
    person.goto(f"{live_server.url}/apps/demo/configuration/")
    person.get_by_role("radio", name="On").focus()
    assert_focus_is_visible(person)
    person.keyboard.press("ArrowDown")
    expect(person.get_by_role("radio", name="Off")).to_be_checked()
    assert tab(person, 1) == ["Save"]
    person.keyboard.press("Enter")
    expect_toast(person, "Successfully updated web app settings")
    # It came back to where it was sent from.
    expect(person.get_by_role("button", name="Save")).to_be_focused()


def test_a_repository_is_connected_and_left(
    person: Page, live_server: LiveServer, slot: Slot, tmp_path: Path, settings: Settings
) -> None:
    settings.WEBJOBS_SOURCE_PATHS = [str(tmp_path)]
    repository = make(tmp_path / "r", {"App_Data/jobs/triggered/one/run.sh": "echo"})
    person.goto(f"{live_server.url}/apps/demo/deployment/")
    address = person.locator("#id_url")
    address.press("Enter")
    expect(address).to_be_focused()
    expect(address).to_have_attribute("aria-invalid", "true")
    address.fill(str(repository))
    address.press("Enter")
    test = person.get_by_role("button", name="Test the connection")
    test.press("Enter")
    expect_toast(person, "repository")
    expect(test).to_be_focused()
    assert_focus_is_visible(person)
    show = person.get_by_role("button", name="Show the secret")
    show.press("Enter")
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(show).to_be_focused()
    person.get_by_role("link", name="Disconnect").press("Enter")
    person.get_by_role("button", name="Yes").press("Enter")
    expect(person.locator("#id_url")).to_be_visible()


def test_details_and_the_page_that_tells_how_to_call(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    make_run(slot.webjobs.get(), RunStatus.FAILED, reason="It ended with exit code 3.")
    listener = make_job(slot, "listener", JobType.CONTINUOUS)
    person.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/")
    run = person.get_by_role("link", name="Run", exact=True)
    run.press("Enter")
    expect(person.get_by_role("alertdialog").get_by_role("button", name="Yes")).to_be_focused()
    person.keyboard.press("Escape")
    expect(run).to_be_focused()
    person.locator("summary", has_text="Show as a table").press("Enter")
    assert tab(person, 1) != [""]
    person.get_by_role("link", name="Properties").press("Enter")
    expect(person.get_by_role("dialog", name="nightly")).to_be_visible()
    person.keyboard.press("Escape")
    expect(person.get_by_role("link", name="Properties")).to_be_focused()
    person.get_by_role("link", name="Call this WebJob").press("Enter")
    person.wait_for_url("**/call")
    copies = person.get_by_role("button", name="Copy the command")
    names = copies.evaluate_all("all => all.map(one => one.textContent.trim())")
    assert len(names) == len(set(names)) > 10
    person.goto(f"{live_server.url}/apps/demo/history/continuous/listener/")
    stop = person.get_by_role("link", name="Stop", exact=True)
    stop.press("Enter")
    person.keyboard.press("Enter")
    expect_toast(person, "listener")
    # Start stands where Stop was.
    expect(person.get_by_role("link", name="Start", exact=True)).to_be_focused()
    listener.refresh_from_db()
    assert listener.is_stopped
