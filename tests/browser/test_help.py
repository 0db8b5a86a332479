"""Help in place: what a status means, with the mouse, the keyboard and a finger."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, row, sign_in
from tests.browser.test_accessibility import assert_accessible
from tests.web.objects import make_job, make_run, make_slot
from webjobs.states import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
MEANING = "The script ended with another exit code than 0"


def test_a_status_explains_itself(page: Page, live_server: LiveServer, operator: User) -> None:
    job = make_job(make_slot("demo"), "alpha")
    make_run(job, RunStatus.FAILED, reason="It ended with exit code 3.")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    tip = page.get_by_role("tooltip")
    row(page, "alpha").locator(".status").hover()
    expect(tip).to_contain_text(MEANING)
    expect(tip).to_contain_text("It ended with exit code 3.")
    # With the pointer upon it, it stays; beside both of them it goes, and by Escape.
    tip.hover()
    page.wait_for_timeout(400)
    expect(tip).to_be_visible()
    command(page, "refresh").hover()
    expect(tip).to_be_hidden()
    row(page, "alpha").locator(".status").hover()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()

    # Resting there, it would show the tip of the row that is drawn anew below it.
    command(page, "refresh").hover()
    command(page, "refresh").focus()
    while not page.evaluate("document.activeElement.matches('#grid tr')"):
        page.keyboard.press("Tab")
    expect(tip).to_contain_text(MEANING)
    expect(row(page, "alpha")).to_have_attribute("aria-describedby", "tip")

    page.keyboard.press("Enter")
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(page).to_have_url(re.compile("/help/#status-failed$"))
    expect(page.locator("#status-failed")).to_be_in_viewport()
    assert_accessible(page)
