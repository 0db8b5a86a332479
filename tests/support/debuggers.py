"""Debuggers as editors have them: small clients of the Debug Adapter Protocol, of Chrome's
inspector and of JDWP, which see nothing but a port of this machine; and whoever uses them."""

from __future__ import annotations

import json
import socket
import struct
import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.contrib.auth.models import User
from websockets.sync.client import connect

from tests.support.engine import text_of
from tests.support.poll import until
from webjobs.debug_client import DebugClient, Target
from webjobs.models import ApiToken, AuditEntry, Copy, Role, WebJob

SECONDS = 30.0
# A WebJob to debug; line 4 has something to look at.
PYTHON = """\
import time
def work(number):
    square = number * number
    print("worked on", number, flush=True)
    return square
number = 0
while True:
    number += 1
    work(number)
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class Stopped:
    """Where a debugger has stopped a program, and the variables of that function."""

    thread: int
    function: str
    path: str
    line: int
    variables: Mapping[str, str]


class Dap:
    """The Debug Adapter Protocol over TCP."""

    def __init__(self, port: int, why: Callable[[], object] = lambda: "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._file = self._socket.makefile("rb")
        self._why = why  # somebody closed the connection, for the message
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        message = {
            "seq": self._number,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._number

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            raise ConnectionError(f"the debug adapter has closed the connection {self._why()}")
        message: dict[str, Any] = json.loads(self._file.read(length))
        return message

    def answer(self, number: int) -> dict[str, Any]:
        """The body of the answer to request `number`; events meanwhile are kept."""
        while True:
            message = self._read()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return dict(message.get("body") or {})
            self._events.append(message)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.answer(self.send(command, **arguments))

    def event(self, name: str) -> dict[str, Any]:
        """The body of the next event `name`."""
        while True:
            for index, message in enumerate(self._events):
                if message.get("event") == name:
                    return dict(self._events.pop(index).get("body") or {})
            self._events.append(self._read())

    def attach(self, local: str, remote: str) -> int:
        """Attach; the number of the request, which is answered after the configuration."""
        self.ask("initialize", adapterID="python", clientID="test", pathFormat="path")
        mappings = [{"localRoot": local, "remoteRoot": remote}]
        number = self.send("attach", pathMappings=mappings, justMyCode=True)
        self.event("initialized")
        return number

    def stop_at(self, local: str, line: int, remote: str) -> Stopped:
        """Attach, and wait at a breakpoint in the file `local`, which is in `remote` there."""
        attached = self.attach(str(PurePosixPath(local).parent), remote)
        wanted = [{"line": line}]
        found = self.ask("setBreakpoints", source={"path": local}, breakpoints=wanted)
        assert found["breakpoints"][0]["verified"]
        self.ask("configurationDone")
        self.answer(attached)
        thread = self.event("stopped")["threadId"]
        frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]
        scope = self.ask("scopes", frameId=frame["id"])["scopes"][0]["variablesReference"]
        variables = self.ask("variables", variablesReference=scope)["variables"]
        values = {one["name"]: one["value"] for one in variables}
        return Stopped(thread, frame["name"], frame["source"]["path"], frame["line"], values)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def told() -> list[object]:
    """What the portal has recorded about it, once it has."""
    entries = AuditEntry.objects.filter(action__startswith="debug.")
    with suppress(AssertionError):
        until(entries.filter(action="debug.disconnect").exists, seconds=5)
    logs = [text_of(copy)[-2000:] for copy in Copy.objects.all()]
    return [*entries.values_list("action", "details"), *logs]


class Inspector:
    """Chrome's DevTools protocol, found and spoken through a port of this machine."""

    def __init__(self, port: int) -> None:
        address = f"http://127.0.0.1:{port}/json/list"
        with urllib.request.urlopen(address, timeout=SECONDS) as found:
            self.target = json.loads(found.read())[0]
        self._socket = connect(
            self.target["webSocketDebuggerUrl"], open_timeout=SECONDS, legacy=True
        )
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            found = json.loads(self._socket.recv(timeout=SECONDS))
            if found.get("id") == self._number:
                assert "error" not in found, found
                return dict(found["result"])
            self._events.append(found)

    def event(self, method: str) -> dict[str, Any]:
        while True:
            for index, found in enumerate(self._events):
                if found.get("method") == method:
                    return dict(self._events.pop(index)["params"])
            self._events.append(json.loads(self._socket.recv(timeout=SECONDS)))

    def close(self) -> None:
        self._socket.close()


def jdwp_version(port: int) -> str:
    """What a Java virtual machine says that it is, asked by JDWP."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as debugger:
        debugger.sendall(b"JDWP-Handshake")
        with debugger.makefile("rb") as file:
            assert file.read(14) == b"JDWP-Handshake"
            debugger.sendall(struct.pack(">IIBBB", 11, 1, 0, 1, 1))  # VirtualMachine.Version
            while True:
                length, number, flags, error = struct.unpack(">IIBH", file.read(11))
                body = file.read(length - 11)
                if flags & 0x80 and number == 1:
                    assert error == 0
                    (size,) = struct.unpack(">I", body[:4])
                    return body[4 : 4 + size].decode()


class Desk:
    """A developer at another machine: all they have is the portal's address and a token."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: list[tuple[DebugClient, threading.Thread]] = []
        self.said: list[str] = []

    def target(self, user: User, job: WebJob, most: Role = Role.CONTRIBUTOR) -> Target:
        return Target(self._url, ApiToken.issue(user, "desk", most)[1], "demo", job.name)

    def debug(self, user: User, job: WebJob) -> DebugClient:
        client = DebugClient(self.target(user, job), self.said.append)
        client.start("", None)
        client.listen(0)
        thread = threading.Thread(target=client.serve, daemon=True)
        thread.start()
        self._clients.append((client, thread))
        return client

    def close(self) -> None:
        for client, thread in self._clients:
            client.close()
            thread.join(timeout=10)
