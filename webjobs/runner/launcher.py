"""The worker's side of the guardian: start programs, ask for signals, learn of their end."""

from __future__ import annotations

import errno
import itertools
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webjobs.runner.procfs import Procfs
from webjobs.runner.program import become_subreaper, send_signal

# A program on a hanging network drive must not hold the caller for ever.
START_SECONDS = 30.0
# How long close() waits for the guardian, which kills everything first.
CLOSE_SECONDS = 10.0
RECOVER_SECONDS = 5.0
_POLL_SECONDS = 0.005

_PROJECT = Path(__file__).resolve().parents[2]
_BOOT = "import sys; sys.path.insert(0, {!r}); from webjobs.runner.guardian import main; main()"


class LaunchError(Exception):
    """The program could not be started; the text says what happened and what to do."""


@dataclass(frozen=True)
class Exit:
    """How a program ended: by a code, by a signal, or lost together with the guardian."""

    code: int | None = None
    signal: int | None = None
    lost: bool = False


class Process:
    """A started program. The three descriptors are non-blocking and belong to this object.

    Not thread-safe: one thread polls and closes it. Its signals may be asked for by any thread.
    """

    def __init__(self, guardian: _Guardian, id: bytes, stdout: int, stderr: int, status: int):
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
                self.result = Exit(lost=True)
        if self.result is not None:
            self._guardian.forget(self._id)
        return self.result

    def _note(self, what: str, value: str) -> None:
        if what == "pid":
            self.pid = int(value)
        elif what == "usage":
            self.usage = value if value != "unknown" else _usage_without_proc(self.pid)
        elif what == "exit":
            self.result = Exit(code=int(value))
        else:
            self.result = Exit(signal=int(value))

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


class _Guardian:
    """One guardian process and the connection to it."""

    def __init__(self, proc_root: str) -> None:
        self._proc = Procfs(proc_root)
        self._lock = threading.Lock()
        self._started: dict[bytes, tuple[int, bytes]] = {}  # pid and marker of what runs
        self._cleared = threading.Event()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            boot = _BOOT.format(str(_PROJECT))
            arguments = [str(theirs.fileno()), proc_root]
            self._popen = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", "-c", boot, *arguments],
                cwd="/",
                env={},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        threading.Thread(target=self._watch, name="guardian-watch", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return not self._cleared.is_set() and self._popen.poll() is None

    def send(self, *words: bytes, descriptors: Sequence[int] = ()) -> None:
        """Ask the guardian for something. When it is gone, every status pipe says so."""
        body = b"\0".join(words)
        data = len(body).to_bytes(4, "big") + body
        with self._lock:
            try:
                sent = socket.send_fds(self._socket, [data], list(descriptors))
                self._socket.sendall(data[sent:])
            except (BrokenPipeError, ConnectionError):
                return

    def remember(self, id: bytes, pid: int, marker: bytes) -> None:
        self._started[id] = (pid, marker)

    def forget(self, id: bytes) -> None:
        self._started.pop(id, None)

    def wait_until_cleared(self) -> None:
        """Wait until a lost guardian's processes are killed."""
        self._cleared.wait(RECOVER_SECONDS)

    def close(self) -> None:
        """Have the guardian kill everything and end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._popen.poll()
        try:
            self._popen.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        self._cleared.wait(RECOVER_SECONDS)
        self._socket.close()

    def _watch(self) -> None:
        self._popen.wait()
        deadline = time.monotonic() + RECOVER_SECONDS
        while self._kill_adopted() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self._cleared.set()

    def _kill_adopted(self) -> bool:
        """Kill what became ours by the guardian's death; whether there was anything."""
        started = list(self._started.values())
        sessions = {pid for pid, _ in started}
        markers = {marker for _, marker in started}
        adopted = [
            pid
            for pid in self._proc.children(os.getpid())
            if self._proc.session(pid) in sessions
            or markers.intersection(self._proc.environment(pid))
        ]
        for pid in self._proc.tree(adopted):
            send_signal(pid, signal.SIGKILL)
        for pid in adopted:
            os.waitpid(pid, os.WNOHANG)
        return bool(adopted)


class Launcher:
    """Starts programs through a guardian process. One per worker; thread-safe.

    Guarantee: what it started, with everything that came of it, ends with `close()`, with this
    process (kill -9 included), and with the guardian, which is replaced at the next launch.
    """

    def __init__(self, proc_root: str = "/proc") -> None:
        self._proc_root = proc_root
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._guardian: _Guardian | None = None

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
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], marker: str
    ) -> Process:
        """Start a program in its own session, stdin closed, with exactly this environment.

        `marker` is an entry `NAME=value` of `env` that no other program has; by it the
        processes are found that leave their parents and their session. Returns after the
        program's exec; raises LaunchError when there was none.
        """
        parts = [os.fsencode(part) for part in command]
        entries = [os.fsencode(f"{name}={value}") for name, value in env.items()]
        if any(b"\0" in word for word in (*parts, *entries)):
            raise LaunchError("An argument or a setting contains a NUL character; remove it.")
        id = str(next(self._ids)).encode()
        place = os.fsencode(cwd)
        count = str(len(parts)).encode()
        words = [b"launch", id, os.fsencode(marker), place, count, *parts, *entries]
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
            raise LaunchError(_words(what, int(number), command[0], cwd))
        return process

    def _living_guardian(self) -> _Guardian:
        with self._lock:
            if self._guardian is None or not self._guardian.alive:
                self._guardian = _Guardian(self._proc_root)
            return self._guardian


def _send_launch(guardian: _Guardian, id: bytes, words: list[bytes]) -> tuple[Process, int]:
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
    why = os.strerror(number)
    if what == "lost":
        return "The process that starts programs on this instance ended; try again."
    if what == "wait":
        return f"{program} did not start within {START_SECONDS:.0f} seconds; is its disk reachable?"
    if what == "fork":
        return f"This instance could not start another process ({why}); are too many running?"
    if what == "chdir":
        return f"The working directory {cwd} could not be entered ({why}); was it deleted?"
    if number == errno.ENOENT and (cwd / program).exists():
        return (
            f"{program} could not be started: the interpreter named in its first line is missing."
        )
    if number in (errno.ENOENT, errno.ENOTDIR):
        return f"The program {program} was not found on this instance; install it or mend the path."
    if number == errno.EACCES:
        return f"{program} is not executable; give it the executable permission (chmod +x)."
    if number == errno.ENOEXEC:
        return f"{program} is no program that this instance can run; does it lack a #! line?"
    if number == errno.E2BIG:
        return f"{program} was not started: its arguments and settings are too long together."
    return f"{program} could not be started ({why})."
