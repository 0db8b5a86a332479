"""SQLite's one writer: who writes waits for the turn, and no turn is ever lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock, skipUnless

from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from webjobs.models import App


class _Thread:
    """An action in a thread with a connection of its own."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.ended_at = 0.0
        self.error: Exception | None = None
        self._action = action
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._action()
        except OperationalError as error:
            self.error = error
        finally:
            self.ended_at = time.monotonic()
            connection.close()

    def join(self) -> None:
        self._thread.join(30)


def rename(name: str) -> None:
    with transaction.atomic():
        App.objects.update(name=name)


def patience(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")


@contextmanager
def another_process() -> Iterator[None]:
    """What another process does to us while it writes."""
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@skipUnless(connection.vendor == "sqlite", "PostgreSQL has any number of writers")
class WriterTests(TransactionTestCase):
    def setUp(self) -> None:
        App.objects.create(name="first")

    def test_who_waits_goes_on_as_soon_as_the_other_has_ended(self) -> None:
        for action in (lambda: rename("second"), lambda: App.objects.update(name="second")):
            with transaction.atomic():
                thread = _Thread(action)
                time.sleep(0.4)  # By now SQLite itself would look every 50 to 100 ms.
                self.assertEqual(thread.ended_at, 0)
            released_at = time.monotonic()
            thread.join()
            self.assertIsNone(thread.error)
            self.assertLess(thread.ended_at - released_at, 0.2)

    def test_it_waits_for_other_processes_too(self) -> None:
        with another_process():
            thread = _Thread(lambda: rename("second"))
            time.sleep(0.1)
            self.assertEqual(thread.ended_at, 0)
        thread.join()
        self.assertEqual(App.objects.get().name, "second")

    def test_it_gives_up_when_the_connection_has_no_more_patience(self) -> None:
        def impatient() -> None:
            patience(50)
            App.objects.update(name="second")

        with transaction.atomic():
            of_this_process = _Thread(impatient)
            of_this_process.join()
        with another_process():
            of_another = _Thread(impatient)
            of_another.join()
        for thread in (of_this_process, of_another):
            self.assertIn("locked", str(thread.error))
        rename("third")

    def test_a_turn_ends_however_its_transaction_ends(self) -> None:
        def fails() -> None:
            with transaction.atomic():
                raise OperationalError("ours")

        def cannot_commit() -> None:
            with transaction.atomic():
                broken = mock.Mock(wraps=connection.connection)
                broken.commit.side_effect = sqlite3.OperationalError("disk full")
                connection.connection = broken

        def loses_its_connection() -> None:
            with transaction.atomic():
                connection.close()

        for end in (fails, cannot_commit, loses_its_connection):
            _Thread(end).join()
            thread = _Thread(partial(rename, end.__name__))
            thread.join()
            self.assertIsNone(thread.error, end)
            self.assertEqual(App.objects.get().name, end.__name__)
