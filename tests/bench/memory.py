"""What an idle portal holds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from tests.bench.site import Bench
from tests.bench.table import Figure, Row
from tests.support.portal import living

MIB = 1024 * 1024
SETTLE_SECONDS = 5
# Wine keeps a registry of its own for Windows programs, where it is installed.
WINE = {"wine", "services.exe", "winedevice.exe", "explorer.exe", "plugplay.exe"}


def pss(processes: list[psutil.Process]) -> int:
    """Bytes of all of them; what they share is counted once."""
    total = 0
    for process in living(processes):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _is_wine(process: psutil.Process) -> bool:
    return bool(WINE & set(process.name().replace("64", " ").split()))


def idle(bench: Bench) -> Iterator[Figure]:
    time.sleep(bench.seconds(SETTLE_SECONDS))
    everything = [one for one in living(bench.portal.everything()) if not _is_wine(one)]
    yield Figure(
        f"memory of everything, idle (PSS of {len(everything)} processes)",
        f"{pss(everything) / MIB:.0f} MiB",
        aim="<= 220 MiB",
    )


ROWS = (Row("memory of everything, idle", 30, idle),)
