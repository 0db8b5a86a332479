"""What the keeper's main loop watches beside the processes, and what watches the keeper."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterable

HEALTH = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"


class Probe:
    """Waits for the first answer of the web process at `address`, then calls `ready` once."""

    def __init__(
        self, address: tuple[str, int], ready: Callable[[], None], question: bytes = HEALTH
    ) -> None:
        self._address = address
        self._question = question
        self._ready = ready
        self._socket: socket.socket | None = None
        self._sockets: dict[int, object] = {}

    def watch(self, sockets: dict[int, object]) -> None:
        """Ask, and add this to what the main loop waits for."""
        self._sockets = sockets
        # At once: the socket listens from the beginning, its process comes later.
        self._socket = socket.create_connection(self._address)
        self._socket.sendall(self._question)
        sockets[self._socket.fileno()] = self

    def readable(self) -> bool:
        return self._socket is not None

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        if self._socket is None:
            return
        try:
            answered = bool(self._socket.recv(1))
        except OSError:
            answered = False
        del self._sockets[self._socket.fileno()]
        self._socket.close()
        self._socket = None
        if answered:
            self._ready()
        else:
            # The process that had taken the question died over it.
            self.watch(self._sockets)

    def handle_error(self) -> None:
        """Nothing depends on it but the welcome."""


class Wakeup:
    """Ends the wait of the main loop as soon as a signal arrives."""

    def __init__(self) -> None:
        self.fd, write_end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        os.read(self.fd, 4096)

    def handle_error(self) -> None:
        """A wakeup that is lost costs one second at most."""


class Heir:
    """Kills what its parent leaves behind, where the kernel does not do that.

    A process that reads a pipe of which only the parent has the other end. The parent says which
    process groups live; when the pipe closes without a word, the parent has died.
    """

    def __init__(self, ignored: Iterable[signal.Signals]) -> None:
        read_end, self._pipe = os.pipe()
        if os.fork() == 0:
            os.close(self._pipe)
            os.setsid()
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            try:
                _inherit(read_end)
            finally:
                os._exit(0)
        os.close(read_end)

    def lives(self, group: int) -> None:
        os.write(self._pipe, b"+%d\n" % group)

    def ended(self, group: int) -> None:
        os.write(self._pipe, b"-%d\n" % group)


def _inherit(read_end: int) -> None:
    groups: set[int] = set()
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        for line in pipe:
            (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
