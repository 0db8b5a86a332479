"""Edit with its review, the changes between versions and the way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import row, sign_in, zip_file
from tests.browser.test_accessibility import assert_accessible
from tests.web.objects import ALICE, make_member, make_slot, make_upload
from webjobs import dispatch
from webjobs.models import Role, WebJob
from webjobs.states import JobType

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(transactional_db: None) -> WebJob:
    new = dispatch.NewWebJob("nightly", JobType.TRIGGERED, make_upload("echo one\n"))
    return dispatch.add_webjob(make_slot("demo"), new, ALICE)


def test_a_new_package_is_reviewed_applied_and_rolled_back(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    sign_in(page, live_server.url, make_member(job.slot.app, "alice", Role.CONTRIBUTOR))
    page.goto(f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit")
    page.locator("#id_file").set_input_files(zip_file({"run.sh": "echo two\n"}))
    page.get_by_label("Retries").fill("3")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".review tbody tr")).to_contain_text(["Retries"])
    expect(page.locator(".changes")).to_contain_text("run.sh")
    assert_accessible(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    page.get_by_role("link", name="Package versions").click()
    assert_accessible(page)
    page.locator('a[href*="changes?from=1&to=2"]').click()
    expect(page.locator(".diff")).to_contain_text("echo two")
    assert_accessible(page)
    page.get_by_role("link", name="Roll back to version 1").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("tbody tr").first).to_contain_text("in use")
    expect(page.locator("tbody tr").first).to_contain_text("(version 1 again)")


def test_the_builder_writes_the_schedule_of_an_edit(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    sign_in(page, live_server.url, make_member(job.slot.app, "alice", Role.CONTRIBUTOR))
    page.goto(f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit")
    page.get_by_label("Repeat").select_option("workdays")
    expect(page.locator("#id_cron")).to_have_value("0 0 3 * * 1-5")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".review tbody tr")).to_contain_text(["0 0 3 * * 1-5"])


def test_a_continuous_webjob_leads_to_its_pages(page: Page, live_server: LiveServer) -> None:
    new = dispatch.NewWebJob("listener", JobType.CONTINUOUS, make_upload("sleep 1\n"))
    job = dispatch.add_webjob(make_slot("demo"), new, ALICE)
    sign_in(page, live_server.url, make_member(job.slot.app, "alice", Role.CONTRIBUTOR))
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    row(page, "listener").click(button="right")
    page.get_by_role("menuitem", name="Package versions").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("listener")
    page.goto(f"{live_server.url}/apps/demo/history/continuous/listener/")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Edit WebJob")


def test_the_second_of_two_editors_learns_of_the_first(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    sign_in(page, live_server.url, make_member(job.slot.app, "alice", Role.CONTRIBUTOR))
    url = f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit"
    page.goto(url)
    other = page.context.new_page()
    other.goto(url)
    for editor, retries in ((other, "2"), (page, "5")):
        editor.get_by_label("Retries").fill(retries)
        editor.get_by_role("button", name="Review changes").click()
        if editor is other:
            editor.get_by_role("button", name="Apply").click()
            expect(editor.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this WebJob")
    expect(page.locator(".review tbody tr")).to_contain_text(["25"])
    job.refresh_from_db()
    assert job.retry_attempts == 2


def test_the_script_that_runs_is_chosen_among_those_of_the_package(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    sign_in(page, live_server.url, make_member(job.slot.app, "alice", Role.CONTRIBUTOR))
    url = f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit"
    page.goto(url)
    expect(page.get_by_label("Scale")).to_be_disabled()
    files = {"run.sh": "echo run\n", "import.py": "", "export.py": ""}
    page.locator("#id_file").set_input_files(zip_file(files))
    page.get_by_role("button", name="Review changes").click()
    page.get_by_label("Run command").select_option("import.py")
    assert_accessible(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".content .banner").first).to_contain_text("import.py")
    page.goto(url)
    page.get_by_label("Run command").select_option("export.py")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".review tbody tr")).to_contain_text(["import.pyexport.py"])
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".content .banner").first).to_contain_text("export.py")
