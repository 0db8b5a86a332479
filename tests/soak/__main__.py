"""`make soak`: load on a portal of several machines while its parts die at random, then one table
with what it did, and whether everything that must be true is.

MINUTES=5 says for how long, SEED=1 repeats the faults of another time, KEEP=1 leaves the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

    from tests.soak.faults import Faults
    from tests.soak.load import Client
    from tests.support.fleet import Fleet
    from tests.support.workload import Workload

LEFT_OUT = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HOST", "DEBUG", "ADMIN_USERNAME")
# For the start, the recovery, the checks and the end, beside the minutes that were asked for.
BESIDE = 300


def number(name: str, default: float) -> float:
    """A positive number from the environment."""
    text = os.environ.get(name, "").strip()
    try:
        value = float(text or default)
    except ValueError:
        value = 0.0
    if value <= 0:
        sys.exit(f"{name}: must be a number greater than 0, not {text!r}.")
    return value


def give_up(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit("soak: it takes too long, something hangs")


@contextmanager
def fleet_in(folder: Path) -> Iterator[Fleet]:
    """A started portal; what is left behind at its end is a failure."""
    for name in LEFT_OUT:
        os.environ.pop(name, None)
    os.environ |= {"DATA_DIR": str(folder / "own"), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    import django

    django.setup()
    from tests.support.fleet import Fleet
    from tests.support.rows import rows_of

    fleet = Fleet(folder, workers=2, beats=2, webs=2)
    with rows_of(fleet.database.url):
        try:
            fleet.start()
            yield fleet
        finally:
            left = fleet.close()
    if left:
        sys.exit(f"soak: processes are left behind at the end: {left}")


def soak(fleet: Fleet, seconds: float, seed: int) -> list[str]:
    """Let it happen; prints the table and gives the violations."""
    from django.utils import timezone

    from tests.soak.faults import Faults
    from tests.soak.load import Client
    from tests.support.invariants import violations
    from tests.support.workload import Workload
    from webjobs.models import Slot

    load = Workload(fleet.folder, Slot.objects.get(app__name="demo"))
    load.set_up(fleet.webs[0].port)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {text}", file=sys.stderr, flush=True)

    client = Client(fleet, load, Random(seed + 1))  # noqa: S311
    faults = Faults(fleet, load, Random(seed), say)  # noqa: S311
    client.start()
    try:
        faults.go_on(seconds)
    finally:
        faults.end()
    client.stop()
    say("the end of load and faults; everything is started again")
    fleet.restart()
    say("everything is there again")
    found = violations(load, fleet.keys, timezone.now())
    print(*table(fleet, load, client, faults), sep="\n")
    return found


def table(fleet: Fleet, load: Workload, client: Client, faults: Faults) -> Iterator[str]:
    """What has happened, in two columns."""
    from django.db.models import Count

    from webjobs.models import Run

    executed = Run.objects.filter(scheduled_for=None).order_by()
    occurrences = Run.objects.exclude(scheduled_for=None).order_by()
    tracebacks = {one.name: one.output.count("Traceback") for one in fleet.clients}
    parts: dict[str, dict[str, int]] = {
        "faults": faults.counts,
        "requests without an answer of success": client.refusals,
        "runs that were asked for": dict(
            executed.values_list("status").annotate(count=Count("pk"))
        ),
        "entries of schedules": dict(occurrences.values_list("status").annotate(count=Count("pk"))),
        "tracebacks in the output of": {name: n for name, n in tracebacks.items() if n},
    }
    for title, counts in parts.items():
        yield f"\n{title}: {sum(counts.values())}"
        yield from (f"    {name:<44} {count:>6}" for name, count in sorted(counts.items()))


def main() -> None:
    """Soak for MINUTES; exits with 1 when anything is wrong, and says what."""
    minutes, seed = number("MINUTES", 5), int(number("SEED", 1 + randbelow(10**6)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(minutes * 60) + BESIDE)
    print(f"again: make soak MINUTES={minutes:g} SEED={seed}", file=sys.stderr)
    # Short: sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="webjobs-soak-"))
    folder.chmod(0o755)
    try:
        with fleet_in(folder) as fleet:
            found = soak(fleet, minutes * 60, seed)
    finally:
        if os.environ.get("KEEP"):
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\nviolations: {len(found)}", *(f"    {one}" for one in found), sep="\n")
    print(f"again: make soak MINUTES={minutes:g} SEED={seed}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
