"""Groups of lines that are folded, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_output import address, finished, numbered, person, slot  # noqa: F401
from tests.browser.test_search import search
from tests.support.engine import add_job
from tests.web.objects import make_run
from tests.web.test_runs import write
from webjobs.models import Slot
from webjobs.states import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_group_is_folded_by_its_button_also_from_the_keyboard(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    text = b"before\n::group::Outer\na\n::group::Inner\nb\n::endgroup::\nc\n::endgroup::\nafter\n"
    person.goto(address(live_server, finished(slot, text)))
    outer = person.get_by_role("button", name="Outer")
    expect(numbered(person, 2)).to_have_text("Outer")
    expect(outer).to_have_attribute("aria-expanded", "true")
    outer.press("Enter")
    expect(outer).to_have_attribute("aria-expanded", "false")
    expect(numbered(person, 3)).to_be_hidden()
    expect(numbered(person, 7)).to_be_hidden()
    expect(numbered(person, 9)).to_be_visible()
    expect(person).to_have_url(re.compile(r"\?groups=2$"))
    person.reload()
    expect(outer).to_have_attribute("aria-expanded", "false")
    outer.press("Space")
    expect(numbered(person, 7)).to_be_visible()
    expect(person).not_to_have_url(re.compile("groups"))
    person.get_by_role("button", name="Inner").click()
    expect(numbered(person, 5)).to_be_hidden()
    expect(numbered(person, 7)).to_be_visible()


def test_links_and_searches_open_what_is_folded(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    text = (
        b"one\nsection_start:1:a[collapsed=true]\r\x1b[0KFirst\nneedle\nsection_end:2:a\r\x1b[0K\n"
        b"section_start:3:b[collapsed=true]\r\x1b[0KSecond\nhay\nsection_end:4:b\r\x1b[0K\nend\n"
    )
    person.goto(address(live_server, finished(slot, text)))
    expect(person.get_by_role("button", name="First")).to_have_attribute("aria-expanded", "false")
    expect(numbered(person, 3)).to_be_hidden()
    expect(numbered(person, 6)).to_be_hidden()
    search(person, "needle")
    expect(numbered(person, 3)).to_be_in_viewport()
    expect(numbered(person, 6)).to_be_hidden()
    person.evaluate("() => { location.hash = '#L6'; }")
    expect(numbered(person, 6)).to_be_in_viewport()


def test_a_group_that_is_far_longer_than_the_page_is_folded_and_opened(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    inside = b"".join(b"line %d\n" % number for number in range(2, 20_001))
    text = b"##[group]Long\n" + inside + b"##[endgroup]\nbehind\n"
    person.goto(address(live_server, finished(slot, text)) + "#L1")
    button = person.get_by_role("button", name="Long")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(numbered(person, 20_002)).to_be_in_viewport()
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(numbered(person, 2)).to_be_in_viewport()
    button.click()
    expect(numbered(person, 20_002)).to_be_in_viewport()
    person.evaluate("() => { location.hash = '#L9000'; }")
    expect(numbered(person, 9000)).to_be_in_viewport()


def test_a_group_that_has_not_ended_stays_open(
    person: Page,  # noqa: F811
    live_server: LiveServer,
    slot: Slot,  # noqa: F811
) -> None:
    run = make_run(add_job(slot, "exit 0"), RunStatus.RUNNING)
    write(run, b"section_start:1:a[collapsed=true]\r\x1b[0KStep\nworking\n", complete=False)
    person.goto(address(live_server, run))
    button = person.get_by_role("button", name="Step")
    button.click()
    expect(numbered(person, 1)).to_have_attribute("title", "This group has not ended yet.")
    expect(numbered(person, 2)).to_be_visible()
    run.log.refresh_from_db()
    write(run, b"section_end:2:a\r\x1b[0K\nafter\n", complete=False)
    expect(numbered(person, 4)).to_be_visible()
    button.click()
    expect(numbered(person, 2)).to_be_hidden()
