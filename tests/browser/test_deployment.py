"""Deployment Center in a browser: a deployment shows by itself, and everybody can use the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import sign_in
from tests.browser.test_accessibility import assert_accessible
from tests.support.repositories import commit, make
from tests.web.objects import make_slot
from webjobs.deploying import sync
from webjobs.models import Deployment, SourceConnection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]

JOBS = "App_Data/jobs/triggered/"


@pytest.fixture
def repository(tmp_path: Path, settings: Settings) -> Path:
    settings.WEBJOBS_SOURCE_PATHS = [str(tmp_path)]
    return make(tmp_path / "r", {JOBS + "one/run.sh": "echo", JOBS + "two/run.sh": "echo"})


def deploy() -> None:
    """As a worker would."""
    sync.deploy(Deployment.objects.get(status="Pending").pk)


def test_it_connects_shows_each_deployment_by_itself_and_disables_add(
    page: Page, live_server: LiveServer, operator: User, repository: Path
) -> None:
    make_slot("demo")
    sign_in(page, live_server.url, operator)
    page.goto(live_server.url + "/apps/demo/webjobs/")
    page.get_by_role("link", name="Deployment Center").click()
    page.locator("#id_url").fill(str(repository))
    page.locator("#id_branch").fill("mian")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#error_branch")).to_have_text("The repository has no such branch.")
    assert_accessible(page)
    page.locator("#id_branch").fill("main")
    page.get_by_role("button", name="Connect").click()
    row = page.locator("#deployments tbody tr").first
    expect(row).to_contain_text("Waiting")
    deploy()
    expect(row).to_contain_text("Success")
    expect(row).to_contain_text("Added: 2")
    page.locator('[data-show="#hook-secret"]').click()
    secret = SourceConnection.objects.get().webhook_secret
    expect(page.locator("#hook-secret")).to_have_text(secret)
    commit(repository, {JOBS + "two/run.sh": None, JOBS + "bad/readme": "x"}, "Second")
    page.get_by_role("button", name="Sync").click()
    page.wait_for_url("**/deployment/*/")
    deploy()
    expect(page.locator("main")).to_contain_text("No runnable script file")
    expect(page.locator("main")).to_contain_text("Deployment ended: Partial.")
    assert_accessible(page)
    page.goto(live_server.url + "/apps/demo/deployment/")
    expect(page.locator(".banner.warning")).to_contain_text("triggered/two")
    assert_accessible(page)
    page.goto(live_server.url + "/apps/demo/webjobs/")
    add = page.get_by_role("button", name="Add", exact=True)
    expect(add).to_be_disabled()
    expect(page.locator("main")).to_contain_text("When you have source control configured")


def test_it_fits_a_phone_in_french(
    page: Page, live_server: LiveServer, operator: User, repository: Path
) -> None:
    make_slot("demo")
    sign_in(page, live_server.url, operator)
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.context.add_cookies([{"name": "django_language", "value": "fr", "url": live_server.url}])
    page.goto(live_server.url + "/apps/demo/deployment/")
    expect(page.locator("h1")).to_contain_text("Centre de déploiement")
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    assert_accessible(page)
