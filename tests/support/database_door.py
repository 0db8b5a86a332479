"""A door in front of a PostgreSQL server: shut, nobody gets in and who is inside is thrown out."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

_FILE = ".s.PGSQL.5432"


class Door:
    """Passes on what comes to a Unix socket in `folder`, while it is open."""

    def __init__(self, folder: Path, server: Path) -> None:
        self._path = folder / _FILE
        self._server = server / _FILE
        self._inside: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.open()

    def open(self) -> None:
        """Let everybody in."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen(100)
        self._listener = listener
        threading.Thread(target=self._serve, args=[listener], daemon=True).start()

    def shut(self) -> None:
        """As when the server was stopped."""
        if self._listener:
            self._path.unlink()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for one in list(self._inside):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            for source, target in ((client, server), (server, client)):
                self._inside.add(source)
                threading.Thread(target=self._pass_on, args=[source, target], daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._inside.discard(source)
        source.close()


def through(url: str, folder: Path) -> tuple[str, Path]:
    """The DATABASE_URL `url` through a door in `folder`, and where the server's socket is."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    server = Path(host.split(":")[0].replace("%2F", "/").replace("%2f", "/"))
    netloc = f"{user}@{quote(str(folder), safe='')}"
    return urlunsplit(parts._replace(netloc=netloc)), server
