"""The pages without JavaScript: everything but the live parts works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import zip_file
from tests.support.chromium import Chromium
from tests.web.objects import make_slot
from webjobs.models import AppSetting, Run, WebJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plain(
    chromium: Chromium, live_server: LiveServer, operator: User, data_dir: Path
) -> Iterator[Page]:
    make_slot("demo")
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_server.url}/sign-in")
    page.get_by_label("User name").fill(operator.username)
    page.get_by_label("Password").fill("correct-horse-9")
    page.get_by_role("button", name="Sign in").click()
    yield page
    with chromium.closing():
        context.close()


def test_a_webjob_is_added_run_and_deleted(plain: Page) -> None:
    plain.get_by_role("link", name="demo", exact=True).click()
    plain.get_by_role("link", name="Add", exact=True).click()
    plain.get_by_label("Name", exact=True).fill("nightly")
    plain.get_by_label("File Upload", exact=True).set_input_files(
        zip_file({"run.sh": "echo hello"})
    )
    plain.get_by_label("Type", exact=True).select_option("Triggered")
    plain.get_by_label("Triggers", exact=True).select_option("Scheduled")
    plain.get_by_label("CRON Expression", exact=True).fill("0 0 3 * * *")
    plain.get_by_role("button", name="OK").click()
    expect(plain.get_by_text("Successfully added WebJob 'nightly'")).to_be_visible()
    assert WebJob.objects.get().schedule.expression == "0 0 3 * * *"

    plain.get_by_role("link", name="Commands: nightly").click()
    plain.get_by_role("link", name="Run", exact=True).click()
    expect(plain.get_by_text("Are you sure you want to run the selected WebJob?")).to_be_visible()
    plain.get_by_role("button", name="Yes").click()
    expect(plain.get_by_role("heading", name="WebJob Run Details")).to_be_visible()
    expect(plain.locator(".run-status")).to_have_text("Queued")
    assert Run.objects.count() == 1

    plain.get_by_role("navigation").get_by_role("link", name="WebJobs", exact=True).first.click()
    plain.get_by_role("link", name="Commands: nightly").click()
    plain.get_by_role("link", name="Delete", exact=True).click()
    plain.get_by_role("button", name="Yes").click()
    expect(plain.get_by_text("Click ADD to get started.")).to_be_visible()


def test_a_setting_is_added_and_deleted(plain: Page, live_server: LiveServer) -> None:
    plain.goto(f"{live_server.url}/apps/demo/settings/")
    plain.get_by_role("link", name="Add", exact=True).click()
    plain.get_by_label("Name", exact=True).fill("GREETING")
    plain.get_by_label("Value", exact=True).fill("hello")
    plain.get_by_role("button", name="Apply").click()
    assert AppSetting.objects.get().value == "hello"
    plain.get_by_role("link", name="Delete GREETING").click()
    plain.get_by_role("button", name="Continue").click()
    expect(plain.get_by_text("(no application settings to display)")).to_be_visible()
