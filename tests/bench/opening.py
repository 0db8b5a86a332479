"""A log of 100 MB in a real Chromium, while its run goes on: opened and scrolled through."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.bench.site import Bench, Client, Site, wait_for
from tests.bench.table import Figure, NotMeasured, Row, milliseconds, spread, times
from webjobs import dispatch, logs
from webjobs.models import Log, Run, WebJob
from webjobs.states import JobType
from webjobs.views.viewer import PAST_THE_END

OPENED = 9
# Prints so many lines of 100 bytes, and runs on.
SCRIPT = "seq -f '%099.0f' {count}\nsleep 600\n"
# Milliseconds from the navigation to the frame after the one with the line in sight.
IN_SIGHT = """
([selector]) => new Promise((resolve) => {
  const look = () => {
    const box = document.querySelector(".log-box")?.getBoundingClientRect();
    const line = document.querySelector(selector)?.getBoundingClientRect();
    const shown = box && line && line.top >= box.top - 1 && line.bottom <= box.bottom + 40;
    requestAnimationFrame(shown ? () => resolve(performance.now()) : look);
  };
  look();
})"""
# Milliseconds between the frames of a reader who goes up through the log.
FRAMES = """
(count) => new Promise((resolve) => {
  const box = document.querySelector(".log-box");
  const gaps = [];
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    box.scrollTop -= 300;
    if (gaps.length < count) requestAnimationFrame(step);
    else resolve(gaps);
  };
  requestAnimationFrame(step);
})"""
FRAMES_SEEN = 300


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        raise NotMeasured("chromium is not installed: apt-get install chromium")
    # Chromium's own sandbox refuses to work as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--disable-gpu", "--disable-background-networking", *sandbox],
        )
        try:
            yield browser
        finally:
            browser.close()


def _running(site: Site, client: Client, name: str, count: int) -> tuple[WebJob, Run]:
    """A run that has printed `count` lines and goes on."""
    job = site.upload(JobType.TRIGGERED, name, SCRIPT.format(count=count))
    run = site.run(client, job)

    def printed() -> bool:
        log = Log.objects.filter(run=run).first()
        return log is not None and logs.read_before(log, PAST_THE_END, 1, 1).line_count >= count

    wait_for(printed, 60, lambda: f"not all of {count} lines were recorded")
    return job, run


def _opened(context: BrowserContext, url: str, selector: str, times: int) -> list[float]:
    """Seconds until the line is in sight, for who comes from the page of the WebJob.

    The first visit, which fetches scripts, is left out.
    """
    page, taken = context.new_page(), []
    for _ in range(times + 1):
        page.goto(url.partition("runs/")[0], wait_until="load")
        page.goto(url, wait_until="commit")
        taken.append(page.evaluate(IN_SIGHT, [selector]) / 1000)
    page.close()
    return taken[1:]


def _scrolled(context: BrowserContext, url: str) -> list[float]:
    page = context.new_page()
    page.goto(url, wait_until="load")
    gaps: list[float] = page.evaluate(FRAMES, FRAMES_SEEN)
    page.close()
    return [gap / 1000 for gap in gaps[1:]]


def opening(bench: Bench) -> Iterator[Figure]:
    site, client, count = bench.site("opening"), bench.signed_in(), bench.count(1_000_000)
    runs = {
        name: _running(site, site.client(), name, lines)
        for name, lines in (("long", count), ("short", 10))
    }
    cookies = [pair.split("=", 1) for pair in client.headers["Cookie"].split("; ")]
    base = f"http://127.0.0.1:{bench.portal.port}"
    with _chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [{"name": name, "value": value, "url": base} for name, value in cookies]
        )
        urls = {
            name: f"{base}/apps/{site.name}/history/triggered/{job.name}/runs/{run.number}/"
            for name, (job, run) in runs.items()
        }
        last, one = '.line[data-n="{}"]', '.line[data-n="1"]'
        small = statistics.median(_opened(context, urls["short"], last.format(10), OPENED))
        for words, query, line in (
            ("its end", "", last.format(count)),
            ("line 1", "?line=1#L1", one),
        ):
            taken = _opened(context, urls["long"] + query, line, OPENED)
            yield Figure(
                f"running log of {count // 10_000} MB opened at {words} (median of {OPENED})",
                spread(taken), f"a log of 10 lines {milliseconds(small)}",
                times(statistics.median(taken), small), "<= 300 ms",
            )  # fmt: skip
        gaps = _scrolled(context, urls["long"])
        yield Figure(
            f"the same scrolled through, {FRAMES_SEEN} frames",
            spread(gaps),
            "a frame of the screen 17 ms",
            times(statistics.median(gaps), 1 / 60),
        )
    for _, run in runs.values():
        dispatch.stop_run(run, dispatch.PORTAL)


ROWS = (Row("running log of 100 MB opened in a browser", 60, opening),)
