"""Stopping whoever exchanges two slots in the middle of its transaction, from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from django.db import connection

from webjobs.models import Schedule

# Goes through more rows than anybody waits for; PostgreSQL can hold one row instead.
_ENDLESS = """
CREATE TRIGGER held AFTER UPDATE ON webjobs_schedule BEGIN
    SELECT count(*) FROM sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d,
        sqlite_master e;
END
"""
_HOLD = "SELECT 1 FROM webjobs_schedule WHERE id = %s FOR UPDATE"
_BLOCKED = "SELECT pid FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"


@contextmanager
def exchange_held(schedule: Schedule) -> Iterator[Callable[[], bool]]:
    """Whoever changes `schedule`, and so an exchange once WebJobs and settings have moved, gets
    stuck there until the block ends. Yields whether somebody is stuck, with what it has written
    so far."""
    hold = _sqlite() if connection.vendor == "sqlite" else _postgresql(schedule)
    with hold as is_stuck:
        yield is_stuck


@contextmanager
def _postgresql(schedule: Schedule) -> Iterator[Callable[[], bool]]:
    with closing(connection.copy()) as other, other.cursor() as cursor:

        def is_stuck() -> bool:
            cursor.execute(_BLOCKED)
            return cursor.fetchone() is not None

        cursor.execute("BEGIN")
        cursor.execute(_HOLD, [schedule.pk])
        yield is_stuck
        cursor.execute("ROLLBACK")


@contextmanager
def _sqlite() -> Iterator[Callable[[], bool]]:
    name = str(connection.settings_dict["NAME"])

    def is_stuck() -> bool:
        # Others write too, but none of them for so long.
        with closing(sqlite3.connect(name, timeout=1, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            other.execute("ROLLBACK")
            return False

    with connection.cursor() as cursor:
        cursor.execute(_ENDLESS)
        yield is_stuck
        cursor.execute("DROP TRIGGER held")
