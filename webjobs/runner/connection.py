"""The worker's connection to its guardian process, and what to do when that is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from webjobs.runner.open_files import limit_of_programs
from webjobs.runner.procfs import Procfs
from webjobs.runner.program import send_signal

# How long close() waits for the guardian, which kills everything first.
CLOSE_SECONDS = 10.0
RECOVER_SECONDS = 5.0
POLL_SECONDS = 0.005

_PROJECT = Path(__file__).resolve().parents[2]
_BOOT = "import sys; sys.path.insert(0, {!r}); from webjobs.runner.guardian import main; main()"


class Connection:
    """One guardian process and the connection to it."""

    def __init__(self, proc_root: str) -> None:
        self._proc = Procfs(proc_root)
        self._lock = threading.Lock()
        self._started: dict[bytes, tuple[int, bytes]] = {}  # pid and marker of what runs
        self._cleared = threading.Event()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            boot = _BOOT.format(str(_PROJECT))
            arguments = [str(theirs.fileno()), proc_root, str(limit_of_programs())]
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
            time.sleep(POLL_SECONDS)
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
