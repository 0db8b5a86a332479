"""What changes by itself is read out by screen readers: once, and nothing that does not matter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, row, sign_in
from tests.web.objects import make_instance, make_job, make_run, make_slot
from tests.web.test_runs import write
from webjobs.models import Instance, Run
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)

# What is put into the page's live regions, in order: a change there is what is read out.
LISTEN = """() => {
  window.heard = [];
  const hear = (records) => {
    for (const record of records) {
      for (const node of record.addedNodes) window.heard.push(node.textContent.trim());
    }
  };
  const regions = "#said, [role=status], [role=alert], [aria-live=polite]";
  for (const region of document.querySelectorAll(regions)) {
    new MutationObserver(hear).observe(region, { childList: true, subtree: true });
  }
}"""


def assert_heard(page: Page, *words: str) -> None:
    """These, in this order, and nothing else since it was asked last."""
    page.wait_for_function("count => window.heard.length >= count", arg=len(words))
    assert page.evaluate("window.heard.splice(0)") == list(words)


def test_of_an_output_the_state_and_the_matches_are_said_not_each_line(
    page: Page, live_server: LiveServer, operator: User
) -> None:
    run = make_run(make_job(make_slot()), RunStatus.RUNNING, started_at=timezone.now())
    write(run, b"".join(b"line %d\n" % number for number in range(1, 301)), complete=False)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/history/triggered/nightly/runs/{run.number}/")
    follow = page.locator(".log-follow")
    expect(follow).to_have_text("Following")
    page.evaluate(LISTEN)
    follow.press("Enter")
    run.log.refresh_from_db()
    write(run, b"more\nand more\n", complete=False)
    expect(follow).to_have_text("Paused, 2 new lines")
    assert_heard(page, "Paused")
    # Its name does not count: it would be read out anew with every line.
    expect(follow).to_have_accessible_name("Paused")
    follow.press("Enter")
    expect(page.get_by_text("and more", exact=True)).to_be_in_viewport()
    assert_heard(page, "Following")
    box = page.get_by_role("searchbox", name="Search the output")
    box.fill("more")
    expect(page.locator(".search-count")).to_have_text("1 of 2")
    assert_heard(page, "1 of 2: more")
    box.press("Enter")
    expect(page.locator(".search-count")).to_have_text("2 of 2")
    assert_heard(page, "2 of 2: and more")
    # The command that had the focus is gone with the run's end: the one in its place has it.
    page.get_by_role("link", name="Stop").focus()
    write(run, b"")
    now = timezone.now()
    ended = {"status": RunStatus.SUCCESS, "ended_at": now, "exit_code": 0, "lane": None}
    Run.objects.filter(pk=run.pk).update(**ended)
    expect(page.locator(".run-status")).to_have_text("Success")
    assert_heard(page, "Success")
    expect(page.get_by_role("link", name="Run again")).to_be_focused()


def test_of_what_follows_by_itself_only_another_state_is_said(
    page: Page, live_server: LiveServer, operator: User
) -> None:
    slot = make_slot()
    make_instance("box-1")
    alpha = make_job(slot, "alpha")
    make_job(slot, "beta", JobType.CONTINUOUS)
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/instances/")
    page.evaluate(LISTEN)
    link = page.get_by_role("link", name="box-1")
    link.focus()
    line = page.locator('#instances tr[data-name="box-1"]')
    Instance.objects.update(busy=2)
    expect(line).to_contain_text("2 of 5")
    assert_heard(page)
    Instance.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    expect(line).to_contain_text("Lost")
    assert_heard(page, "box-1: Lost")
    expect(link).to_be_focused()
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    page.evaluate(LISTEN)
    row(page, "alpha").focus()
    make_run(alpha, RunStatus.RUNNING, started_at=timezone.now())
    command(page, "refresh").press("Enter")
    expect(row(page, "alpha")).to_contain_text("Running")
    assert_heard(page, "alpha: Running")


def test_toasts_are_said_one_by_one_also_over_a_panel(
    page: Page, live_server: LiveServer, operator: User
) -> None:
    make_instance()
    make_job(make_slot(), "alpha")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    session = page.context.new_cdp_session(page)
    found = session.send("Runtime.evaluate", {"expression": "document.querySelector('#toasts')"})
    tree = session.send(
        "Accessibility.getPartialAXTree",
        {"objectId": found["result"]["objectId"], "fetchRelatives": False},
    )
    told = {one["name"]: one["value"]["value"] for one in tree["nodes"][0]["properties"]}
    assert (told["live"], told["atomic"]) == ("polite", False)
    row(page, "alpha").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="alpha")
    # Outside of the panel nothing is read out; the region is there before anything is in it.
    expect(panel.locator("#toasts")).to_have_count(1)
    page.evaluate(LISTEN)
    retries = panel.get_by_label("Retries")
    retries.fill("3")
    retries.press("Enter")
    expect_toast(page, "alpha")
    page.wait_for_function("() => window.heard.some(text => text.startsWith('Successfully'))")
    toasts = [text for text in page.evaluate("window.heard") if text and "Dismiss" not in text]
    done = "Successfully updated the runs of WebJob 'alpha' Undo"
    assert toasts == ["Updating the runs", done]
    page.keyboard.press("Escape")
    expect(page.locator("body > #toasts")).to_have_count(1)
    command(page, "add").press("Enter")
    name = page.get_by_role("dialog", name="Add WebJob").get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    page.evaluate(LISTEN)
    page.keyboard.press("Enter")
    # The portal has said so as well.
    add = page.get_by_role("dialog", name="Add WebJob").get_by_role("button", name="OK")
    expect(add).to_be_enabled()
    assert_heard(page, "This field is required", "This field is required")
