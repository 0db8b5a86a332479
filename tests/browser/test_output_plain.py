"""Output without JavaScript: its end, and links to the rest of it."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_output import address, numbered
from tests.browser.test_plain import plain, pytestmark  # noqa: F401
from tests.web.objects import make_job, make_run
from tests.web.test_runs import write
from webjobs.models import Slot


def test_links_lead_through_the_output(
    plain: Page,  # noqa: F811
    live_server: LiveServer,
) -> None:
    run = make_run(make_job(Slot.objects.get(), "nightly"))
    write(run, b"".join(b"\x1b[31mline %d\n" % number for number in range(1, 1001)))
    plain.goto(address(live_server, run))
    expect(numbered(plain, 1000)).to_have_text("line 1000")
    expect(numbered(plain, 601).locator("span")).to_have_class("f1")
    plain.get_by_role("link", name="show earlier").click()
    expect(numbered(plain, 600)).to_be_attached()
    plain.get_by_role("link", name="show earlier").click()
    expect(numbered(plain, 1)).to_be_attached()
    expect(plain.get_by_role("link", name="show earlier")).to_be_hidden()
    plain.get_by_role("link", name="show later").click()
    expect(numbered(plain, 201)).to_be_attached()
    plain.get_by_role("link", name="Errors").click()
    expect(plain.locator(".log-lines .line")).to_have_count(0)
    expect(plain.get_by_role("searchbox", name="Search the output")).to_be_hidden()
