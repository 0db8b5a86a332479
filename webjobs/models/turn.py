"""Whose turn it is to write: SQLite has one writer at a time, and others ask again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from django.db import Error, OperationalError, connection, transaction

# What statements of a thread wait by default while another writes; in milliseconds.
PATIENT = 20_000
# SQLite itself asks after 1, 2, 5, 10 ... and at last every 100 ms, so whoever has waited long is
# overtaken by all who come. To ask within these milliseconds always means to be among the first.
PROMPT = 4


def wait_for_lock(milliseconds: int) -> None:
    """How long statements of this thread wait when another writes; only SQLite has one writer."""
    if connection.vendor == "sqlite":
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")


@contextmanager
def prompt_transaction() -> Iterator[None]:
    """`transaction.atomic` for the few that must not be late: behind twenty busy writers it begins
    within 20 ms, where SQLite's own waiting takes up to three seconds."""
    with ExitStack() as stack:
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            stack.enter_context(transaction.atomic())
        else:
            _begin(stack)
        yield


def _begin(stack: ExitStack) -> None:
    give_up = time.monotonic() + PATIENT / 1000
    wait_for_lock(PROMPT)
    try:
        while True:
            try:
                stack.enter_context(transaction.atomic())
                return
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= give_up:
                    raise
    finally:
        wait_for_lock(PATIENT)


def _is_busy(error: OperationalError) -> bool:
    """Whether another one writes; anything else does not go away by asking again."""
    return "locked" in str(error)
