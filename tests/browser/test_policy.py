"""Concurrency and retries in the Properties pane, and the queue, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, sign_in
from tests.web.objects import make_job, make_run, make_slot
from webjobs.models import WebJob
from webjobs.states import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(transactional_db: None) -> WebJob:
    return make_job(make_slot("demo"), "nightly")


def test_the_policy_is_changed_and_a_wrong_one_is_refused_beside_its_field(
    page: Page, live_server: LiveServer, job: WebJob, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/triggered/nightly/properties")
    form = page.get_by_role("form", name="Runs that overlap or fail")
    form.get_by_label("While a run is in progress").select_option("queue")
    form.get_by_label("Places in the queue").fill("1001")
    form.get_by_role("button", name="Apply").click()
    expect(form.locator('[data-field="queue_limit"]')).to_contain_text("1000")

    form.get_by_label("Places in the queue").fill("7")
    form.get_by_label("Retries", exact=True).fill("2")
    form.get_by_label("When it failed").uncheck()
    with page.expect_navigation():
        form.get_by_role("button", name="Apply").click()
    expect(form.get_by_label("When it failed")).not_to_be_checked()
    expect(form.get_by_label("Places in the queue")).to_have_value("7")

    job.refresh_from_db()
    wanted = {"concurrency": "queue", "queue_limit": 7, "retry_attempts": 2, "retry_on": ["lost"]}
    assert job.settings_job == wanted


def test_a_waiting_run_says_its_position_and_is_stopped(
    page: Page, live_server: LiveServer, job: WebJob, operator: User
) -> None:
    now = timezone.now()
    make_run(job, RunStatus.RUNNING, at=now - timedelta(seconds=5), started_at=now)
    waiting = make_run(job, RunStatus.QUEUED, at=now, lane=None)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/")
    page.get_by_role("row", name="Position 1 in the queue").get_by_role("link").click()
    summary = page.locator("#summary")
    expect(summary).to_contain_text("Position 1 in the queue")
    page.get_by_role("link", name="Stop").click()
    answer(page, "Are you sure you want to stop this run?")
    expect(summary).to_contain_text("Stopped by admin.")
    waiting.refresh_from_db()
    assert waiting.status == RunStatus.ABORTED
