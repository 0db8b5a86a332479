"""Many processes that do nothing but note when they began."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.bench.site import wait_for

# What the processes of the jobs are known by.
MARK = "1234567"


class Jobs:
    """`count` jobs; each notes the clock and its process in a file of its own when it begins."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.count = count
        self.script = f'echo "$EPOCHREALTIME $$" >> "{folder}/$WEBJOBS_NAME"\nexec sleep {MARK}\n'

    def begun(self) -> list[list[tuple[float, int]]]:
        """Clock and process of every start, by job."""
        return [_starts(path) for path in sorted(self.folder.iterdir())]

    def wait_all(self, times: int, seconds: float = 40) -> float:
        """Until every job has begun so often; the clock of the last one."""

        def late() -> int:
            begun = self.begun()
            return self.count - sum(len(starts) >= times for starts in begun)

        # The files tell when it was, so that looking seldom costs nothing but patience.
        wait_for(
            lambda: not late(), seconds, lambda: f"{late()} of {self.count} jobs do not run", 0.2
        )
        return max(starts[times - 1][0] for starts in self.begun())


def _starts(path: Path) -> list[tuple[float, int]]:
    words = [line.replace(",", ".").split() for line in path.read_text().splitlines()]
    return [(float(clock), int(pid)) for clock, pid in words]


def killed_to_back(jobs: Jobs) -> list[float]:
    """Kill all of them at once; seconds until each was back."""
    before = jobs.begun()
    killed = []
    for starts in before:
        killed.append(time.time())
        with suppress(ProcessLookupError):
            os.kill(starts[-1][1], signal.SIGKILL)
    jobs.wait_all(len(before[0]) + 1)
    return [starts[-1][0] - moment for starts, moment in zip(jobs.begun(), killed, strict=True)]


def is_job(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return MARK in process.cmdline()
    return False


def cpu_of(processes: list[psutil.Process], seconds: float) -> float:
    """The share of a core that they use together."""

    def used() -> float:
        times = [process.cpu_times() for process in processes]
        return sum(time.user + time.system for time in times)

    before, begun = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - begun)
