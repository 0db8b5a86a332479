"""Several WebJobs selected on the blade, in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, command, expect_toast, row, sign_in
from tests.web.objects import make_instance, make_job, make_run, make_slot
from webjobs.models import Run, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blade(page: Page, live_server: LiveServer, operator: User) -> Page:
    slot = make_slot("demo")
    make_instance()
    for name in ["alpha", "beta", "gamma"]:
        make_job(slot, name)
    make_job(slot, "listener", JobType.CONTINUOUS)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    return page


def expect_selected(page: Page, *names: str) -> None:
    for name in ["alpha", "beta", "gamma", "listener"]:
        expect(row(page, name)).to_have_attribute("aria-selected", str(name in names).lower())


def test_ctrl_and_shift_clicks_select_several(blade: Page) -> None:
    row(blade, "alpha").click()
    row(blade, "gamma").click(modifiers=["Shift"])
    expect_selected(blade, "alpha", "beta", "gamma")
    row(blade, "beta").click(modifiers=["Control"])
    expect_selected(blade, "alpha", "gamma")
    row(blade, "listener").click(modifiers=["Control"])
    expect_selected(blade, "alpha", "gamma", "listener")
    for name in ("run", "stop", "delete"):
        expect(command(blade, name)).to_be_enabled()
    expect(command(blade, "properties")).to_be_disabled()
    row(blade, "beta").click()
    expect_selected(blade, "beta")


def test_one_question_names_them_and_one_notification_tells_the_outcome(blade: Page) -> None:
    make_run(WebJob.objects.get(name="beta"), RunStatus.RUNNING)
    command(blade, "refresh").click()
    expect(row(blade, "beta")).to_contain_text("Running")
    blade.get_by_role("checkbox", name="Select all").check()
    expect_selected(blade, "alpha", "beta", "gamma", "listener")
    command(blade, "run").click()
    question = blade.get_by_role("alertdialog")
    expect(question).to_contain_text("alpha, gamma")
    expect(question).to_contain_text("Skipped: beta. Cannot start a new run since job is already")
    expect(question).to_contain_text("Skipped: listener. It is continuous.")
    make_run(WebJob.objects.get(name="gamma"), RunStatus.RUNNING)
    answer(blade, "Are you sure you want to run the 2 selected WebJobs?")
    expect_toast(blade, "Successfully triggered 1 WebJob. Failed to run WebJob 'gamma'")
    expect_selected(blade, "alpha", "beta", "gamma", "listener")
    assert [run.job.name for run in Run.objects.filter(status=RunStatus.QUEUED)] == ["alpha"]


def test_the_keyboard_selects_several_too(blade: Page) -> None:
    row(blade, "alpha").focus()
    blade.keyboard.press("Shift+ArrowDown")
    expect_selected(blade, "alpha", "beta")
    blade.keyboard.press("Escape")
    expect_selected(blade, "beta")
    blade.keyboard.press("Control+a")
    expect_selected(blade, "alpha", "beta", "gamma", "listener")
    blade.keyboard.press("Control+Space")
    expect_selected(blade, "alpha", "gamma", "listener")
    blade.keyboard.press("Delete")
    answer(blade, "Are you sure you want to delete the 3 selected WebJobs?")
    expect_toast(blade, "Successfully deleted 3 WebJobs")
    expect(row(blade, "alpha")).to_have_count(0)
    assert [job.name for job in WebJob.objects.living()] == ["beta"]


def test_the_menu_of_several_acts_on_all_and_that_of_another_on_it_alone(blade: Page) -> None:
    row(blade, "alpha").click()
    row(blade, "beta").click(modifiers=["Control"])
    row(blade, "beta").click(button="right")
    blade.get_by_role("menuitem", name="Run").click()
    answer(blade, "Are you sure you want to run the 2 selected WebJobs?", "No")
    row(blade, "gamma").click(button="right")
    expect_selected(blade, "gamma")


def test_a_touch_screen_has_a_mode_for_it(blade: Page) -> None:
    blade.set_viewport_size({"width": 390, "height": 800})
    expect(row(blade, "alpha").get_by_role("checkbox")).to_be_hidden()
    command(blade, "select").click()
    row(blade, "alpha").click()
    row(blade, "listener").click()
    expect_selected(blade, "alpha", "listener")
    expect(row(blade, "alpha").get_by_role("checkbox")).to_be_checked()
