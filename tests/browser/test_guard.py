"""Two people, two tabs and sessions that end: what was typed stays, and what happened is told."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, sign_in
from tests.web.objects import ALICE, make_job, make_setting, make_slot
from webjobs import dispatch
from webjobs.models import ApiToken, Run, Schedule, WebJob

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]

CHANGED = "This has been changed since you began to type."


@pytest.fixture
def job(page: Page, live_server: LiveServer, operator: User) -> WebJob:
    """Somebody is signed in to change this WebJob."""
    job = make_job(make_slot("demo"), "nightly")
    sign_in(page, live_server.url, operator)
    return job


def sign_in_again(page: Page) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("correct-horse-9")
    page.get_by_role("button", name="Sign in").click()


def test_properties_outlive_the_session_and_what_others_do(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    page.goto(f"{live_server.url}/apps/demo/webjobs/?panel=triggered/nightly/properties")
    panel = page.get_by_role("dialog", name="nightly")
    cron = panel.get_by_label("CRON Expression", exact=True)
    retries = panel.get_by_label("Retries", exact=True)
    cron.fill("0 0 3 * * *")
    retries.fill("4")
    cron.focus()
    schedule = panel.get_by_role("form", name="Schedule", exact=True)
    Session.objects.all().delete()
    schedule.get_by_role("button", name="Apply").click()
    expect_toast(page, "You have been signed out.")
    dispatch.set_schedule(job, "0 0 2 * * *", "", True, ALICE)
    page.locator("#toasts").get_by_role("link", name="Sign in").click()
    sign_in_again(page)
    expect(cron).to_have_value("0 0 3 * * *")
    expect(retries).to_have_value("4")
    expect(schedule.locator("[data-errors]")).to_contain_text(CHANGED)
    schedule.get_by_role("button", name="Apply").click()
    words = "alice has changed this WebJob meanwhile, so nothing was applied. CRON Expression:"
    expect(schedule.locator("[data-errors]")).to_contain_text(words)
    assert Schedule.objects.get().expression == "0 0 2 * * *"
    schedule.get_by_role("button", name="Apply").click()
    expect_toast(page, "Successfully updated the schedule of WebJob 'nightly'")
    assert Schedule.objects.get().expression == "0 0 3 * * *"
    # What was typed beside it is no less there.
    expect(retries).to_have_value("4")
    dispatch.delete(job, ALICE)
    panel.get_by_role("form", name="Runs that overlap").get_by_role("button", name="Apply").click()
    expect_toast(page, 'There is no WebJob "nightly" here.')
    expect(retries).to_have_value("4")


def test_an_edit_outlives_the_session_and_what_others_do(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    url = f"{live_server.url}/apps/demo/webjobs/triggered/nightly/edit"
    page.goto(url)
    retries = page.get_by_label("Retries")
    retries.fill("4")
    dispatch.set_policy(job, dispatch.Policy(concurrency="queue"), ALICE)
    Session.objects.all().delete()
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing of it was applied")
    sign_in_again(page)
    expect(retries).to_have_value("4")
    expect(page.locator("form.edit [data-errors]")).to_contain_text(CHANGED)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("main")).to_contain_text("Somebody else has changed this WebJob since")
    page.go_back()
    expect(retries).to_have_value("4")
    page.get_by_role("button", name="Review changes").click()
    apply = page.get_by_role("button", name="Apply")
    expect(apply).to_be_visible()
    Session.objects.all().delete()
    apply.click()
    sign_in_again(page)
    expect(retries).to_have_value("4")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("WebJob Details")
    kept = WebJob.objects.get()
    assert (kept.retry_attempts, kept.concurrency) == (4, "queue")
    WebJob.objects.update(retry_attempts=1)
    page.goto(url)
    expect(retries).to_have_value("1")


def test_the_arguments_of_a_run_outlive_the_session(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    page.goto(f"{live_server.url}/apps/demo/webjobs/?select=triggered/nightly")
    command(page, "run").click()
    arguments = page.get_by_label("Arguments (optional)")
    arguments.fill("--all 7")
    Session.objects.all().delete()
    page.get_by_role("button", name="Yes", exact=True).click()
    page.locator("#toasts").get_by_role("link", name="Sign in").click()
    sign_in_again(page)
    command(page, "run").click()
    expect(arguments).to_have_value("--all 7")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect_toast(page, "View the run")
    assert Run.objects.get().arguments == "--all 7"
    kept = "Object.keys(sessionStorage).some(key => key.includes('arguments'))"
    page.wait_for_function(f"!{kept}")


def type_before_the_session_ends(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/apps/demo/deployment/")
    page.locator("#id_url").fill("https://example.com/jobs.git")
    Session.objects.all().delete()


def expect_what_was_typed(page: Page) -> None:
    page.wait_for_url("**/apps/demo/deployment/")
    expect(page.locator("#id_url")).to_have_value("https://example.com/jobs.git")


def test_nothing_is_lost_where_somebody_signs_in_before_the_modules_are_there(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    type_before_the_session_ends(page, live_server)
    page.route("**/frame.js", lambda route: route.abort())
    page.get_by_role("button", name="Connect").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.unroute("**/frame.js")
    sign_in_again(page)
    expect_what_was_typed(page)


def test_forms_of_whole_pages_lead_back_and_are_sent_once(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    type_before_the_session_ends(page, live_server)
    page.get_by_role("button", name="Connect").click()
    sign_in_again(page)
    expect_what_was_typed(page)
    # A tab that was open before somebody signed in again in another one.
    page.goto(f"{live_server.url}/tokens/")
    page.get_by_label("What it is for").fill("ci")
    other = page.context.new_page()
    other.goto(f"{live_server.url}/apps/")
    other.locator("#user-menu summary").click()
    other.get_by_role("button", name="Sign out").click()
    sign_in_again(other)
    other.wait_for_url("**/apps/")
    other.close()
    page.get_by_role("button", name="Create").dblclick()
    expect(page.get_by_label("The new token")).to_be_visible()
    assert ApiToken.objects.count() == 1
    page.goto(f"{live_server.url}/tokens/")
    expect(page.get_by_label("What it is for")).to_have_value("")


def test_a_draft_that_cannot_be_opened_any_more_is_told(
    page: Page, live_server: LiveServer, job: WebJob
) -> None:
    make_setting(job.slot, "GREETING", "hello")
    page.goto(f"{live_server.url}/apps/demo/settings/?panel=GREETING/edit")
    value = page.get_by_label("Value", exact=True)
    value.fill("top-secret")
    page.get_by_label("Name", exact=True).focus()
    keys = "Object.keys(sessionStorage).filter(key => key.startsWith('draft'))"
    page.wait_for_function(f"{keys}.length === 1")
    page.evaluate(f"{keys}.forEach(key => sessionStorage.setItem(key, 'broken'))")
    page.reload()
    words = re.compile("cannot be opened any more, because the portal's SECRET_KEY has changed")
    expect(page.get_by_role("dialog").locator("[data-errors]")).to_have_text(words)
    expect(value).to_have_value("")
