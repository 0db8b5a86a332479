"""Deployment slots and the plan of an app, in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import expect_toast, sign_in
from tests.web.objects import make_job, make_run, make_setting, make_slot
from webjobs.models import Run, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slots(page: Page, live_server: LiveServer, operator: User) -> Page:
    slot = make_slot("demo")
    make_job(slot, "listener", JobType.CONTINUOUS)
    make_job(slot, "nightly")
    make_setting(slot, "COLOR", "blue")
    make_setting(slot, "DB", "live", is_slot_setting=True)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/deployment-slots/")
    return page


def add_clone(page: Page) -> None:
    page.get_by_role("link", name="Add Slot").click()
    page.get_by_label("Name", exact=True).fill("staging")
    page.get_by_label("Clone settings from:").select_option("production")
    page.get_by_label("Copy its WebJobs too").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect_toast(page, "Successfully added slot 'staging'")


def test_a_slot_is_cloned_and_swapped_and_the_page_tells_the_end(slots: Page) -> None:
    add_clone(slots)
    row = slots.locator('#slots tr[data-name="staging"]')
    expect(row).to_contain_text("Running")
    slots.reload()
    slots.get_by_role("link", name="Swap", exact=True).click()
    expect(slots.get_by_role("heading", name="production")).to_be_visible()
    expect(slots.locator("main")).to_contain_text("same package")
    slots.get_by_role("button", name="Start swap").click()
    expect(slots.locator("#swaps")).to_contain_text("staging with production")
    expect(slots.locator("#swaps")).to_contain_text("4 WebJobs and 2 settings changed places.")


def test_a_swap_that_waits_is_seen_and_cancelled(slots: Page) -> None:
    add_clone(slots)
    run = make_run(WebJob.objects.get(slot__name="production", name="nightly"), RunStatus.RUNNING)
    slots.goto(slots.url.partition("?")[0] + "swap")
    expect(slots.locator("main")).to_contain_text("waits for these runs in progress")
    slots.get_by_role("button", name="Start swap").click()
    expect(slots.locator("main")).to_contain_text("It waits for runs in progress")
    slots.get_by_role("button", name="Cancel the swap").click()
    expect(slots.locator("#swaps")).to_contain_text("Cancelled by admin")
    assert Run.objects.get(pk=run.pk).status == RunStatus.RUNNING
