"""The worker's end of the tunnel: from the broker to the debugger on this machine's loopback."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress

from django.db import Error, connections

from webjobs import outages
from webjobs.models import AuditEntry, DebugSession
from webjobs.runner.debugger import HOST
from webjobs.tunnel import (
    BLOCK,
    GONE,
    WAIT_SECONDS,
    Asked,
    Closed,
    Connection,
    Full,
    RedisError,
    asked,
)

logger = logging.getLogger(__name__)

# A debugger client has one or two.
MOST_CONNECTIONS = 8
# From the start of a process until its debugger listens.
LISTEN_SECONDS = 20.0
TOUCH_EVERY = 2.0
RETRY_EVERY = 1.0
SESSION_OVER = "The debug session is over."
NO_LISTENER = "The debugger did not listen; the log of the WebJob may tell why."
TOO_MANY = "There are too many connections to this debugger already."
CLIENT_LEFT = "The developer's end has closed it, or has not asked for a minute."
DEBUGGER_LEFT = "The debugger has closed it."


class Tunnel:
    """All connections of one session. `port` and `close` belong to the supervisor's thread."""

    def __init__(self, session: DebugSession) -> None:
        self.session = session
        self.port: int | None = None
        self._closing = threading.Event()
        self._open: set[_Pump] = set()
        threading.Thread(target=self._run, name=f"debug-{session.pk}", daemon=True).start()

    @property
    def count(self) -> int:
        return len(self._open)

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    def close(self) -> None:
        """End every connection; returns at once."""
        self._closing.set()

    def wait(self, seconds: float) -> bool:
        """Whether it was closed meanwhile."""
        return self._closing.wait(seconds)

    def _run(self) -> None:
        while not self.is_closing:
            try:
                for one in asked(self.session.pk, WAIT_SECONDS):
                    pump = _Pump(self, one)
                    if self.count >= MOST_CONNECTIONS:
                        pump.refuse(TOO_MANY)
                    else:
                        self._open.add(pump)
                        threading.Thread(target=self._serve, args=(pump,), daemon=True).start()
            except RedisError as error:
                outages.broker.gone(error)
                self.wait(RETRY_EVERY)

    def _serve(self, pump: _Pump) -> None:
        try:
            pump.run()
        finally:
            self._open.discard(pump)
            connections.close_all()


class _Pump:
    """One connection: this thread carries up, to the debugger, and another one carries down."""

    def __init__(self, tunnel: Tunnel, asked: Asked) -> None:
        self._tunnel = tunnel
        self._asked = asked
        self._connection = Connection(tunnel.session.pk, asked.id)
        self._ended = threading.Event()
        self._reason = ""
        self._up = self._down = self._sent = 0
        self._touch_at = 0.0

    def refuse(self, reason: str) -> None:
        self._connection.send("down", 1, b"", lambda: False, end=reason)
        self._connection.forget()

    def run(self) -> None:
        """Until either side ends, or the session."""
        try:
            debugger = self._connect()
            if debugger is None:
                self._end(SESSION_OVER if self._tunnel.is_closing else NO_LISTENER)
            else:
                with debugger:
                    self._carry(debugger)
        finally:
            self._conclude()

    def _connect(self) -> socket.socket | None:
        deadline = time.monotonic() + LISTEN_SECONDS
        while not self._tunnel.wait(0.05) and time.monotonic() < deadline:
            port = self._tunnel.port
            with suppress(OSError):
                if port is not None:
                    return socket.create_connection((HOST, port), timeout=WAIT_SECONDS)
            self._touch()
        return None

    def _carry(self, debugger: socket.socket) -> None:
        debugger.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        down = threading.Thread(target=self._carry_down, args=(debugger,), daemon=True)
        down.start()
        try:
            after = 0
            while self._may_go_on():
                piece = self._connection.receive("up", after, WAIT_SECONDS)
                if piece.data:
                    debugger.sendall(piece.data)
                    self._up += len(piece.data)
                after = piece.after
        except Closed:
            self._end(CLIENT_LEFT)
        except OSError:
            self._end(DEBUGGER_LEFT)
        except RedisError as error:
            self._end(f"The broker cannot be reached: {error}")
        finally:
            with suppress(OSError):
                debugger.shutdown(socket.SHUT_RDWR)
            down.join()

    def _carry_down(self, debugger: socket.socket) -> None:
        number = 0
        try:
            while not self._is_over:
                try:
                    data = debugger.recv(BLOCK)
                except TimeoutError:
                    continue
                if not data:
                    break
                number += 1
                self._connection.send("down", number, data, lambda: not self._is_over)
                self._sent, self._down = number, self._down + len(data)
            self._end(DEBUGGER_LEFT)
        except (OSError, Full):
            self._end(DEBUGGER_LEFT)
        except RedisError as error:
            self._end(f"The broker cannot be reached: {error}")

    @property
    def _is_over(self) -> bool:
        return self._ended.is_set() or self._tunnel.is_closing

    def _may_go_on(self) -> bool:
        if self._tunnel.is_closing:
            self._end(SESSION_OVER)
        elif not self._ended.is_set():
            self._touch()
        return not self._ended.is_set()

    def _touch(self) -> None:
        now = time.monotonic()
        if now >= self._touch_at:
            self._touch_at = now + TOUCH_EVERY
            with suppress(RedisError):
                self._connection.touch("worker")
                if not self._connection.is_there("client"):
                    self._end(CLIENT_LEFT)

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._ended.set()

    def _conclude(self) -> None:
        reason = self._reason or GONE
        with suppress(RedisError):
            self._connection.send("down", self._sent + 1, b"", lambda: False, end=reason)
            self._connection.forget()
        session = self._tunnel.session
        try:
            AuditEntry.objects.create(
                user_id=int(self._asked.user) if self._asked.user else None,
                user_name=self._asked.name,
                address=self._asked.address or None,
                action="debug.disconnect",
                app_id=session.job.slot.app_id,
                target=str(session.job)[:300],
                details={"bytes_up": self._up, "bytes_down": self._down, "reason": reason},
            )
        except Error as error:
            logger.warning("The end of a debugger's connection is not recorded: %s", error)
