"""Nothing that was typed is lost when a page reloads or a session ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, open_setting, sign_in, zip_file
from tests.support.poll import until
from tests.web.objects import ALICE, make_job, make_member, make_setting, make_slot
from webjobs.dispatch import SettingChange, change_settings
from webjobs.models import AppSetting, Role, Slot, WebJob
from webjobs.models.fields import decrypt

pytestmark = pytest.mark.django_db(transaction=True)

# How many drafts the tab keeps.
DRAFTS = "Object.keys(sessionStorage).filter(key => key.startsWith('draft')).length"


@pytest.fixture
def blade(page: Page, live_server: LiveServer, operator: User, data_dir: Path) -> Page:
    slot = make_slot("demo")
    make_setting(slot, "GREETING", "hello")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    return page


def to_settings(page: Page) -> None:
    page.get_by_role("link", name="Environment variables").click()
    # Without its scripts, a link of the page leads to another one.
    page.wait_for_url("**/settings/", wait_until="load")


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
    blade.wait_for_url(re.compile(r"/apps/demo/webjobs/\?panel=add$"))
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
    # The address says so a moment later than the page.
    blade.wait_for_url(re.compile(r"/webjobs/$"))
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


def stored(page: Page) -> str:
    text: str = page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    return text


def opened(page: Page) -> dict[str, Any]:
    """The fields of the form whose draft the tab keeps sealed."""
    wait_for_drafts(page, 1)
    sealed = page.evaluate(
        "Object.entries(sessionStorage).find(([key]) => key.startsWith('draft'))[1]"
    )
    _purpose, _owner, text = json.loads(decrypt(sealed))
    fields: dict[str, Any] = json.loads(text)["fields"]
    return fields


def drafts(page: Page) -> int:
    count: int = page.evaluate(DRAFTS)
    return count


def wait_for_drafts(page: Page, count: int) -> None:
    page.wait_for_function(f"count => count === {DRAFTS}", arg=count)


def test_a_half_filled_setting_comes_back_and_nobody_reads_it_meanwhile(blade: Page) -> None:
    to_settings(blade)
    panel = open_setting(blade, "GREETING")
    panel.get_by_label("Value", exact=True).fill("top-secret")
    panel.get_by_label("Secret").check()
    panel.get_by_label("Name", exact=True).focus()
    # The value alone was kept first.
    until(lambda: opened(blade)["is_secret"] == [True], what="both are kept")
    assert "top-secret" not in stored(blade)
    blade.reload()
    expect(panel.get_by_label("Value", exact=True)).to_have_value("top-secret")
    expect(panel.get_by_label("Secret")).to_be_checked()
    expect(panel.get_by_label("Keep the present value")).not_to_be_checked()
    panel.get_by_role("button", name="Apply").click()
    expect(panel).to_have_count(0)
    expect(line(blade, "GREETING")).to_contain_text("(modified)")


def line(page: Page, name: str) -> Locator:
    return page.locator(f'#settings tr[data-name="{name}"]')


def stage_three(page: Page) -> None:
    """A new secret, another value and a deletion, none of them applied."""
    make_setting(Slot.objects.get(), "OLD", "old")
    to_settings(page)
    panel = open_setting(page, "Add")
    panel.get_by_label("Name", exact=True).fill("API_KEY")
    panel.get_by_label("Value", exact=True).fill("top-secret")
    panel.get_by_label("Secret").check()
    panel.get_by_role("button", name="Apply").click()
    panel = open_setting(page, "GREETING")
    panel.get_by_label("Value", exact=True).fill("bye")
    panel.get_by_role("button", name="Apply").click()
    line(page, "OLD").locator("[data-delete]").click()
    expect(line(page, "OLD")).to_contain_text("(deleted)")
    page.wait_for_load_state("networkidle")


def expect_three(page: Page) -> None:
    expect(page.locator("#settings-notice")).to_contain_text("are still here")
    expect(line(page, "API_KEY")).to_contain_text("(new)")
    expect(line(page, "GREETING")).to_contain_text("(modified)")
    expect(line(page, "OLD")).to_contain_text("(deleted)")


def apply_changes(page: Page) -> None:
    page.locator("#settings-apply").click()
    page.get_by_role("button", name="Continue").click()


def test_changes_that_are_not_applied_outlive_a_reload_unread(blade: Page) -> None:
    stage_three(blade)
    assert drafts(blade) == 1
    assert "top-secret" not in stored(blade)
    blade.reload()
    expect_three(blade)
    apply_changes(blade)
    expect_toast(blade, "Successfully updated web app settings")
    values = {setting.name: setting.value for setting in AppSetting.objects.all()}
    assert values == {"API_KEY": "top-secret", "GREETING": "bye"}
    assert AppSetting.objects.get(name="API_KEY").is_secret
    wait_for_drafts(blade, 0)


def test_changes_wait_for_a_portal_that_does_not_answer(blade: Page) -> None:
    stage_three(blade)
    blade.route("**/drafts", lambda route: route.abort())
    blade.reload()
    line(blade, "GREETING").locator("[data-delete]").click()
    expect(line(blade, "GREETING")).to_contain_text("(deleted)")
    blade.unroute("**/drafts")
    blade.once("dialog", lambda dialog: dialog.accept())
    blade.reload()
    expect_three(blade)


def test_changes_that_came_back_can_be_discarded(blade: Page) -> None:
    stage_three(blade)
    blade.reload()
    expect_three(blade)
    blade.locator("#settings-discard").click()
    blade.get_by_role("button", name="Continue").click()
    expect(line(blade, "API_KEY")).to_have_count(0)
    expect(blade.locator("#settings-notice")).to_be_hidden()
    blade.reload()
    expect(line(blade, "GREETING")).to_be_visible()
    expect(blade.locator("#settings tr.dirty")).to_have_count(0)
    assert drafts(blade) == 0


def test_changes_that_came_back_do_not_overwrite_what_others_did(blade: Page) -> None:
    stage_three(blade)
    change_settings(Slot.objects.get(), [SettingChange("GREETING", "theirs")], ALICE)
    blade.reload()
    expect_three(blade)
    apply_changes(blade)
    expect(blade.locator("#settings-notice")).to_contain_text("GREETING was changed by alice.")
    assert AppSetting.objects.get(name="GREETING").value == "theirs"


def test_nobody_else_gets_the_changes(blade: Page, live_server: LiveServer) -> None:
    stage_three(blade)
    settings = blade.url
    Session.objects.all().delete()
    sign_in(blade, live_server.url, make_member(Slot.objects.get().app, "bob", Role.CONTRIBUTOR))
    blade.goto(settings)
    expect(line(blade, "GREETING")).to_be_visible()
    expect(line(blade, "API_KEY")).to_have_count(0)
    assert drafts(blade) == 0


def test_what_is_typed_in_the_advanced_edit_comes_back(blade: Page) -> None:
    to_settings(blade)
    line(blade, "GREETING").locator("[data-delete]").click()
    blade.get_by_role("link", name="Advanced edit").click()
    area = blade.get_by_label("Application settings as JSON")
    expect(area).to_have_value("[]")
    area.fill('[{"name": "NEW", "value": "top-secret"}]')
    wait_for_drafts(blade, 2)
    blade.reload()
    expect(area).to_have_value('[{"name": "NEW", "value": "top-secret"}]')
    assert "top-secret" not in stored(blade)
    blade.get_by_role("dialog").get_by_role("button", name="OK").click()
    expect(line(blade, "NEW")).to_contain_text("(new)")
    wait_for_drafts(blade, 1)
    blade.get_by_role("link", name="Advanced edit").click()
    expect(area).to_have_value(re.compile("NEW"))


def test_the_page_of_the_advanced_edit_applies_at_once(
    blade: Page, live_server: LiveServer
) -> None:
    blade.goto(f"{live_server.url}/apps/demo/settings/advanced")
    area = blade.get_by_label("Application settings as JSON")
    area.fill('[{"name": "NEW", "value": "1"}]')
    blade.get_by_role("button", name="OK").click()
    expect_toast(blade, "Successfully updated web app settings")
    assert AppSetting.objects.get().name == "NEW"
    blade.locator("#toasts .undo").click()
    expect_toast(blade, "Undone")
    assert AppSetting.objects.get().name == "GREETING"


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
    to_settings(blade)
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
