"""The bar of the last runs, and the period of the history, as people use them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import row, sign_in
from tests.web.objects import make_job, make_run, make_slot
from webjobs.models import WebJob
from webjobs.states import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def job(transactional_db: None) -> WebJob:
    job = make_job(make_slot("demo"), "nightly")
    for day, status in enumerate([RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.SUCCESS]):
        at = NOON + timedelta(days=day)
        make_run(job, status, at=at, started_at=at, ended_at=at + timedelta(seconds=4 * day + 4))
    return job


@pytest.fixture
def person(page: Page, live_server: LiveServer, operator: User) -> Page:
    sign_in(page, live_server.url, operator)
    return page


def test_each_mark_of_the_bar_tells_of_its_run_and_leads_there(
    person: Page, live_server: LiveServer, job: WebJob
) -> None:
    person.goto(f"{live_server.url}/apps/demo/webjobs/")
    bar = row(person, "nightly").get_by_role("group", name="Last 3 runs: 2 succeeded, 1 failed")
    marks = bar.get_by_role("link")
    expect(marks).to_have_count(3)
    marks.nth(1).hover()
    expect(person.get_by_role("tooltip")).to_have_text("Failed, 8 s, 2026-03-11 12:00:00 UTC")
    marks.nth(1).click()
    expect(person.get_by_role("heading", level=1)).to_contain_text("WebJob Run Details")
    expect(person.locator(".run-status")).to_have_text("Failed")


def test_the_marks_are_reached_with_the_arrow_keys(
    person: Page, live_server: LiveServer, job: WebJob
) -> None:
    person.goto(f"{live_server.url}/apps/demo/webjobs/")
    row(person, "nightly").click()
    for _ in range(3):  # The last run comes first, then the marks.
        person.keyboard.press("ArrowRight")
    expect(person.get_by_role("tooltip")).to_contain_text("Failed, 8 s")
    person.keyboard.press("ArrowLeft")
    expect(person.get_by_role("tooltip")).to_contain_text("Success, 4 s")
    person.keyboard.press("Enter")
    expect(person.locator(".run-status")).to_have_text("Success")


def test_the_period_narrows_the_runs_and_the_address_keeps_it(
    person: Page, live_server: LiveServer, job: WebJob
) -> None:
    person.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/")
    person.get_by_label("From").fill("2026-03-11T00:00")
    person.get_by_label("To", exact=True).fill("2026-03-11T23:59")
    person.get_by_role("button", name="Show", exact=True).click()
    runs = person.locator("table tbody tr").filter(has=person.locator(".label"))
    expect(runs).to_have_count(1)
    expect(runs).to_contain_text("Failed")
    expect(person).to_have_url(re.compile("from=2026-03-11T00"))
    person.reload()
    expect(runs).to_have_count(1)
    person.get_by_role("link", name="Clear the period").click()
    expect(runs).to_have_count(3)
