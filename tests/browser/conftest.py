"""A real Chromium, started once per test process; every test finds its profile empty."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psutil
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Error, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import sign_in
from tests.support.chromium import Chromium
from tests.support.needs import require


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    require("chromium")
    before = psutil.Process().children()
    playwright = sync_playwright().start()
    (driver,) = [child for child in psutil.Process().children() if child not in before]
    chromium = Chromium(playwright, driver)
    yield chromium
    # The driver would wait for half a minute before it does the same.
    chromium.kill()
    playwright.stop()


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    """The profile without what an earlier test left in it: pages, cookies, storage, permissions."""
    profile = chromium.profile
    yield profile
    with chromium.closing(), contextlib.suppress(Error):  # An error: it was killed.
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
