"""What a page shows is in its address: a link to it shows the same, back leaves a panel."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, row, sign_in
from tests.web.objects import make_job, make_setting, make_slot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def base(page: Page, live_server: LiveServer, operator: User) -> str:
    slot = make_slot("demo")
    for number in range(12):
        make_job(slot, f"job-{number:02}")
    make_setting(slot, "GREETING", "hello")
    make_setting(slot, "COLOUR", "blue")
    sign_in(page, live_server.url, operator)
    return f"{live_server.url}/apps/demo/"


def selected(page: Page) -> list[str]:
    return [
        each.get_attribute("data-name") or ""
        for each in page.locator("#grid tr[aria-selected=true]").all()
    ]


def test_selected_rows_are_in_the_address(page: Page, base: str) -> None:
    page.goto(f"{base}webjobs/")
    row(page, "job-03").click()
    expect(page).to_have_url(f"{base}webjobs/?select=triggered/job-03")
    row(page, "job-05").click(modifiers=["Control"])
    page.reload()
    expect(row(page, "job-05")).to_have_attribute("aria-selected", "true")
    assert selected(page) == ["job-03", "job-05"]
    page.keyboard.press("Tab")
    row(page, "job-05").focus()
    page.keyboard.press("Control+a")
    expect(page).to_have_url(f"{base}webjobs/?select=*")
    page.reload()
    expect(row(page, "job-11")).to_have_attribute("aria-selected", "true")
    assert len(selected(page)) == 12


def test_names_that_are_not_there_are_left_out(page: Page, base: str) -> None:
    page.goto(f"{base}webjobs/?select=triggered/job-03,continuous/none,%3Cb%3E&panel=nothing")
    expect(row(page, "job-03")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(f"{base}webjobs/?select=triggered/job-03")
    page.goto(f"{base}webjobs/?panel=triggered/none/properties")
    expect(page).to_have_url(f"{base}webjobs/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#toasts > *")).to_have_count(0)


@pytest.mark.parametrize(
    "panel",
    ["https://example.org/apps/demo/webjobs/add", "//example.org/apps/x/webjobs/add", "/scm/demo/"]
    + ["/apps/../scm/demo/api/vfs/webjobs/add", "javascript:alert(1)", "../history/"],
)
def test_only_panels_of_ours_are_opened(page: Page, base: str, panel: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{base}webjobs/?panel={panel}")
    expect(page).to_have_url(f"{base}webjobs/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    others = [url for url in asked if "?panel=" not in url]
    assert not [url for url in others if "example.org" in url or "/scm/" in url]


def test_back_closes_a_panel_and_forward_opens_it(page: Page, base: str) -> None:
    page.goto(f"{base}history/")
    page.goto(f"{base}webjobs/")
    row(page, "job-03").dblclick()
    panel = page.get_by_role("dialog", name="job-03")
    expect(panel).to_be_visible()
    expect(page).to_have_url(re.compile("panel=triggered/job-03/properties$"))
    page.go_back()
    expect(panel).to_have_count(0)
    expect(row(page, "job-03")).to_have_attribute("aria-selected", "true")
    page.go_forward()
    expect(panel).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page).to_have_url(f"{base}webjobs/?select=triggered/job-03")
    page.go_back()
    expect(page).to_have_url(f"{base}history/")


def test_a_panel_that_came_with_a_link_closes_in_its_place(page: Page, base: str) -> None:
    page.goto(f"{base}webjobs/?panel=add")
    panel = page.get_by_role("dialog", name="Add WebJob")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page).to_have_url(f"{base}webjobs/")


def test_the_filter_stays_with_the_selection(page: Page, base: str) -> None:
    page.goto(f"{base}webjobs/?after=")
    row(page, "job-11").click()
    page.get_by_label("Filter by name").fill("job-1")
    expect(row(page, "job-03")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?select=triggered/job-11&q=job-1$"))
    page.get_by_label("Filter by name").fill("")
    expect(page).to_have_url(f"{base}webjobs/?select=triggered/job-11")


def test_the_panels_and_the_filter_of_settings(page: Page, base: str) -> None:
    page.goto(f"{base}settings/")
    page.get_by_placeholder("Filter application settings").fill("greet")
    expect(page).to_have_url(f"{base}settings/?filter=greet")
    page.reload()
    expect(page.locator('#settings tr[data-name="COLOUR"]')).to_be_hidden()
    page.get_by_role("link", name="GREETING", exact=True).click()
    panel = page.get_by_role("dialog", name="Add/Edit application setting")
    expect(panel.get_by_label("Name", exact=True)).to_have_value("GREETING")
    expect(page).to_have_url(f"{base}settings/?filter=greet&panel=GREETING/edit")
    page.reload()
    expect(panel.get_by_label("Name", exact=True)).to_have_value("GREETING")
    panel.get_by_label("Value", exact=True).fill("bye")
    panel.get_by_role("button", name="Apply").click()
    expect(panel).to_have_count(0)
    expect(page.locator('#settings tr[data-name="GREETING"]')).to_contain_text("(modified)")
    expect(page).to_have_url(f"{base}settings/?filter=greet")
    page.get_by_role("link", name="Advanced edit").click()
    expect(page).to_have_url(f"{base}settings/?filter=greet&panel=advanced")
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator('#settings tr[data-name="GREETING"]')).to_contain_text("(modified)")


def test_the_command_search_is_left_by_back(page: Page, base: str) -> None:
    page.goto(f"{base}webjobs/")
    page.keyboard.press("Control+k")
    page.keyboard.type("job-07")
    expect(page).to_have_url(f"{base}webjobs/?command=job-07")
    page.reload()
    field = page.get_by_role("combobox", name="Search apps, WebJobs, pages and actions")
    expect(field).to_have_value("job-07")
    page.go_back()
    expect(field).to_have_count(0)
    expect(page).to_have_url(f"{base}webjobs/")
    page.keyboard.press("Control+k")
    page.keyboard.type("job-07")
    page.get_by_role("option", name="job-07").first.click()
    page.wait_for_url("**/history/triggered/job-07/")
    page.go_back()
    expect(page).to_have_url(f"{base}webjobs/")
    expect(field).to_have_count(0)


def test_properties_open_above_a_history_page_too(page: Page, base: str) -> None:
    page.goto(f"{base}history/triggered/job-03/")
    page.get_by_role("link", name="Properties").click()
    panel = page.get_by_role("dialog", name="job-03")
    expect(panel).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    page.go_back()
    expect(panel).to_have_count(0)
    expect(command(page, "add")).to_have_count(0)
