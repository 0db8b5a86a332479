"""axe-core finds nothing serious on any page, light or dark, wide or narrow."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, row, sign_in
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from tests.web.test_runs import write
from webjobs.models import Copy, Schedule, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)

SERIOUS = {"moderate", "serious", "critical"}
# 1280 px at 400 %, which is narrower than any telephone.
NARROW = 320
# Targets are far enough apart, which is a rule that axe leaves out unless it is asked for.
VIOLATIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
CONTRAST = {"runOnly": ["color-contrast"]}
# As people set it who read with difficulty (WCAG 1.4.12).
SPACING = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important; }
* { word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""
# What makes the page scroll sideways, or is cut off without a way to see the rest of it.
OUT_OF_SIGHT = """spacing => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(spacing);
  document.adoptedStyleSheets = [sheet];
  const { scrollWidth, clientWidth } = document.documentElement;
  const wide = scrollWidth > clientWidth ? [`The page: ${scrollWidth} of ${clientWidth}`] : [];
  const cut = [...document.querySelectorAll("main *, .popup *")].filter((each) => {
    const { overflowX, overflowY } = getComputedStyle(each);
    const hides = (overflow) => overflow === "hidden" || overflow === "clip";
    const isCut =
      (hides(overflowX) && each.scrollWidth > each.clientWidth + 1) ||
      (hides(overflowY) && each.scrollHeight > each.clientHeight + 2);
    const isMeant = each.closest("thead, .visually-hidden, svg, [type=file]");
    return isCut && each.checkVisibility() && !isMeant;
  });
  document.adoptedStyleSheets = [];
  return [...wide, ...cut.map((each) => each.outerHTML.slice(0, 200))];
}"""
# Each control that can have the focus, and whether that is seen: not in the colour below it.
UNSEEN = """() => {
  const stops = "a[href], button, input:not([type=file]), select, textarea, summary, pre";
  const colour = (element) => getComputedStyle(element).backgroundColor;
  return [...document.querySelectorAll(stops)].filter((stop) => {
    stop.focus();
    if (document.activeElement !== stop || !stop.getClientRects().length) return false;
    const { outlineStyle, outlineColor, outlineOffset } = getComputedStyle(stop);
    let below = parseFloat(outlineOffset) < 0 ? stop : stop.parentElement;
    while (below.parentElement && colour(below) === "rgba(0, 0, 0, 0)") below = below.parentElement;
    return outlineStyle === "none" || outlineColor === colour(below);
  }).map((stop) => stop.outerHTML.slice(0, 200));
}"""
UNNAMED = """() => [...document.querySelectorAll("table")].filter((table) => {
  const title = document.getElementById(table.getAttribute("aria-labelledby"));
  return !table.ariaLabel && !title?.textContent;
}).map((table) => table.outerHTML.slice(0, 200))"""


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    """An app in which everything is there that a page can show."""
    slot = make_slot("demo")
    job = make_job(slot, "nightly")
    Schedule.objects.create(job=job, expression="0 30 2 * * *")
    run = make_run(job, RunStatus.FAILED, reason="It ended with exit code 3.", exit_code=3)
    write(run, b"one\ntwo\n")
    make_run(make_job(slot, "busy"), RunStatus.RUNNING, started_at=timezone.now())
    listener = make_job(slot, "listener", JobType.CONTINUOUS)
    Copy.objects.create(
        job=listener,
        instance=make_instance(),
        epoch=1,
        status=CopyStatus.PENDING_RESTART,
        changed_at=timezone.now(),
        crash_looping_since=timezone.now(),
        last_error="No module named smtp",
    )
    make_setting(slot, "GREETING", "hello", is_slot_setting=True)
    make_setting(slot, "API_KEY", "secret", is_secret=True)
    return slot


def assert_accessible(page: Page) -> None:
    """By every rule in the light; of what the dark changes, the colours, once more in the dark."""
    page.emulate_media(color_scheme="light")
    _wait_for_colours(page)
    found = _serious(Axe().run(page, options=VIOLATIONS).response)
    page.emulate_media(color_scheme="dark")
    _wait_for_colours(page)
    found += _serious(page.evaluate("options => axe.run(options)", VIOLATIONS | CONTRAST))
    assert not found, f"{page.url}\n" + "\n".join(found)


def assert_in_sight(page: Page) -> None:
    """Nothing is cut off or beside the window, also with wide text."""
    for spacing in ("", SPACING):
        assert not page.evaluate(OUT_OF_SIGHT, spacing), page.url


def assert_names_and_focus(page: Page) -> None:
    """The focus is seen wherever it can be, also in forced colours; every table has a name."""
    # What is focused by a script shows it after a key only.
    page.keyboard.press("Tab")
    for forced in ("active", "none"):
        page.emulate_media(forced_colors=forced)
        assert not page.evaluate(UNSEEN), f"{page.url} with forced colours: {forced}"
    assert not page.evaluate(UNNAMED), page.url


def _wait_for_colours(page: Page) -> None:
    """Half faded in, colours have less contrast than when they are there."""
    page.wait_for_function(
        "() => document.getAnimations().every(a => a.effect.getTiming().iterations === Infinity)"
    )


def _serious(response: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("width", [1440, NARROW])
def test_nothing_serious_is_found_on_any_page(
    page: Page, live_server: LiveServer, slot: Slot, operator: User, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/sign-in")
    assert_accessible(page)
    sign_in(page, live_server.url, operator)
    job = slot.webjobs.get(name="nightly")
    number = job.runs.get().number
    for path in [
        "/apps/",
        "/apps/add",
        "/apps/demo/webjobs/",
        "/apps/demo/webjobs/add",
        "/apps/demo/webjobs/triggered/nightly/properties",
        "/apps/demo/webjobs/triggered/nightly/run",
        "/apps/demo/webjobs/triggered/nightly/delete",
        "/apps/demo/webjobs/triggered/nightly/edit",
        "/apps/demo/webjobs/triggered/nightly/call",
        "/apps/demo/webjobs/triggered/nightly/versions/",
        "/apps/demo/history/",
        "/apps/demo/history/triggered/nightly/",
        f"/apps/demo/history/triggered/nightly/runs/{number}/",
        "/apps/demo/history/triggered/nightly/scheduler/",
        "/apps/demo/history/continuous/listener/",
        "/apps/demo/settings/",
        "/apps/demo/settings/GREETING/edit",
        "/apps/demo/settings/advanced",
        "/apps/demo/configuration/",
        "/apps/demo/deployment-slots/",
        "/apps/demo/deployment-slots/add",
        "/apps/demo/deployment-slots/swap",
        "/apps/demo/deployment/",
        "/instances/",
        f"/instances/{Copy.objects.get().instance.key}/",
        "/tokens/",
        "/help/",
        "/apps/none/webjobs/",
    ]:
        page.goto(live_server.url + path)
        expect(page.locator("h1")).to_have_count(1)
        assert_accessible(page)
        (assert_in_sight if width == NARROW else assert_names_and_focus)(page)


def test_nothing_serious_is_found_in_panels_menus_and_questions(
    page: Page, live_server: LiveServer, slot: Slot, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    row(page, "nightly").click()
    assert_accessible(page)
    row(page, "nightly").click(button="right")
    assert_accessible(page)
    page.keyboard.press("Escape")
    command(page, "delete").click()
    assert_accessible(page)
    page.get_by_role("button", name="No", exact=True).click()
    command(page, "properties").click()
    expect(page.get_by_role("dialog", name="nightly")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    command(page, "add").click()
    panel = page.get_by_role("dialog", name="Add WebJob")
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    panel.get_by_label("CRON Expression", exact=True).fill("* 5 * * * *")
    expect(panel.locator(".preview .warnings").first).to_be_visible()
    panel.get_by_role("button", name="OK").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Notifications").click()
    assert_accessible(page)


def test_nothing_serious_is_found_in_the_search_in_selections_and_in_what_is_not_applied(
    page: Page, live_server: LiveServer, slot: Slot, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Select all").check()
    assert_accessible(page)
    command(page, "delete").click()
    assert_accessible(page)
    page.goto(f"{live_server.url}/apps/demo/settings/")
    page.get_by_role("link", name="Delete GREETING").click()
    assert_accessible(page)
    page.get_by_role("link", name="Advanced edit").click()
    expect(page.get_by_label("Application settings as JSON")).to_be_visible()
    assert_accessible(page)
