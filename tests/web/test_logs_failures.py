"""What happens to a log while the database refuses: real full disks, locks and lost connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock, skipUnless

from django.db import OperationalError, connection
from django.test import TransactionTestCase

from tests.support.logs import new_log
from tests.support.poll import until
from webjobs import logs
from webjobs.logs import LogUnavailable, LogWriter, flush_many
from webjobs.models import Log, Run
from webjobs.states import Stream

OUT = Stream.OUT
NOON = 1_700_000_000.0
MIB = 1024 * 1024
ON_SQLITE = connection.vendor == "sqlite"


def everything(log: Log, stream: Stream | None = None) -> bytes:
    return b"".join(logs.raw(log, stream))


def flush_until_stored(*writers: LogWriter) -> None:
    def is_stored() -> bool:
        flush_many(writers)
        return not any(writer.is_failing for writer in writers)

    until(is_stored, what="the log to be stored")


@contextmanager
def full_disk(pages: int = 50) -> Iterator[None]:
    """SQLite may grow by `pages` more and then refuses as it does when the disk is full."""
    options = connection.settings_dict["OPTIONS"]
    before = options["init_command"]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # what other tests deleted is room too
        cursor.execute("PRAGMA page_count")
        (count,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count={count + pages}")
    # A connection that is opened anew finds no more room either.
    options["init_command"] = f"{before} PRAGMA max_page_count={count + pages};"
    try:
        yield
    finally:
        options["init_command"] = before
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count=1000000000")


@contextmanager
def locked() -> Iterator[None]:
    """Another connection is in the middle of a write."""
    is_locked, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            is_locked.set()
            may_go.wait(30)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert is_locked.wait(10)
        yield
    finally:
        may_go.set()
        thread.join()


class FailureTests(TransactionTestCase):
    def setUp(self) -> None:
        self.log = new_log()
        self.writer = LogWriter(self.log, limit=100 * MIB)

    @skipUnless(ON_SQLITE, "needs SQLite")
    def test_a_full_disk_costs_no_byte(self) -> None:
        data = b"x" * MIB
        with full_disk():
            self.writer.append(OUT, data, NOON)
            self.writer.flush()
            self.assertTrue(self.writer.is_failing)
            self.assertIn("full", self.writer.failure)
            self.writer.append(OUT, b"more\n", NOON)
        flush_until_stored(self.writer)
        self.assertEqual(everything(self.log), data + b"more\n")

    @skipUnless(ON_SQLITE, "needs SQLite")
    def test_while_the_disk_is_full_it_is_tried_once_a_second(self) -> None:
        with full_disk():
            self.writer.append(OUT, b"x" * MIB, NOON)
            self.writer.flush()
            due = self.writer.flush_due()
            with self.assertNumQueries(0):
                for _ in range(5):
                    self.writer.flush()
            self.assertEqual(self.writer.flush_due(), due)

    @skipUnless(ON_SQLITE, "needs SQLite")
    def test_completing_says_that_the_disk_is_full_and_can_be_repeated(self) -> None:
        data = b"x" * MIB
        with full_disk():
            self.writer.append(OUT, data, NOON)
            for _ in range(2):
                with self.assertRaisesMessage(LogUnavailable, "full"):
                    self.writer.complete(also=lambda: Run.objects.update(exit_code=0))
            self.assertIsNone(Run.objects.get().exit_code)
        self.writer.complete(also=lambda: Run.objects.update(exit_code=0))
        self.log.refresh_from_db()
        self.assertTrue(self.log.is_complete)
        self.assertEqual(Run.objects.get().exit_code, 0)
        self.assertEqual(everything(self.log), data)

    @skipUnless(ON_SQLITE, "needs SQLite")
    def test_beyond_what_memory_may_hold_output_is_lost_and_said_so(self) -> None:
        block = b"x" * MIB
        with full_disk():
            self.writer.append(OUT, b"first\n", NOON)
            self.writer.append(OUT, block, NOON)
            self.writer.flush()
            for _ in range(9):
                self.writer.append(OUT, block, NOON)
            self.writer.append(OUT, b"small\n", NOON)
            self.writer.system(Stream.SYSTEM, "The process ended")
        flush_until_stored(self.writer)
        self.writer.append(OUT, b"last\n", NOON)
        self.writer.complete()
        lost = 3 * MIB + len(b"small\n")
        self.assertEqual(everything(self.log, OUT), b"first\n" + 7 * block + b"last\n")
        system, warning = (
            b"".join(logs.raw(self.log, level)).decode()
            for level in (Stream.SYSTEM, Stream.SYSTEM_WARN)
        )
        self.assertEqual(system, "The process ended\n")
        self.assertIn(f"{lost:,} bytes of output were lost", warning)
        self.assertIn("full", warning)
        self.assertEqual(warning.count("\n"), 1)
        self.log.refresh_from_db()
        self.assertEqual(self.log.dropped, lost)

    @skipUnless(ON_SQLITE, "needs SQLite")
    def test_a_locked_database_delays_and_loses_nothing(self) -> None:
        others = [LogWriter(new_log(), limit=MIB) for _ in range(3)]
        writers = [self.writer, *others]
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=50")
        with locked():
            for writer in writers:
                writer.append(OUT, b"a\n", NOON)
            flush_many(writers)
            self.assertTrue(all(writer.is_failing for writer in writers))
            self.assertIn("locked", self.writer.failure)
        flush_until_stored(*writers)
        self.assertEqual([everything(writer.log) for writer in writers], [b"a\n"] * 4)

    @skipUnless(connection.vendor == "postgresql", "needs PostgreSQL")
    def test_a_lost_connection_is_replaced(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        self.writer.flush()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        thread = threading.Thread(target=_terminate, args=(pid,))
        thread.start()
        thread.join()
        self.writer.append(OUT, b"b\n", NOON)
        self.writer.flush()
        self.assertTrue(self.writer.is_failing)
        flush_until_stored(self.writer)
        self.assertEqual(everything(self.log), b"a\nb\n")

    def test_a_commit_whose_answer_was_lost_is_not_repeated(self) -> None:
        self.writer.append(OUT, b"a\nb", NOON)
        with answer_lost():
            self.writer.flush()
        self.assertTrue(self.writer.is_failing)
        self.writer.append(OUT, b"c\n", NOON)
        flush_until_stored(self.writer)
        self.assertEqual(everything(self.log), b"a\nbc\n")
        self.log.refresh_from_db()
        self.assertEqual((self.log.lines, self.log.chunks.count()), (2, 2))

    def test_a_completion_whose_answer_was_lost_is_not_repeated(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        with answer_lost(), self.assertRaises(LogUnavailable):
            self.writer.complete()
        self.writer.complete()
        self.assertFalse(self.writer.is_failing)
        self.assertEqual(everything(self.log), b"a\n")

    def test_bytes_of_another_writer_are_not_taken_for_ours(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        with mock.patch.object(connection, "commit", side_effect=OperationalError("gone")):
            self.writer.flush()
        other = LogWriter(self.log, limit=MIB)
        other.append(OUT, b"b\n", NOON)
        other.flush()
        flush_until_stored(self.writer)
        self.assertEqual(everything(self.log), b"b\na\n")


@contextmanager
def answer_lost() -> Iterator[None]:
    """Transactions are committed, but whoever asked for it hears of an error."""
    commit = connection.commit

    def commit_and_fail() -> None:
        commit()
        raise OperationalError("server closed the connection unexpectedly")

    with mock.patch.object(connection, "commit", commit_and_fail):
        yield


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.close()
