"""One continuous WebJob: how soon it learns of a stop, and is back after a crash."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.site import Bench, wait_for
from tests.bench.table import Figure, Row, spread
from webjobs.states import JobType

# Notes when it began, and when it saw the file that asks it to stop. Starts no program meanwhile.
WATCHES = """
trap '' TERM
note() {{ echo "$1 $$ $EPOCHREALTIME" >> {notes}; }}
exec 3<> <(:)
note began
while [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do read -r -t 0.002 -u 3; done
note asked
"""
RESTART_SECONDS = 1


class _Notes:
    """What the job has noted so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def next(self, word: str) -> tuple[int, float]:
        """Wait for the next note; its process and its clock."""
        wait_for(lambda: len(self._lines()) > self._read, 20, lambda: f"nobody noted {word!r}")
        found, pid, clock = self._lines()[self._read].split()
        assert found == word, f"{found} instead of {word}"
        self._read += 1
        return int(pid), float(clock.replace(",", "."))

    def _lines(self) -> list[str]:
        text = self.path.read_text() if self.path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()


def stop_and_crash(bench: Bench) -> Iterator[Figure]:
    site, count = bench.site("stopping"), bench.count(50) // 5
    site.set(WEBJOBS_RESTART_TIME=str(RESTART_SECONDS))
    notes = _Notes(bench.folder / "notes")
    script = WATCHES.format(notes=notes.path)
    job = site.upload(JobType.CONTINUOUS, "watching", script)
    client = site.client()
    notes.next("began")
    asked = []
    for _ in range(max(3, count)):
        begun = time.time()
        client.post(site.path(JobType.CONTINUOUS, job.name, "/stop"))
        asked.append(notes.next("asked")[1] - begun)
        client.post(site.path(JobType.CONTINUOUS, job.name, "/start"))
        pid, _ = notes.next("began")
    yield Figure("stop request to the shutdown file", spread(asked), aim="<= 300 ms")
    late = []
    for _ in range(max(3, count // 2)):
        killed = time.time()
        os.kill(pid, signal.SIGKILL)
        pid, clock = notes.next("began")
        late.append(clock - killed - RESTART_SECONDS)
    client.post(site.path(JobType.CONTINUOUS, job.name, "/stop"))
    yield Figure("crash to restart, later than it is due", spread(late), aim="<= 300 ms")


ROWS = (Row("stop request to shutdown file, crash to restart", 60, stop_and_crash),)
