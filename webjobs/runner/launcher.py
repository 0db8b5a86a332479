"""Starting programs through the guardian."""

from __future__ import annotations

import errno
import itertools
import os
import select
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from webjobs.reasons import gettext_noop
from webjobs.runner.connection import POLL_SECONDS, RECOVER_SECONDS, Connection
from webjobs.runner.process import Exit, Process
from webjobs.runner.procfs import Procfs
from webjobs.runner.program import become_subreaper, lease_clock, send_signal

__all__ = ["Exit", "LaunchError", "Launcher", "LeaseEnded", "Process", "kill_strays"]

# A program on a hanging network drive must not hold the caller for ever.
START_SECONDS = 30.0


class LaunchError(Exception):
    """The program could not be started; the text says what happened and what to do."""


class LeaseEnded(LaunchError):
    """It was not started, because the deadline of its lease has passed."""


_NUL = gettext_noop("An argument or a setting contains a NUL character; remove it.")
# By what the guardian says.
_WORDS = {
    "lost": gettext_noop("The process that starts programs on this instance ended; try again."),
    "expired": gettext_noop(
        "It was not started: this instance has lost the right to run it. Another one may."
    ),
    "wait": gettext_noop("%(program)s did not start within %(seconds)s; is its disk reachable?"),
    "fork": gettext_noop(
        "This instance could not start another process (%(why)s); are too many running?"
    ),
    "chdir": gettext_noop(
        "The working directory %(folder)s could not be entered (%(why)s); was it deleted?"
    ),
}
_NO_INTERPRETER = gettext_noop(
    "%(program)s could not be started: the interpreter named in its first line is missing."
)
_NOT_FOUND = gettext_noop(
    "The program %(program)s was not found on this instance; install it or mend the path."
)
# By the number of the error.
_ERRORS = {
    errno.ENOENT: _NOT_FOUND,
    errno.ENOTDIR: _NOT_FOUND,
    errno.EACCES: gettext_noop(
        "%(program)s is not executable; give it the executable permission (chmod +x)."
    ),
    errno.ENOEXEC: gettext_noop(
        "%(program)s is no program that this instance can run; does it lack a #! line?"
    ),
    errno.E2BIG: gettext_noop(
        "%(program)s was not started: its arguments and settings are too long together."
    ),
}
_OTHER = gettext_noop("%(program)s could not be started (%(why)s).")


class Launcher:
    """Starts programs through a guardian process. One per worker; thread-safe.

    Guarantee: what it started, with everything that came of it, ends with `close()`, with this
    process (kill -9 included), and with the guardian, which is replaced at the next launch.
    """

    def __init__(self, proc_root: str = "/proc") -> None:
        self._proc_root = proc_root
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._guardian: Connection | None = None
        self._leases: dict[bytes, float] = {}  # for the guardian that replaces a lost one

    @property
    def guardian_pid(self) -> int | None:
        return self._guardian.pid if self._guardian else None

    def start(self) -> None:
        """Start the guardian, so that the first launch need not."""
        become_subreaper()
        self._living_guardian()

    def close(self) -> None:
        """Kill every process it started, descendants included, and end the guardian."""
        with self._lock:
            guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.close()

    def launch(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        marker: str,
        lease: str = "",
    ) -> Process:
        """Start a program in its own session, stdin closed, with exactly this environment.

        `marker` is an entry `NAME=value` of `env` that no other program has; by it the
        processes are found that leave their parents and their session. With a `lease` it is
        started only before the lease's deadline, and killed when that passes. Returns after
        the program's exec; raises LaunchError when there was none.
        """
        parts = [os.fsencode(part) for part in command]
        entries = [os.fsencode(f"{name}={value}") for name, value in env.items()]
        if any(b"\0" in word for word in (*parts, *entries)):
            raise LaunchError(_NUL)
        id = str(next(self._ids)).encode()
        place = os.fsencode(cwd)
        count = str(len(parts)).encode()
        words = [b"launch", id, os.fsencode(marker), lease.encode(), place, count]
        words += [*parts, *entries]
        guardian = self._living_guardian()
        try:
            process, failure = _send_launch(guardian, id, words)
        except OSError as error:
            raise LaunchError(_words("fork", error.errno or 0, command[0], cwd)) from error
        problem = _read_failure(failure)
        process.poll()
        if problem is None and process.pid and process.result is None:
            guardian.remember(id, process.pid, os.fsencode(marker))
        elif problem is not None or not process.pid:
            process.kill()
            process.close()
            what, number = (problem or "lost 0").split()
            kind = LeaseEnded if what == "expired" else LaunchError
            raise kind(_words(what, int(number), command[0], cwd))
        return process

    def renew(self, leases: Sequence[str], until: float) -> None:
        """Let what is under `leases` live until `until` on lease_clock.

        The guardian holds to it even when this process is stopped or hangs.
        """
        now = lease_clock()
        with self._lock:
            self._leases = {name: end for name, end in self._leases.items() if end > now}
            self._leases.update((lease.encode(), until) for lease in leases)
            guardian = self._guardian
        names = [lease.encode() for lease in leases]
        if guardian is not None and names:
            guardian.send(b"until", repr(until).encode(), *names)

    def _living_guardian(self) -> Connection:
        with self._lock:
            if self._guardian is None or not self._guardian.alive:
                self._guardian = Connection(self._proc_root)
                for name, until in self._leases.items():
                    self._guardian.send(b"until", repr(until).encode(), name)
            return self._guardian


