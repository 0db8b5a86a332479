"""A real Chromium, started once per test process; every test finds its profile empty."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator

import psutil
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import sign_in
from tests.support.needs import require

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # Pages come and go by the hundred, and a process for each takes longer than what it shows.
    "--renderer-process-limit=1",
]
# The driver gives a browser 30 seconds before it kills it.
SECONDS_TO_CLOSE = 60


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    require("chromium")
    # Chromium's own sandbox refuses to work as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*ARGUMENTS, *sandbox]
        )


@contextlib.contextmanager
def _playwright() -> Iterator[Playwright]:
    """Playwright, whose end is the end of its browsers, also of one that hangs.

    Closing a browser or a profile waits for its answer without end, after all tests and with no
    test left to fail. So nobody closes them: the driver does, and is killed if it cannot.
    """
    before = psutil.Process().children()
    playwright = sync_playwright().start()
    drivers = [child for child in psutil.Process().children() if child not in before]
    yield playwright
    kill = threading.Timer(SECONDS_TO_CLOSE, _kill, [drivers])
    kill.start()
    playwright.stop()
    kill.cancel()


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            for each in (*process.children(recursive=True), process):
                each.kill()


@pytest.fixture(scope="session")
def profile(chromium: Browser) -> BrowserContext:
    """One profile for all tests of a process: a new one costs Chromium a second."""
    profile = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    profile.set_default_timeout(10_000)
    return profile


@pytest.fixture
def context(profile: BrowserContext) -> Iterator[BrowserContext]:
    """The profile without what an earlier test left in it: pages, cookies, storage, permissions."""
    yield profile
    for page in profile.pages:
        with contextlib.suppress(Error):  # A page that never went anywhere has no storage.
            page.evaluate("localStorage.clear()")
        page.close()
    profile.clear_cookies()
    profile.clear_permissions()


@pytest.fixture
def french(page: Page, live_server: LiveServer, operator: User) -> Page:
    """A page in French, signed in as the operator."""
    sign_in(page, live_server.url, operator, language="fr")
    return page


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose errors fail the test: a script that dies silently is a broken page."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert not errors, f"The page's scripts failed: {errors}"
