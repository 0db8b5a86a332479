"""How much travels to a browser that has never been here; of a real portal, as people run it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import (
    BrowserContext,
    Page,
    Response,
    expect,
)

from tests.browser.pages import sign_in_by_form
from tests.support.chromium import Chromium
from tests.support.portal import Portal

# One worker of a parallel run prepares what they share.
pytestmark = pytest.mark.xdist_group("transfer")

MOST_BYTES = 150_000
# Between "nothing moved" and what a reader notices; a tenth is called good.
MOST_SHIFT = 0.02
# Beyond the load: what scripts add then must not move anything either.
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) sum += shift.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(sum), 200));
})"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(tmp_path_factory.mktemp("portal"), ADMIN_PASSWORD="correct-horse-9")
    try:
        portal.wait_until_ready()
        yield portal
    finally:
        portal.close()


@pytest.fixture(scope="module")
def run(chromium: Chromium, portal: Portal) -> Iterator[tuple[str, SetCookieParam]]:
    """The address of a run that has ended, and the session of who asked for it."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    sign_in_by_form(page, portal.url, "admin")
    page.goto(f"{portal.url}/apps/demo/webjobs/triggered/report/run")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".run-status")).to_have_text("Success", timeout=60_000)
    found = next(each for each in context.cookies() if each["name"] == "sessionid")
    yield page.url, {"name": "sessionid", "value": found["value"], "url": portal.url}
    with chromium.closing():
        context.close()


@pytest.fixture
def visitor(chromium: Chromium, run: tuple[str, SetCookieParam]) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([run[1]])
    yield context
    with chromium.closing():
        context.close()


def _transferred(page: Page, url: str) -> tuple[int, list[Response]]:
    """Bytes on the wire, headers included, until nothing more is asked for."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[int] = []
    answers: list[Response] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.on("response", lambda answer: answers.append(answer))
    page.goto(url, wait_until="load")
    return sum(sizes), answers


@pytest.mark.parametrize("path", ["webjobs/", "settings/", "history/", "run", "instances"])
def test_a_first_visit_is_small_and_nothing_moves(
    visitor: BrowserContext, portal: Portal, run: tuple[str, SetCookieParam], path: str
) -> None:
    page = visitor.new_page()
    others = {"run": run[0], "instances": f"{portal.url}/instances/"}
    url = others.get(path, f"{portal.url}/apps/demo/{path}")
    size, answers = _transferred(page, url)
    assert 5_000 < size <= MOST_BYTES, f"{size} bytes for {len(answers)} answers"
    assert page.evaluate(SHIFTS) <= MOST_SHIFT
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload(wait_until="load")
    assert page.evaluate(SHIFTS) <= MOST_SHIFT


def test_texts_are_compressed_and_static_files_are_kept(
    visitor: BrowserContext, portal: Portal
) -> None:
    page = visitor.new_page()
    _, answers = _transferred(page, f"{portal.url}/apps/demo/webjobs/")
    assert answers[0].headers["content-encoding"] == "gzip"
    static = [answer for answer in answers if "/static/" in answer.url]
    assert len(static) > 10
    for answer in static:
        assert "immutable" in answer.headers["cache-control"], answer.url
        if int(answer.headers["content-length"]) > 1000:
            assert answer.headers.get("content-encoding") == "gzip", answer.url


def test_a_second_visit_gets_little_more_than_the_page(
    visitor: BrowserContext, portal: Portal
) -> None:
    page = visitor.new_page()
    page.goto(f"{portal.url}/apps/demo/webjobs/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    size, _ = _transferred(page, f"{portal.url}/apps/demo/webjobs/")
    assert size < 10_000


def test_what_streams_is_not_compressed_on_its_way(
    visitor: BrowserContext, run: tuple[str, SetCookieParam]
) -> None:
    for name in ("log.txt", "log.txt?gz=1"):
        answer = visitor.request.get(run[0] + name)
        assert answer.ok
        assert "content-encoding" not in answer.headers
