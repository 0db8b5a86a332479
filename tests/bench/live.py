"""From the line that a job prints to the line in open pages."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator

from django.conf import settings

from tests.bench.site import Bench, wait_final
from tests.bench.table import Figure, NotMeasured, Row, spread
from webjobs.states import JobType

PRINTS = """
import time
for _ in range({count}):
    print(time.time(), flush=True)
    time.sleep(0.25)
"""
# From the request to the first line, when the machine has much else to do.
START_SECONDS = 15


def page_interval() -> float:
    """Seconds between two questions of an open page while output arrives."""
    script = (settings.BASE_DIR / "static" / "js" / "log-follow.js").read_text()
    found = re.search(r"^const FAST_MS = (\d+);", script, re.MULTILINE)
    assert found, "log-follow.js names its interval differently"
    return int(found[1]) / 1000


class _OpenPage:
    """What log-follow.js does, without a browser."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._port, self._path, self._cookie = port, path, cookie
        self.lags: list[float] = []
        self._end = 0
        self._is_over = False

    async def follow(self, until: float, delay: float) -> None:
        """Ask again and again; pages are not opened at the same moment, hence `delay`."""
        await asyncio.sleep(delay)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while not self._is_over and time.time() < until:
                self._note(await self._ask(reader, writer), time.time())
                await asyncio.sleep(page_interval())
        finally:
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        head = f"GET {self._path}?after={self._end} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        writer.write(f"{head}Cookie: {self._cookie}\r\nAccept: application/json\r\n\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        assert answer.startswith("http/1.1 200"), answer
        length = re.search(r"content-length: (\d+)", answer)
        assert length, answer
        return await reader.readexactly(int(length[1]))

    def _note(self, body: bytes, seen: float) -> None:
        data = json.loads(body)
        self._end = data["end"]
        self._is_over = data["complete"] and data["end"] >= data["size"]
        printed = [text for _, stream, _, text, _ in data["lines"] if stream == 0]
        self.lags += [seen - float(text) for text in printed if text]


async def _follow(pages: list[_OpenPage], until: float) -> None:
    step = page_interval() / len(pages)
    await asyncio.gather(*(page.follow(until, number * step) for number, page in enumerate(pages)))


def open_pages(bench: Bench) -> Iterator[Figure]:
    site, client = bench.site("live"), bench.signed_in()
    seconds = bench.seconds(12)
    printed = int(seconds / 0.25)
    script = PRINTS.format(count=printed)
    job = site.upload(JobType.TRIGGERED, "ticking", script, "run.py")
    for count in (1, bench.count(100)):
        run = site.run(site.client(), job)
        path = f"/apps/{site.name}/history/triggered/{job.name}/runs/{run.number}/log"
        cookie = client.headers["Cookie"]
        pages = [_OpenPage(bench.portal.port, path, cookie) for _ in range(count)]
        asyncio.run(_follow(pages, time.time() + seconds + START_SECONDS))
        wait_final([run])
        lags = [lag for page in pages for lag in page.lags]
        if len(lags) != count * printed:
            raise NotMeasured(f"{count} pages saw {len(lags)} of {count * printed} lines")
        plural = "s" if count > 1 else ""
        yield Figure(
            f"line printed to line in {count} open page{plural}",
            spread(lags),
            f"they ask every {page_interval() * 1000:.0f} ms",
            aim="median <= 500 ms",
        )


ROWS = (Row("line printed to line in open pages", 60, open_pages),)
