"""A started program as the worker sees it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from webjobs.runner.connection import Connection


@dataclass(frozen=True)
class Exit:
    """How a program ended: by a code, by a signal, or lost together with the guardian.

    `expired`: the guardian killed it, because its lease was not renewed in time.
    """

    code: int | None = None
    signal: int | None = None
    lost: bool = False
    expired: bool = False


class Process:
    """A started program. The three descriptors are non-blocking and belong to this object.

    Not thread-safe: one thread polls and closes it. Its signals may be asked for by any thread.
    """

    def __init__(self, guardian: Connection, id: bytes, stdout: int, stderr: int, status: int):
        self.stdout = stdout
        self.stderr = stderr
        self.status = status
        self.pid = 0
        self.started = time.monotonic()
        self.result: Exit | None = None
        self.usage: str | None = None  # changes when CPU time was used; None: no answer yet
        self._guardian = guardian
        self._id = id
        self._text = b""
        self._expired = False
        self._open = {stdout, stderr, status}

    def poll(self) -> Exit | None:
        """Read the status pipe. Not None once nothing of the program is left."""
        while self.result is None:
            try:
                data = os.read(self.status, 4096)
            except BlockingIOError:
                break
            self._text += data
            *lines, self._text = self._text.split(b"\n")
            for line in lines:
                self._note(*line.decode().split())
            if not data and self.result is None:
                self._guardian.wait_until_cleared()
                self.result = Exit(lost=True, expired=self._expired)
        if self.result is not None:
            self._guardian.forget(self._id)
        return self.result

    def _note(self, what: str, value: str) -> None:
        if what == "pid":
            self.pid = int(value)
        elif what == "usage":
            self.usage = value if value != "unknown" else _usage_without_proc(self.pid)
        elif what == "expired":
            self._expired = True
        elif what == "exit":
            self.result = Exit(code=int(value), expired=self._expired)
        else:
            self.result = Exit(signal=int(value), expired=self._expired)

    def terminate(self) -> None:
        """TERM to the process group."""
        self._guardian.send(b"terminate", self._id)

    def notify(self) -> None:
        """TERM to the processes that handle it, and to what they wait for; the others go on."""
        self._guardian.send(b"notify", self._id)

    def kill(self) -> None:
        """KILL to everything that belongs to the program, and to what it may still start."""
        self._guardian.send(b"kill", self._id)

    def ask_usage(self) -> None:
        """Have `usage` renewed; the status descriptor becomes readable with the answer."""
        self.usage = None
        self._guardian.send(b"usage", self._id)

    def close_output(self, fd: int) -> None:
        """Close stdout or stderr; a program that still writes to it gets SIGPIPE."""
        self._open.discard(fd)
        os.close(fd)

    def close(self) -> None:
        """Close what is still open of the descriptors."""
        self._guardian.forget(self._id)
        while self._open:
            os.close(self._open.pop())


def _usage_without_proc(pid: int) -> str:
    """The same as the guardian's answer, on systems where it has no /proc to read."""
    import psutil

    used = {}
    try:
        program = psutil.Process(pid)
        for process in (program, *program.children(recursive=True)):
            times = process.cpu_times()
            used[process.pid] = times.user + times.system
    except psutil.Error:
        used[pid] = -1.0
    return repr(used)
