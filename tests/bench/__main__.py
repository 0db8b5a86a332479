"""`make bench`: start a portal as a person would, measure it, print one table.

ROWS=runs,log selects, QUICK=1 takes a tenth of everything, FULL=1 a million runs in the history.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.table import Figure, NotMeasured, Row, lines

if TYPE_CHECKING:
    from types import FrameType

    from tests.bench.site import Bench

# In the order in which they are measured: what needs a portal that has done nothing comes first.
NAMES = ("memory", "runs", "log", "live", "opening", "stop", "continuous", "schedules", "pages")
MODULES = {"stop": "stopping"}
# What would make it another portal than the default one.
LEFT_OUT = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HOST", "DEBUG", "ADMIN_USERNAME")
# Of all rows together, so that nobody waits for ever; with FULL=1 it takes what it takes.
TOTAL_SECONDS = 330
FULL_FACTOR = 6
LEAST_SECONDS = 5


class OutOfTime(NotMeasured):
    """The row took longer than it may."""


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def give_up(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"it took longer than {seconds:.0f} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def measure(row: Row, bench: Bench, left: float) -> Iterator[Figure]:
    """The figures of a row; when it fails, those it has so far and the reason.

    `left`: seconds that are left for all rows.
    """
    try:
        if left < LEAST_SECONDS:
            raise NotMeasured("the rows before it took all the time; choose it with ROWS")
        with _limit(min(left, row.seconds * (FULL_FACTOR if bench.full else 1))):
            yield from row.measure(bench)
    except Exception as error:  # noqa: BLE001
        text = str(error) if isinstance(error, (NotMeasured, AssertionError)) else repr(error)
        yield Figure(row.what, f"not measured: {' '.join(text.split())[:120]}")


def selected(text: str) -> list[str]:
    """The names in ROWS; all of them when it is empty."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in NAMES]:
        sys.exit(f"ROWS: there is no {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
    return [name for name in NAMES if name in names] if names else list(NAMES)


@contextmanager
def portal(folder: Path) -> Iterator[Bench]:
    """`manage.py up` with its defaults, on a free port and a directory of its own."""
    password = secrets.token_urlsafe(12)
    for name in LEFT_OUT:
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder / "data"),
        "ADMIN_PASSWORD": password,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    import django

    django.setup()
    from tests.bench.site import Bench
    from tests.support.portal import Portal

    quick, full = bool(os.environ.get("QUICK")), bool(os.environ.get("FULL"))
    bench = Bench(Portal(folder / "data"), folder, password, quick=quick, full=full)
    try:
        bench.portal.wait_until_ready()
        bench.silence_demo()
        yield bench
    finally:
        bench.close()


def header(names: Sequence[str]) -> Iterator[str]:
    """Where and with what this was measured, and how to do it again."""
    python = f"Python {platform.python_version()}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {python}"
    yield f"load of the machine before: {load}; `manage.py up` with its defaults on loopback"
    switches = [name for name in ("QUICK", "FULL") if os.environ.get(name)]
    again = "".join(f" {name}=1" for name in switches)
    yield f"again: make bench{again}" + (
        "" if len(names) == len(NAMES) else f" ROWS={','.join(names)}"
    )


def main() -> None:
    """Measure the rows that ROWS names and print the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = selected(os.environ.get("ROWS", ""))
    figures: list[Figure] = []
    head, begun = list(header(names)), time.monotonic()
    # Short: the broker's socket lies in it.
    folder = Path(tempfile.mkdtemp(prefix="webjobs-bench-"))
    try:
        with portal(folder) as bench:
            until = time.monotonic() + TOTAL_SECONDS * (FULL_FACTOR if bench.full else 1)
            for name in names:
                module = import_module(f"tests.bench.{MODULES.get(name, name)}")
                for row in module.ROWS:
                    print(f"measuring: {row.what}", file=sys.stderr, flush=True)
                    figures += measure(row, bench, until - time.monotonic())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(*head, f"took {time.monotonic() - begun:.0f} s", "", *lines(figures), sep="\n")


if __name__ == "__main__":
    main()
