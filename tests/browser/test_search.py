"""Searching output, and links to lines, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Position, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_output import address, finished, person, slot  # noqa: F401
from tests.web.objects import make_job
from webjobs.logs import LogWriter, log_of_schedule
from webjobs.models import Schedule, Slot
from webjobs.states import Stream

pytestmark = pytest.mark.django_db(transaction=True)

HIGHLIGHTED = "() => [...CSS.highlights.get('log-match-shown') ?? []].map(String)"


def text() -> bytes:
    """12,000 lines; every thousandth is marked."""
    return b"".join(
        b"line %d%s\n" % (number, b" <b>Mark</b>" if number % 1000 == 0 else b"")
        for number in range(1, 12_001)
    )


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox", name="Search the output").fill(words)


def expect_shown(page: Page, line: int, highlighted: str) -> None:
    expect(page.locator(f'.line[data-n="{line}"]')).to_be_in_viewport()
    page.wait_for_function(f"() => ({HIGHLIGHTED})().join() === {highlighted!r}")


def test_matches_are_counted_shown_and_gone_through(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    person.goto(address(live_server, finished(slot, text())))
    search(person, "mark")
    count = person.locator(".search-count")
    expect(count).to_have_text("12 of 12")
    expect_shown(person, 12_000, "Mark")
    box = person.get_by_role("searchbox", name="Search the output")
    box.press("Enter")
    expect(count).to_have_text("1 of 12")
    expect_shown(person, 1000, "Mark")
    person.keyboard.press("F3")
    expect(count).to_have_text("2 of 12")
    expect_shown(person, 2000, "Mark")
    box.press("Shift+Enter")
    expect(count).to_have_text("1 of 12")
    person.keyboard.press("Shift+F3")
    expect(count).to_have_text("12 of 12")
    expect_shown(person, 12_000, "Mark")
    person.get_by_role("button", name="Previous match").click()
    expect(count).to_have_text("11 of 12")
    expect_shown(person, 11_000, "Mark")
    # With the colours of the system, where all matches have the same.
    person.emulate_media(forced_colors="active")
    line = person.locator('.line[data-n="11000"]')
    expect(line).to_have_css("outline-style", "solid")
    marked = line.screenshot()
    person.evaluate("CSS.highlights.clear()")
    assert line.screenshot() != marked


def test_case_and_expressions_are_choices(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    person.goto(address(live_server, finished(slot, text())))
    search(person, "mark")
    count = person.locator(".search-count")
    expect(count).to_have_text("12 of 12")
    person.get_by_label("Match case").check()
    expect(count).to_have_text("No matches")
    person.get_by_label("Regular expression").check()
    search(person, "^line 1?5000 <b>")
    expect(count).to_have_text("1 of 1")
    expect_shown(person, 5000, "line 5000 <b>")
    search(person, "(")
    expect(person.locator(".search-error")).to_contain_text("missing )")


def test_a_link_to_lines_selects_them(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    person.goto(address(live_server, finished(slot, text())) + "#L120-L122")
    chosen = person.locator(".line.chosen")
    expect(chosen).to_have_text(["line 120", "line 121", "line 122"])
    expect(chosen.first).to_be_in_viewport()
    place: Position = {"x": 20, "y": 5}
    person.locator('.line[data-n="125"]').click(position=place)
    expect(chosen).to_have_text(["line 125"])
    person.locator('.line[data-n="124"]').click(position=place, modifiers=["Shift"])
    expect(chosen).to_have_text(["line 124", "line 125"])
    assert person.url.endswith("#L124-L125")


def test_the_address_keeps_the_search_over_a_reload(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    person.goto(address(live_server, finished(slot, text())))
    person.get_by_label("Match case").check()
    search(person, "Mark")
    count = person.locator(".search-count")
    expect(count).to_have_text("12 of 12")
    expect(person).to_have_url(re.compile(r"\?find=Mark&case=1$"))
    person.reload()
    expect(person.get_by_role("searchbox", name="Search the output")).to_have_value("Mark")
    expect(person.get_by_label("Match case")).to_be_checked()
    expect(count).to_have_text("12 of 12")
    search(person, "")
    expect(person).to_have_url(re.compile(r"/\d+/$"))


def test_the_scheduler_log_is_read_and_searched_as_any_other(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    schedule = Schedule.objects.create(job=make_job(slot, "nightly"), expression="0 0 * * * *")
    writer = LogWriter(log_of_schedule(schedule), limit=10**6)
    for number in range(1, 301):
        writer.system(Stream.SYSTEM, f"Next schedule expected {number}")
    writer.flush()
    base = f"{live_server.url}/apps/demo/history/triggered/nightly/scheduler/"
    person.goto(f"{base}?find=expected+7%24&regex=1")
    expect(person.locator(".search-count")).to_have_text("1 of 1")
    expect_shown(person, 7, "expected 7")