def kill_strays(entry: str) -> int:
    """Kill every process of this machine that was started with `NAME=value`; how many it were.

    For the start of a worker, with an entry that only jobs of this worker's earlier lives have:
    when a worker and its guardian were killed in the same moment, daemons of jobs lived on.
    """
    proc = Procfs()
    wanted = os.fsencode(entry)
    killed: set[int] = set()
    deadline = time.monotonic() + RECOVER_SECONDS
    while time.monotonic() < deadline:
        others = [pid for pid in proc.all() if pid != os.getpid()]
        found = [pid for pid in others if wanted in proc.environment(pid)]
        hit = {pid for pid in found if send_signal(pid, signal.SIGKILL)}
        if not hit:
            break
        killed |= hit
        time.sleep(POLL_SECONDS)
    return len(killed)


def _send_launch(guardian: Connection, id: bytes, words: list[bytes]) -> tuple[Process, int]:
    """Hand the writing ends to the guardian; the process and the failure pipe to read."""
    pipes: list[tuple[int, int]] = []
    try:
        for _ in range(4):
            pipes.append(os.pipe())
        guardian.send(*words, descriptors=[writer for _, writer in pipes])
    except OSError:
        for reader, _ in pipes:
            os.close(reader)
        raise
    finally:
        for _, writer in pipes:
            os.close(writer)
    (out, err, status, failure) = (reader for reader, _ in pipes)
    for fd in (out, err, status):
        os.set_blocking(fd, False)
    return Process(guardian, id, out, err, status), failure


def _read_failure(failure: int) -> str | None:
    """Wait for the program's exec; what went wrong, if anything."""
    try:
        poll = select.poll()
        poll.register(failure, select.POLLIN)
        if not poll.poll(START_SECONDS * 1000):
            return f"wait {errno.ETIMEDOUT}"
        return os.read(failure, 100).decode() or None
    finally:
        os.close(failure)


def _words(what: str, number: int, program: str, cwd: Path) -> str:
    """Why a program could not be started, for people."""
    places = {"program": program, "folder": cwd, "why": os.strerror(number)}
    if what in _WORDS:
        return _WORDS[what] % {**places, "seconds": f"{START_SECONDS:.0f} seconds"}
    if number == errno.ENOENT and (cwd / program).exists():
        return _NO_INTERPRETER % places
    return _ERRORS.get(number, _OTHER) % places
