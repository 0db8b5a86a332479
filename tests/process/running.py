"""Real children for the tests of the runner."""

from __future__ import annotations

import itertools
import os
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from webjobs.runner.child import Child
from webjobs.runner.ending import End, Limits
from webjobs.runner.launcher import Launcher
from webjobs.runner.procfs import Procfs
from webjobs.states import Stream

PATH = "/usr/local/bin:/usr/bin:/bin"
GENEROUS = Limits(grace=20.0)
_numbers = itertools.count(1)


def no_tick() -> None:
    """A tick with nothing to do."""


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def marked(*entries: str) -> list[int]:
    """Every process of this machine that was started with one of these in its environment."""
    proc = Procfs()
    wanted = {entry.encode() for entry in entries}
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if wanted.intersection(proc.environment(pid))]


def command_of(pid: int) -> str:
    """The name of what a process executes, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@dataclass
class Job:
    """A child and what it printed."""

    child: Child
    marker: str
    pieces: list[tuple[Stream, bytes, float]]
    shutdown_file: Path

    @property
    def out(self) -> bytes:
        return b"".join(data for stream, data, _ in self.pieces if stream is Stream.OUT)

    @property
    def err(self) -> bytes:
        return b"".join(data for stream, data, _ in self.pieces if stream is Stream.ERR)

    def finish(self, seconds: float = 30) -> End:
        """Drive it to its end, at most this long."""
        give_up = time.monotonic() + seconds

        def check() -> None:
            assert time.monotonic() < give_up, f"still running, printed {self.out!r}"

        return self.child.drive(-1, check, tick=0.2)

    def until_printed(self, text: bytes, seconds: float = 10) -> None:
        """Drive it until its stdout contains the text."""
        give_up = time.monotonic() + seconds
        while text not in self.out:
            assert time.monotonic() < give_up, f"printed only {self.out!r} {self.err!r}"
            assert self.child.end is None, f"ended: {self.child.end}, {self.out!r} {self.err!r}"
            self.step(0.1)

    def step(self, seconds: float) -> None:
        """One wait and one step, as whoever drives many children does it."""
        poll = select.poll()
        for fd in self.child.fds:
            poll.register(fd, select.POLLIN)
        deadline = self.child.deadline()
        if deadline is not None:
            seconds = max(0.0, min(seconds, deadline - time.monotonic()))
        self.child.step([fd for fd, _ in poll.poll(seconds * 1000)])


@dataclass
class Jobs:
    """Starts jobs under one launcher and knows whether anything of them is left."""

    launcher: Launcher
    folder: Path
    markers: list[str] = field(default_factory=list)

    def start(
        self,
        *command: str,
        limits: Limits = GENEROUS,
        secrets: Sequence[bytes] = (),
        cwd: Path | None = None,
    ) -> Job:
        number = next(_numbers)
        marker = f"WEBJOBS_TRIAL={os.getpid()}-{number}"
        self.markers.append(marker)
        name, _, value = marker.partition("=")
        shutdown_file = self.folder / f"shutdown-{number}"
        env = {"PATH": PATH, name: value, "WEBJOBS_SHUTDOWN_FILE": str(shutdown_file)}
        process = self.launcher.launch(command, cwd=cwd or self.folder, env=env, marker=marker)
        pieces: list[tuple[Stream, bytes, float]] = []
        child = Child(
            process,
            sink=lambda *piece: pieces.append(piece),
            limits=limits,
            shutdown_file=shutdown_file,
            secrets=secrets,
        )
        return Job(child, marker, pieces, shutdown_file)

    def sh(self, script: str, limits: Limits = GENEROUS) -> Job:
        return self.start("sh", "-c", script, limits=limits)

    def python(self, program: str, limits: Limits = GENEROUS) -> Job:
        return self.start("python3", "-c", program, limits=limits)

    def left(self) -> list[int]:
        """Processes of any job that still live."""
        return [pid for pid in marked(*self.markers) if alive(pid)]
