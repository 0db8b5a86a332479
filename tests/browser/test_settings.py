"""Environment variables and the webhook password in a real browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, expect_toast, open_setting, row, sign_in
from tests.web.objects import ALICE, make_job, make_setting, make_slot
from webjobs.dispatch import SettingChange, change_settings
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


def stage(panel: Locator, value: str) -> None:
    """Change the value in the panel and take it over to the page."""
    panel.get_by_label("Value", exact=True).fill(value)
    panel.get_by_role("button", name="Apply").click()
    expect(panel).to_have_count(0)


def apply(page: Page) -> None:
    page.locator("#settings-apply").click()
    answer(page, "Your app may restart if you are updating application settings", "Continue")


def line(page: Page, name: str) -> Locator:
    return page.locator(f'#settings tr[data-name="{name}"]')


def test_changes_are_collected_and_applied_all_at_once(settings_page: Page) -> None:
    page = settings_page
    expect(page.locator("#settings-apply")).to_be_disabled()
    expect(page.locator("#settings-discard")).to_be_disabled()
    panel = open_setting(page, "Add")
    panel.get_by_label("Name", exact=True).fill("COLOUR")
    panel.get_by_label("Deployment slot setting").check()
    stage(panel, "blue")
    expect(line(page, "COLOUR").get_by_role("link", name="COLOUR", exact=True)).to_be_focused()
    expect(line(page, "COLOUR")).to_contain_text("(new)")
    expect(page.get_by_role("heading", level=1)).to_contain_text("(modified)")
    stage(open_setting(page, "GREETING"), "bye")
    expect(line(page, "GREETING")).to_contain_text("(modified)")
    page.get_by_role("link", name="Delete API_KEY").click()
    expect(line(page, "API_KEY")).to_contain_text("(deleted)")
    assert {s.name: s.value for s in AppSetting.objects.all()} == {
        "GREETING": "hello-value",
        "API_KEY": "secret-value",
    }
    apply(page)
    expect_toast(page, "Successfully updated web app settings")
    expect(page.locator("#dirty-mark")).to_be_hidden()
    expect(page.locator("#settings tr.dirty")).to_have_count(0)
    expect(line(page, "API_KEY")).to_have_count(0)
    assert {s.name: s.value for s in AppSetting.objects.all()} == {
        "COLOUR": "blue",
        "GREETING": "bye",
    }
    assert AppSetting.objects.get(name="COLOUR").is_slot_setting


def test_a_deleted_row_is_restored_and_discard_forgets_the_rest(settings_page: Page) -> None:
    page = settings_page
    page.get_by_role("link", name="Delete GREETING").click()
    page.get_by_role("button", name="Restore GREETING").click()
    expect(page.locator("#settings-discard")).to_be_disabled()
    stage(open_setting(page, "GREETING"), "bye")
    page.locator("#settings-discard").click()
    answer(page, "Unsaved changes will be discarded.", "Cancel")
    expect(line(page, "GREETING")).to_contain_text("(modified)")
    page.locator("#settings-discard").click()
    answer(page, "Unsaved changes will be discarded.", "Continue")
    expect(line(page, "GREETING")).not_to_contain_text("(modified)")
    assert AppSetting.objects.get(name="GREETING").value == "hello-value"


def test_refreshing_and_leaving_ask_before_changes_are_lost(settings_page: Page) -> None:
    page = settings_page
    stage(open_setting(page, "GREETING"), "bye")
    page.locator("#settings-refresh").click()
    answer(page, "Any unsaved changes will be lost on refreshing.", "Cancel")
    page.get_by_role("link", name="WebJobs history").click()
    answer(page, "Unsaved changes will be discarded.", "Cancel")
    expect(line(page, "GREETING")).to_contain_text("(modified)")
    page.locator("#settings-refresh").click()
    answer(page, "Any unsaved changes will be lost on refreshing.", "Continue")
    expect(line(page, "GREETING")).not_to_contain_text("(modified)")
    stage(open_setting(page, "GREETING"), "bye")
    page.get_by_role("link", name="WebJobs history").click()
    answer(page, "Unsaved changes will be discarded.", "Continue")
    page.wait_for_url("**/history/")


def test_who_applies_second_is_told_and_loses_nothing(settings_page: Page, slot: Slot) -> None:
    page = settings_page
    stage(open_setting(page, "GREETING"), "ours")
    theirs = [SettingChange("GREETING", "theirs"), SettingChange("OTHER", "theirs")]
    change_settings(slot, theirs, ALICE)
    apply(page)
    expect(page.locator("#settings-notice")).to_contain_text("GREETING was changed by alice.")
    expect(page.locator("#settings-notice")).to_contain_text("your changes are still here")
    expect(line(page, "OTHER")).to_be_visible()
    expect(line(page, "GREETING")).to_contain_text("(modified)")
    assert AppSetting.objects.get(name="GREETING").value == "theirs"
    apply(page)
    expect(page.locator("#settings-notice")).to_be_hidden()
    expect(page.locator("#settings tr.dirty")).to_have_count(0)
    assert AppSetting.objects.get(name="GREETING").value == "ours"
    assert AppSetting.objects.get(name="OTHER").value == "theirs"


def test_a_value_the_engine_cannot_use_is_told_beside_the_field(settings_page: Page) -> None:
    page = settings_page
    panel = open_setting(page, "Add")
    panel.get_by_label("Name", exact=True).fill("greeting")
    panel.get_by_role("button", name="Apply").click()
    error = panel.locator("[data-field=name] .field-error")
    expect(error).to_have_text("App setting names must be unique")
    panel.get_by_label("Name", exact=True).fill("WEBJOBS_RESTART_TIME")
    panel.get_by_label("Value", exact=True).fill("soon")
    panel.get_by_role("button", name="Apply").click()
    error = panel.locator("[data-field=value] .field-error")
    expect(error).to_contain_text("must be a whole number")
    expect(panel.get_by_label("Value", exact=True)).to_have_value("soon")


def test_advanced_edit_changes_all_as_json_and_keeps_what_is_hidden(settings_page: Page) -> None:
    page = settings_page
    page.get_by_role("link", name="Advanced edit").click()
    panel = page.get_by_role("dialog", name="Advanced edit")
    area = panel.get_by_label("Application settings as JSON")
    expect(area).to_be_focused()
    expect(area).to_have_value(re.compile("null"))
    area.fill("{")
    panel.get_by_role("button", name="OK").click()
    error = panel.locator("[data-field=json] .field-error")
    expect(error).to_contain_text("Invalid JSON object (line ")
    area.fill(
        '[{"name": "API_KEY", "value": null, "slotSetting": true},'
        ' {"name": "GREETING", "value": null}, {"name": "NEW", "value": "1"}]'
    )
    panel.get_by_role("button", name="Show values").click()
    expect(area).to_have_value(re.compile("hello-value"))
    assert "secret-value" not in area.input_value()
    panel.get_by_role("button", name="OK").click()
    expect(panel).to_have_count(0)
    expect(line(page, "API_KEY")).to_contain_text("(modified)")
    expect(line(page, "GREETING")).not_to_contain_text("(modified)")
    expect(line(page, "NEW")).to_contain_text("(new)")
    apply(page)
    expect_toast(page, "Successfully updated web app settings")
    secret = AppSetting.objects.get(name="API_KEY")
    assert (secret.value, secret.is_secret, secret.is_slot_setting) == ("secret-value", True, True)
    assert AppSetting.objects.get(name="NEW").value == "1"


def test_the_keyboard_is_enough_to_change_a_setting(settings_page: Page) -> None:
    page = settings_page
    page.get_by_role("link", name="GREETING", exact=True).focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Add/Edit application setting")
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    panel.get_by_label("Value", exact=True).focus()
    page.keyboard.type("bye")
    panel.get_by_label("Name", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="GREETING", exact=True)).to_be_focused()
    page.locator("#settings-apply").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    page.keyboard.press("Enter")
    expect_toast(page, "Successfully updated web app settings")
    assert AppSetting.objects.get(name="GREETING").value == "bye"


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
