"""The connection: whoever writes waits for the turn, and is woken when it comes.

SQLite lets those who find its only write lock taken sleep, longer each time, up to 100 ms. With
many threads that write, as when many runs begin and end at once, the lock is free for most of the
time while all of them sleep. Here the threads of one process hand it to each other, and only the
first of them looks, again and again, whether another process has given it back.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.sqlite3 import base

# Between two looks at a lock that another process holds: about as long as it is held.
LOOK_EVERY = 0.0005
_WRITES = ("INSERT", "UPDATE", "DELETE")
# Without what SQLite adds to it in the higher bits.
_BUSY = 0xFF & sqlite3.SQLITE_BUSY

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
# A fork may copy a lock that nobody in the child would ever release.
os.register_at_fork(after_in_child=_turns.clear)


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's; a writer waits as long as the connection's `busy_timeout` says."""

    _turn: threading.Lock | None = None

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=lambda connection: _Cursor(connection, self))

    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors, _patience(self.connection) as seconds:
            turn = self.take_turn(seconds)
            try:
                begin = f"BEGIN {self.transaction_mode or ''}"  # type: ignore[attr-defined]
                insist(lambda: self.connection.execute(begin), seconds)
            except BaseException:
                turn.release()
                raise
        self._turn = turn

    def take_turn(self, seconds: float) -> threading.Lock:
        """The lock that the writers of this process hand to each other, to be released."""
        turn = _turns[str(self.settings_dict["NAME"])]
        if not turn.acquire(timeout=seconds):
            raise sqlite3.OperationalError("database is locked")
        return turn

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()

    def commit(self) -> None:
        super().commit()
        # After a failure the transaction goes on until it is rolled back.
        self._end_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._end_turn()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._end_turn()


class _Cursor(base.SQLiteCursorWrapper):
    """A statement that writes, outside a transaction, waits in the same way."""

    def __init__(self, connection: sqlite3.Connection, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        if self.connection.in_transaction or query.lstrip()[:6].upper() not in _WRITES:
            return super().execute(query, params)
        with _patience(self.connection) as seconds:
            turn = self._wrapper.take_turn(seconds)
            try:
                return insist(lambda: super(_Cursor, self).execute(query, params), seconds)
            finally:
                turn.release()


@contextmanager
def _patience(connection: sqlite3.Connection) -> Iterator[float]:
    """How long the connection may wait, in seconds; meanwhile SQLite itself does not."""
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield milliseconds / 1000
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def insist(action: Callable[[], Any], seconds: float) -> Any:
    """Do it as soon as no other process writes; raises what SQLite says when none of it helps."""
    until = time.monotonic() + seconds
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != _BUSY or time.monotonic() >= until:
                raise
        time.sleep(LOOK_EVERY)
