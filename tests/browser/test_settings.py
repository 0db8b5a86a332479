"""Environment variables and the webhook password in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, expect_toast, row, sign_in
from tests.web.objects import make_job, make_setting, make_slot
from webjobs.models import AppSetting, Slot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    slot = make_slot("demo")
    make_setting(slot, "GREETING", "hello-value")
    make_setting(slot, "API_KEY", "secret-value", is_secret=True)
    return slot


@pytest.fixture
def settings_page(page: Page, live_server: LiveServer, slot: Slot, operator: User) -> Page:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/settings/")
    return page


def test_values_show_and_hide_on_request(settings_page: Page) -> None:
    page = settings_page
    expect(page.locator("main")).not_to_contain_text("hello-value")
    page.get_by_text("Hidden value. Click to show value").click()
    expect(page.locator("main")).to_contain_text("hello-value")
    page.get_by_role("button", name="hello-value").click()
    expect(page.locator("main")).not_to_contain_text("hello-value")
    page.get_by_role("button", name="Show values").click()
    expect(page.locator("main")).to_contain_text("hello-value")
    expect(page.locator("main")).not_to_contain_text("secret-value")
    page.get_by_role("button", name="Hide values").click()
    expect(page.locator("main")).not_to_contain_text("hello-value")


def test_a_setting_is_added_changed_and_deleted_after_a_question(settings_page: Page) -> None:
    page = settings_page
    page.get_by_role("link", name="Add", exact=True).click()
    panel = page.get_by_role("dialog", name="Add/Edit application setting")
    panel.get_by_label("Name", exact=True).fill("COLOUR")
    panel.get_by_label("Value", exact=True).fill("blue")
    panel.get_by_label("Deployment slot setting").check()
    panel.get_by_role("button", name="Apply").click()
    answer(page, "Your app may restart", "Continue")
    expect_toast(page, "Successfully updated web app settings")
    expect(page.get_by_role("link", name="COLOUR", exact=True)).to_be_visible()
    assert AppSetting.objects.get(name="COLOUR").value == "blue"

    page.get_by_role("link", name="COLOUR", exact=True).click()
    panel.get_by_role("button", name="Show the present value").click()
    expect(panel.get_by_label("Value", exact=True)).to_have_value("blue")
    panel.get_by_label("Value", exact=True).fill("green")
    panel.get_by_role("button", name="Apply").click()
    answer(page, "Your app may restart", "Continue")
    expect(panel).to_have_count(0)
    assert AppSetting.objects.get(name="COLOUR").value == "green"

    page.get_by_role("link", name="Delete COLOUR").click()
    answer(page, "Your app may restart", "Cancel")
    assert AppSetting.objects.filter(name="COLOUR").exists()
    page.get_by_role("link", name="Delete COLOUR").click()
    answer(page, "Your app may restart", "Continue")
    expect(page.get_by_role("link", name="COLOUR", exact=True)).to_have_count(0)
    assert not AppSetting.objects.filter(name="COLOUR").exists()


def test_a_value_the_engine_cannot_use_is_told_beside_the_field(settings_page: Page) -> None:
    page = settings_page
    page.get_by_role("link", name="Add", exact=True).click()
    panel = page.get_by_role("dialog", name="Add/Edit application setting")
    panel.get_by_label("Name", exact=True).fill("WEBJOBS_RESTART_TIME")
    panel.get_by_label("Value", exact=True).fill("soon")
    panel.get_by_role("button", name="Apply").click()
    answer(page, "Your app may restart", "Continue")
    error = panel.locator("[data-field=value] .field-error")
    expect(error).to_contain_text("must be a whole number")
    expect(panel.get_by_label("Value", exact=True)).to_have_value("soon")


def test_the_filter_hides_other_names(settings_page: Page) -> None:
    page = settings_page
    page.get_by_placeholder("Filter application settings").fill("greet")
    expect(page.get_by_role("link", name="GREETING", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="API_KEY", exact=True)).to_be_hidden()
    page.get_by_placeholder("Filter application settings").fill("zzz")
    expect(page.get_by_text("No setting has such a name.")).to_be_visible()


def test_the_webhook_password_shows_and_changes(
    settings_page: Page, live_server: LiveServer, slot: Slot
) -> None:
    page = settings_page
    make_job(slot, "nightly")
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    row(page, "nightly").dblclick()
    panel = page.get_by_role("dialog", name="nightly")
    expect(panel).to_contain_text(f"{live_server.url}/scm/demo/api/triggeredwebjobs/nightly/run")
    expect(panel).not_to_contain_text(slot.publishing_password)
    panel.get_by_role("button", name="Show the password").click()
    expect(panel).to_contain_text(slot.publishing_password)
    panel.get_by_label("New password").fill("correct-horse-battery")
    panel.get_by_role("button", name="Change", exact=True).click()
    expect_toast(page, "Successfully changed the webhook password")
    assert Slot.objects.get(pk=slot.pk).publishing_password == "correct-horse-battery"


def test_the_side_menu_filters(settings_page: Page) -> None:
    page = settings_page
    page.get_by_label("Search the menu").fill("hist")
    expect(page.get_by_role("link", name="WebJobs history")).to_be_visible()
    expect(page.get_by_role("link", name="Environment variables")).to_be_hidden()
