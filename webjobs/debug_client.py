"""The developer's end of the tunnel. Standard library only: it runs where no portal is.

A port of this machine's loopback leads through the portal's API to the debugger of a WebJob.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

BLOCK = 64 * 1024
# Longer than the portal lets a request wait.
TIMEOUT = 60.0
STATE_EVERY = 3.0
READY_SECONDS = 90.0
# For how long the portal may be away, as while it is started anew.
AWAY_SECONDS = 30.0
RETRY_EVERY = 0.5


class Refused(Exception):
    """The portal refuses; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Target:
    """The WebJob to debug and where its portal is."""

    url: str
    token: str
    app: str
    job: str
    slot: str = "production"
    authority: str | None = None  # a file with the certificate authority to trust

    @property
    def path(self) -> str:
        """The address of its debug sessions."""
        parts = [quote(part, safe="") for part in (self.app, self.slot, self.job)]
        scm = f"/scm/{parts[0]}"
        if self.slot.lower() != "production":
            scm += f"/slots/{parts[1]}"
        return f"{urlsplit(self.url).path.rstrip('/')}{scm}/api/continuouswebjobs/{parts[2]}/debug"


class Caller:
    """One kept connection to the portal; for one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._http: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Raises Refused from 400, OSError or HTTPException when the portal is away."""
        connection = self._http = self._http or self._connect()
        headers = {"Authorization": f"Bearer {self._target.token}"}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.status >= 400:
            raise Refused(answer.status, _message(answer.status, data))
        return answer.status, answer.headers, data

    def insist(
        self, method: str, path: str, body: bytes | None, go_on: Callable[[], bool]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The same, again and again while the portal is away or busy: it must be harmless."""
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return self.call(method, path, body)
            except Refused as error:
                if error.status < 500 or time.monotonic() > deadline or not go_on():
                    raise
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline or not go_on():
                    raise
            time.sleep(RETRY_EVERY)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._target.url)
        host = parts.hostname or "127.0.0.1"
        if parts.scheme != "https":
            return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
        trust = ssl.create_default_context(cafile=self._target.authority)
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=trust)


def _message(status: int, data: bytes) -> str:
    with suppress(ValueError, AttributeError):
        words = json.loads(data).get("Message")
        if words:
            return str(words)
    return f"The portal answers with status {status}."


class DebugClient:
    """One session, and a port that leads to it. `start` first, then `serve` in a thread."""

    def __init__(self, target: Target, say: Callable[[str], None] = lambda text: None) -> None:
        self._target = target
        self._say = say
        self._caller = Caller(target)
        self._over = threading.Event()
        self._listener: socket.socket | None = None
        self.session: dict[str, Any] = {}

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def port(self) -> int:
        """Of this machine."""
        if self._listener is None:
            raise RuntimeError("It does not listen yet.")
        return int(self._listener.getsockname()[1])

    def start(self, instance: str, minutes: float | None) -> None:
        """Have the WebJob started under its debugger and wait until it is. Raises Refused."""
        asked = {"instance": instance, "minutes": minutes}
        wanted = {name: value for name, value in asked.items() if value}
        _, _, data = self._caller.call("POST", self._target.path, json.dumps(wanted).encode())
        self.session = json.loads(data)
        deadline = time.monotonic() + READY_SECONDS
        while self.session["state"] == "Starting" and time.monotonic() < deadline:
            time.sleep(RETRY_EVERY / 2)
            self.refresh()
        if self.session["state"] not in ("Listening", "Connected"):
            words = self.session["reason"] or "The WebJob was not started under a debugger."
            raise Refused(409, words)

    def refresh(self) -> None:
        """Ask how the session is."""
        path = f"{self._target.path}/{self.session['id']}"
        _, _, data = self._caller.insist("GET", path, None, lambda: not self.is_over)
        self.session = json.loads(data)

    def listen(self, port: int) -> int:
        """Open the port (0: any free one) on loopback; returns it."""
        self._listener = socket.create_server(("127.0.0.1", port))
        return self.port

    def serve(self) -> str:
        """Carry bytes until the session is over; why it is."""
        listener = self._listener
        if listener is None:
            raise RuntimeError("It does not listen yet.")
        listener.settimeout(0.5)
        look_at = 0.0
        with listener:
            while not self.is_over:
                with suppress(TimeoutError):
                    found, _ = listener.accept()
                    threading.Thread(target=self._carry, args=(found,), daemon=True).start()
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + STATE_EVERY
                    self.refresh()
                    if self.session["state"] in ("Ending", "Ended"):
                        self._over.set()
        return str(self.session["reason"])

    def stop(self) -> None:
        """End the session: the WebJob goes on without the debugger."""
        self._over.set()
        self._caller.close()
        self._caller.call("DELETE", f"{self._target.path}/{self.session['id']}")

    def close(self) -> None:
        """Stop carrying; the session goes on."""
        self._over.set()

    def _carry(self, developer: socket.socket) -> None:
        """One connection, until either side closes it."""
        caller = Caller(self._target)
        base = f"{self._target.path}/{self.session['id']}/connections"
        try:
            with developer:
                developer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _, _, data = caller.call("POST", base, b"")
                base += "/" + json.loads(data)["id"]
                up = threading.Thread(target=self._carry_up, args=(developer, base), daemon=True)
                up.start()
                try:
                    self._carry_down(developer, caller, base)
                finally:
                    with suppress(OSError):
                        developer.shutdown(socket.SHUT_RDWR)
                    up.join()
                    caller.call("DELETE", base)
        except Refused as error:
            if error.status != 410:
                self._say(f"A connection was closed: {error}")
        except (OSError, http.client.HTTPException) as error:
            self._say(f"A connection was closed: {error}")
        finally:
            caller.close()

    def _carry_down(self, developer: socket.socket, caller: Caller, base: str) -> None:
        after = "0"
        while not self.is_over:
            path = f"{base}?after={after}"
            _, headers, data = caller.insist("GET", path, None, lambda: not self.is_over)
            developer.sendall(data)
            after = headers["X-Debug-After"] or after

    def _carry_up(self, developer: socket.socket, base: str) -> None:
        caller, number = Caller(self._target), 0
        try:
            while data := developer.recv(BLOCK):
                number += 1
                path = f"{base}?number={number}"
                caller.insist("POST", path, data, lambda: not self.is_over)
            # The other thread waits for bytes that nobody wants any more.
            caller.call("DELETE", base)
        except (OSError, http.client.HTTPException, Refused):
            with suppress(OSError):
                developer.shutdown(socket.SHUT_RDWR)
        finally:
            caller.close()


def launch_configuration(session: dict[str, Any], job: str, port: int) -> dict[str, Any]:
    """An entry of `configurations` in VS Code's launch.json."""
    named = {"name": f"WebJob {job}", "request": "attach"}
    folders = {"localRoot": "${workspaceFolder}", "remoteRoot": session["folder"]}
    match session["language"]:
        case "python":
            return {
                **named,
                "type": "debugpy",
                "connect": {"host": "127.0.0.1", "port": port},
                "pathMappings": [folders],
                "subProcess": False,
            }
        case "node":
            return {
                **named,
                "type": "node",
                "address": "127.0.0.1",
                "port": port,
                **folders,
                "autoAttachChildProcesses": False,
                "skipFiles": ["<node_internals>/**"],
            }
    return {**named, "type": "java", "hostName": "127.0.0.1", "port": port}
