"""Nothing that was typed is lost when a page reloads or a session ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, sign_in, zip_file
from tests.web.objects import make_job, make_setting, make_slot
from webjobs.models import AppSetting, Slot, WebJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blade(page: Page, live_server: LiveServer, operator: User, data_dir: Path) -> Page:
    slot = make_slot("demo")
    make_setting(slot, "GREETING", "hello")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    return page


def fill(page: Page) -> Locator:
    """The Add panel with everything but the OK."""
    command(page, "add").click()
    panel = page.get_by_role("dialog", name="Add WebJob")
    panel.get_by_label("Name", exact=True).fill("nightly")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    panel.get_by_label("CRON Expression", exact=True).fill("0 0 3 * * *")
    panel.get_by_label("Name", exact=True).focus()
    return panel


def expect_filled(panel: Locator) -> None:
    expect(panel.get_by_label("Name", exact=True)).to_have_value("nightly")
    expect(panel.get_by_label("Type", exact=True)).to_have_value("triggered")
    expect(panel.get_by_label("CRON Expression", exact=True)).to_have_value("0 0 3 * * *")
    expect(panel.locator("[data-field=file]")).to_contain_text("Choose the file job.zip again")


def test_a_session_that_ended_gives_everything_back_after_signing_in(blade: Page) -> None:
    panel = fill(blade)
    Session.objects.all().delete()
    panel.get_by_role("button", name="OK").click()
    expect_toast(blade, "You have been signed out.")
    expect(panel.get_by_label("Name", exact=True)).to_have_value("nightly")
    blade.locator("#toasts").get_by_role("link", name="Sign in").click()
    blade.get_by_label("User name").fill("admin")
    blade.get_by_label("Password").fill("correct-horse-9")
    blade.get_by_role("button", name="Sign in").click()
    blade.wait_for_url("**/apps/demo/webjobs/")
    expect_filled(panel)
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    panel.get_by_role("button", name="OK").click()
    expect_toast(blade, "Successfully added WebJob 'nightly'")
    assert WebJob.objects.get().schedule.expression == "0 0 3 * * *"
    blade.reload()
    expect(command(blade, "add")).to_be_visible()
    expect(panel).to_have_count(0)


def test_a_reload_keeps_a_half_filled_panel(blade: Page) -> None:
    panel = fill(blade)
    blade.reload()
    expect_filled(panel)
    blade.keyboard.press("Escape")
    blade.reload()
    expect(command(blade, "add")).to_be_visible()
    expect(panel).to_have_count(0)
    command(blade, "add").click()
    expect_filled(panel)


def test_nothing_is_left_for_the_next_person_after_signing_out(blade: Page) -> None:
    fill(blade)
    blade.keyboard.press("Escape")
    blade.locator("#user-menu summary").click()
    blade.get_by_role("button", name="Sign out").click()
    blade.wait_for_url("**/sign-in*")
    assert not blade.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft'))")


def test_values_of_settings_are_never_kept(blade: Page) -> None:
    blade.get_by_role("link", name="Environment variables").click()
    blade.get_by_role("link", name="GREETING", exact=True).click()
    panel = blade.get_by_role("dialog", name="Add/Edit application setting")
    panel.get_by_label("Value", exact=True).fill("top-secret")
    panel.get_by_label("Name", exact=True).focus()
    assert "top-secret" not in blade.evaluate("JSON.stringify({...sessionStorage})")


def test_an_edit_is_given_back_after_signing_in_and_gone_once_applied(
    blade: Page, live_server: LiveServer
) -> None:
    make_job(Slot.objects.get(), "nightly")
    url = f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit"
    blade.goto(url)
    blade.get_by_label("Retries").fill("4")
    blade.get_by_label("Time zone").fill("Europe/Paris")
    Session.objects.all().delete()
    blade.get_by_role("button", name="Review changes").click()
    blade.get_by_label("User name").fill("admin")
    blade.get_by_label("Password").fill("correct-horse-9")
    blade.get_by_role("button", name="Sign in").click()
    expect(blade.get_by_label("Retries")).to_have_value("4")
    expect(blade.get_by_label("Time zone")).to_have_value("Europe/Paris")
    blade.get_by_role("button", name="Review changes").click()
    blade.get_by_role("button", name="Apply").click()
    expect(blade.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    WebJob.objects.update(retry_attempts=1)
    blade.goto(url)
    expect(blade.get_by_label("Retries")).to_have_value("1")


def test_a_cancelled_edit_is_forgotten(blade: Page, live_server: LiveServer) -> None:
    make_job(Slot.objects.get(), "nightly")
    url = f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit"
    blade.goto(url)
    blade.get_by_label("Retries").fill("4")
    blade.get_by_role("link", name="Cancel").click()
    expect(blade.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    blade.goto(url)
    expect(blade.get_by_label("Retries")).to_have_value("")


def test_changed_settings_are_applied_after_signing_in_in_another_tab(blade: Page) -> None:
    blade.get_by_role("link", name="Environment variables").click()
    blade.locator('#settings tr[data-name="GREETING"] [data-delete]').click()
    Session.objects.all().delete()
    apply = blade.get_by_role("toolbar").get_by_role("button", name="Apply")
    apply.click()
    blade.get_by_role("button", name="Continue").click()
    expect_toast(blade, "You have been signed out.")
    with blade.expect_popup() as opened:
        blade.locator("#toasts").get_by_role("link", name="Sign in").click()
    other = opened.value
    other.get_by_label("User name").fill("admin")
    other.get_by_label("Password").fill("correct-horse-9")
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/apps/demo/settings/")
    apply.click()
    blade.get_by_role("button", name="Continue").click()
    expect_toast(blade, "Successfully updated web app settings")
    assert not AppSetting.objects.exists()
