"""Takes the pictures of all pages, and writes the page that shows them."""

from __future__ import annotations

import html
import logging
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.screenshots import sample
from tests.screenshots.shots import Shot, shots

if TYPE_CHECKING:
    from typing import Literal

TARGET = Path(__file__).parents[2] / "screenshots"


@dataclass(frozen=True)
class Variant:
    """How a page is looked at."""

    width: int
    scheme: Literal["light", "dark"]
    language: str = "en-GB"

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}{'-fr' if self.language == 'fr-FR' else ''}"


VARIANTS = [
    Variant(1440, "light"),
    Variant(1440, "dark"),
    Variant(390, "light"),
    Variant(390, "dark"),
]
FRENCH = [Variant(1440, "light", "fr-FR"), Variant(390, "light", "fr-FR")]
# Of the main pages only.
SOME = [Variant(2560, "light"), *FRENCH]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def _serve() -> str:
    """Serve the portal from a thread; returns its address."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _sign_in(page: Page, base: str, user: str) -> None:
    page.goto(f"{base}/sign-in")
    page.fill("#id_username", user)
    page.fill("#id_password", sample.PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"{base}/apps/")


def _take(page: Page, base: str, shot: Shot, variant: Variant) -> str:
    """The picture's file name; empty, and told on the terminal, when it could not be taken."""
    sample.keep_alive()
    page.evaluate("sessionStorage.clear()")
    try:
        page.goto(base + shot.path)
        page.wait_for_load_state("load")
        if shot.do:
            shot.do(page)
        page.wait_for_function(
            "() => document.getAnimations().every("
            "a => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)"
        )
        name = f"{shot.name}-{variant.name}.png"
        page.screenshot(path=TARGET / name)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if wide:
            sys.stdout.write(f"{name}: wider than the window\n")
        return name
    except Error as error:
        sys.stdout.write(f"{shot.name}-{variant.name}: {str(error).splitlines()[0]}\n")
        return ""


def _tell_of_script(error: Error) -> None:
    sys.stdout.write(f"A script failed: {error}\n")


def _open(browser: Browser, variant: Variant) -> Page:
    context = browser.new_context(
        viewport={"width": variant.width, "height": 900 if variant.width > 800 else 844},
        color_scheme=variant.scheme,
        locale=variant.language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("pageerror", _tell_of_script)
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def _be(page: Page, base: str, user: str, now: str) -> None:
    """Sign in as `user`, unless that is who is signed in `now` and still is."""
    page.goto(f"{base}/sign-in")
    if user == now and (not user or "/sign-in" not in page.url):
        return
    page.context.clear_cookies()
    if user:
        _sign_in(page, base, user)


def _all(browser: Browser, base: str, wanted: list[Shot]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {shot.name: [] for shot in wanted}
    for variant in [*VARIANTS, *SOME]:
        page, user = _open(browser, variant), ""
        for shot in wanted:
            if variant in SOME and not shot.is_main:
                continue
            _be(page, base, shot.user, user)
            user = shot.user
            name = _take(page, base, shot, variant)
            found[shot.name] += [name] if name else []
        page.context.close()
    return found


def _write_index(found: dict[str, list[str]]) -> None:
    parts = ["<!doctype html><meta charset=utf-8><title>Screenshots</title>"]
    parts.append("<style>img{height:320px;border:1px solid #999;margin:4px}</style>")
    for title, names in found.items():
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts += [
            f'<a href="{name}"><img loading=lazy src="{name}" alt="{name}"></a>' for name in names
        ]
    (TARGET / "index.html").write_text("\n".join(parts), encoding="utf-8")


def take_all() -> None:
    """Into TARGET; what could not be taken is told on the terminal."""
    start = time.monotonic()
    TARGET.mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    sample.build()
    only = {name for name in os.environ.get("ONLY", "").split(",") if name}
    wanted = [shot for shot in shots() if not only or shot.name in only]
    settings.ROOT_URLCONF = "tests.screenshots.urls"
    # Of the pages that go wrong on purpose.
    logging.getLogger("django.request").disabled = True
    base = _serve()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--disable-gpu", *sandbox]
        )
        found = _all(browser, base, wanted)
        browser.close()
    _write_index(found)
    count = sum(map(len, found.values()))
    took = time.monotonic() - start
    sys.stdout.write(f"{count} pictures in {took:.0f} s: {TARGET / 'index.html'}\n")
