"""A real Chromium that can be told to end, also when it hangs."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Playwright, ViewportSize

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
# What takes a second on a busy machine.
SECONDS_TO_CLOSE = 20


class Chromium:
    """The browser of a test process; a new one is there after it had to be killed.

    Closing a page, a profile or a browser waits for Chromium's answer without end, and sometimes
    there is none: the process would stand still, and the time limit of the test, which has no
    second shot, with it.
    """

    def __init__(self, playwright: Playwright, driver: psutil.Process) -> None:
        self._playwright = playwright
        self._driver = driver
        self._browser: Browser | None = None
        self._profile: BrowserContext | None = None

    def new_context(self, **options: Any) -> BrowserContext:
        return self._living().new_context(**options)

    @property
    def profile(self) -> BrowserContext:
        """One for all tests: a new one costs Chromium a second."""
        self._living()
        if self._profile is None:
            viewport: ViewportSize = {"width": 1280, "height": 800}
            self._profile = self.new_context(viewport=viewport, locale="en-GB")
            self._profile.set_default_timeout(10_000)
        return self._profile

    def _living(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            # Chromium's own sandbox refuses to work as root.
            sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
            self._profile = None
            self._browser = self._playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=[*ARGUMENTS, *sandbox]
            )
        return self._browser

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Within the block something is closed, by force if need be."""
        kill = threading.Timer(SECONDS_TO_CLOSE, self.kill)
        kill.start()
        try:
            yield
        finally:
            kill.cancel()
            if self._browser and not self._browser.is_connected():
                warnings.warn("Chromium did not close a page and was killed.", stacklevel=1)

    def kill(self) -> None:
        """It and all that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self._driver.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
