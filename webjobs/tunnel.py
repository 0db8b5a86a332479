"""The bytes between a developer's debugger and a WebJob, by way of the broker.

Web and worker may be on different machines and share nothing else. Each connection has a stream
for each direction, whose entries are numbered from 1 by whoever sends: what is sent or asked for
twice is harmless. A stream holds at most IN_FLIGHT entries; who sends waits.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError, ResponseError

BLOCK = 64 * 1024
IN_FLIGHT = 16  # entries of at most BLOCK bytes, in each direction
# A client that has not asked for so many seconds is gone; so is a worker that has not said so.
CLIENT_SECONDS = 60
WORKER_SECONDS = 20
# Longer than any session.
_KEPT_SECONDS = 2 * 3600
# How long one call may wait at the broker, well below the client's socket_timeout.
WAIT_SECONDS = 1.0
_PAUSE = 0.02
CONNECTION_ID = re.compile(r"[0-9a-f]{32}")
GONE = "The instance has not answered for a while."
CLOSED = "The connection is closed."

__all__ = ["RedisError"]


class Closed(Exception):
    """The connection has ended; the message says why."""


class Full(Exception):
    """The other side does not take more for the moment."""


@cache
def broker() -> Redis:
    """Thread-safe."""
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1)
    return Redis.from_url(url, socket_timeout=30, socket_connect_timeout=2)


@dataclass(frozen=True)
class Piece:
    """What came: `after` is the number to ask on from."""

    data: bytes
    after: int


@dataclass(frozen=True)
class Asked:
    """A connection that a developer asks for."""

    id: str
    user: str  # primary key, or empty
    name: str
    address: str


class Connection:
    """One connection of a session, seen from either end. Every method may raise RedisError."""

    def __init__(self, session: int, id: str) -> None:
        self._base = f"webjobs:debug:{session}:{id}"
        self.id = id

    @classmethod
    def ask(cls, session: int, user: int | None, name: str, address: str | None) -> Connection:
        """Have the worker connect to the debugger."""
        one = cls(session, secrets.token_hex(16))
        broker().set(one._alive("client"), 1, ex=CLIENT_SECONDS)
        broker().set(one._alive("worker"), 1, ex=WORKER_SECONDS)
        fields: dict[Any, Any] = {
            "id": one.id, "user": str(user or ""), "name": name, "address": address or "",
        }  # fmt: skip
        broker().xadd(_asked(session), fields, maxlen=100)
        broker().expire(_asked(session), _KEPT_SECONDS)
        return one

    def _alive(self, who: str) -> str:
        return f"{self._base}:{who}"

    def touch(self, who: str) -> bool:
        """Say that this side is there; false when the connection is not known any more."""
        seconds = CLIENT_SECONDS if who == "client" else WORKER_SECONDS
        return bool(broker().set(self._alive(who), 1, ex=seconds, xx=True))

    def is_there(self, who: str) -> bool:
        return bool(broker().exists(self._alive(who)))

    def send(
        self, way: str, number: int, data: bytes, go_on: Callable[[], bool], *, end: str = ""
    ) -> None:
        """Add entry `number`, unless it is there. Waits while there are too many and `go_on`
        says so, then raises Full. A non-empty `end` tells the other side why nothing follows."""
        stream = f"{self._base}:{way}"
        while not end and broker().xlen(stream) >= IN_FLIGHT:
            if not go_on():
                raise Full
            time.sleep(_PAUSE)
        fields: dict[Any, Any] = {"end": end} if end else {"data": data}
        try:
            broker().xadd(stream, fields, id=f"{number}-0")
        except ResponseError as error:
            if "equal or smaller" not in str(error):
                raise
        broker().expire(stream, _KEPT_SECONDS)

    def receive(self, way: str, after: int, seconds: float) -> Piece:
        """What came after entry `after`, which counts as taken; waits for it. Raises Closed at
        the end."""
        stream = f"{self._base}:{way}"
        broker().xtrim(stream, minid=f"{after + 1}-0", approximate=False)
        block = int(seconds * 1000) or None  # 0 would wait for ever
        found: Any = broker().xread({stream: f"{after}-0"}, count=IN_FLIGHT, block=block)
        data: list[bytes] = []
        number = after
        for id, fields in found[0][1] if found else []:
            if b"end" in fields:
                if data:
                    break
                raise Closed(fields[b"end"].decode(errors="replace"))
            data.append(fields[b"data"])
            number = int(id.split(b"-")[0])
        return Piece(b"".join(data), number)

    def leave(self) -> bool:
        """The client needs it no longer; the worker closes its end. False when that is known."""
        is_news = bool(broker().delete(self._alive("client")))
        if is_news:
            # Behind everything that was sent: the time is greater than any number.
            broker().xadd(f"{self._base}:up", {"end": CLOSED}, id="*")
            broker().expire(f"{self._base}:up", _KEPT_SECONDS)
        return is_news

    def forget(self) -> None:
        """Both sides see that it is closed; what the client has not read yet stays a minute."""
        broker().delete(self._alive("client"), self._alive("worker"), f"{self._base}:up")
        broker().expire(f"{self._base}:down", CLIENT_SECONDS)


def asked(session: int, seconds: float) -> list[Asked]:
    """Connections that were asked for and are the caller's from now on; waits for one."""
    found: Any = broker().xread({_asked(session): "0"}, count=10, block=int(seconds * 1000))
    taken = []
    for id, fields in found[0][1] if found else []:
        if broker().xdel(_asked(session), id):
            words = {key.decode(): value.decode() for key, value in fields.items()}
            taken.append(Asked(**words))
    return taken


def _asked(session: int) -> str:
    return f"webjobs:debug:{session}:asked"
