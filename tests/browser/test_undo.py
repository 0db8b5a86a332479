"""Undo in the toast, behind the bell, by key, and of what has several parts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import row, sign_in
from tests.browser.test_accessibility import assert_accessible
from tests.web.objects import ALICE, make_member, make_setting, make_slot, make_upload
from webjobs import dispatch
from webjobs.models import AppSetting, Role, Slot, WebJob
from webjobs.states import JobType

pytestmark = pytest.mark.django_db(transaction=True)
BLADE = "/apps/demo/webjobs/"


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    slot = make_slot("demo")
    for name, type in (("nightly", JobType.TRIGGERED), ("listener", JobType.CONTINUOUS)):
        dispatch.add_webjob(slot, dispatch.NewWebJob(name, type, make_upload()), ALICE)
    return slot


@pytest.fixture
def person(page: Page, live_server: LiveServer, slot: Slot) -> Page:
    sign_in(page, live_server.url, make_member(slot.app, "alice", Role.CONTRIBUTOR))
    return page


def command(page: Page, name: str, label: str) -> None:
    row(page, name).click()
    page.get_by_role("toolbar").get_by_role("button", name=label).click()
    page.get_by_role("button", name="Yes").click()


def test_a_deleted_webjob_comes_back_by_the_toast(person: Page, live_server: LiveServer) -> None:
    person.goto(live_server.url + BLADE)
    command(person, "nightly", "Delete")
    expect(row(person, "nightly")).to_have_count(0)
    assert_accessible(person)
    person.locator(".toast").get_by_role("button", name="Undo").click()
    expect(row(person, "nightly")).to_be_visible()
    expect(person.locator(".toast").last).to_contain_text("Undone: Successfully deleted")
    person.locator("#bell").click()
    expect(person.locator("#notices").get_by_role("button", name="Undo")).to_have_count(0)


def test_a_stop_is_undone_by_key_and_later_behind_the_bell(
    person: Page, live_server: LiveServer
) -> None:
    person.goto(live_server.url + BLADE)
    command(person, "listener", "Stop")
    expect(row(person, "listener")).to_contain_text("Stopped")
    expect(person.locator(".toast .undo")).to_be_visible()
    person.keyboard.press("Control+z")
    expect(person.locator(".toast").last).to_contain_text("Undone: Successfully stopped")
    assert not WebJob.objects.get(name="listener").is_stopped

    command(person, "listener", "Stop")
    expect(person.locator(".toast .undo")).to_be_visible()
    person.reload()
    person.locator("#bell").focus()
    person.keyboard.press("Enter")
    undo = person.locator("#notices").get_by_role("button", name="Undo")
    expect(undo).to_have_count(1)
    undo.focus()
    person.keyboard.press("Enter")
    expect(person.locator(".toast").last).to_contain_text("Undone")
    assert not WebJob.objects.get(name="listener").is_stopped


def test_applied_settings_are_put_back(person: Page, live_server: LiveServer, slot: Slot) -> None:
    make_setting(slot, "COLOR", "green")
    person.goto(f"{live_server.url}/apps/demo/settings/")
    person.locator('#settings tr[data-name="COLOR"] [data-delete]').click()
    person.get_by_role("toolbar").get_by_role("button", name="Apply").click()
    person.get_by_role("button", name="Continue").click()
    undo = person.locator(".toast").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert not AppSetting.objects.exists()
    undo.click()
    expect(person.locator('#settings tr[data-name="COLOR"]')).to_be_visible()
    expect(person.locator(".toast").last).to_contain_text("Undone")
    assert AppSetting.objects.get().value == "green"


def test_a_roll_back_is_undone(person: Page, live_server: LiveServer) -> None:
    job = WebJob.objects.get(name="nightly")
    dispatch.replace_package(job, make_upload("echo two\n"), ALICE)
    person.goto(f"{live_server.url}{BLADE}triggered/nightly/versions/1/roll-back")
    person.get_by_role("button", name="Yes").click()
    expect(person.locator("tbody tr").first).to_contain_text("(version 1 again)")
    person.locator(".toast").get_by_role("button", name="Undo").click()
    expect(person.locator("tbody tr").first).to_contain_text("4")
    expect(person.locator(".toast").last).to_contain_text("Undone")
    assert WebJob.objects.get(name="nightly").package_id == job.package_id
