"""Who is away is told once when it goes and once when it is back, in one line each."""

from __future__ import annotations

import logging
import sys
from unittest import mock

from django.db import DatabaseError, OperationalError
from django.test import SimpleTestCase
from redis.exceptions import ConnectionError as RedisConnectionError

from webjobs import outages
from webjobs.outages import FORGOTTEN_AFTER, QUIET, InWords, Outage

ERROR = OperationalError("connection failed\n\tIs the server running?\n")
GONE = "It cannot be used: connection failed Is the server running?"
BACK = "It is back."


class OutageTests(SimpleTestCase):
    def setUp(self) -> None:
        self.outage = Outage("It", "It cannot be used", QUIET)
        self.now = 1000.0
        clock = mock.patch("webjobs.outages.time.monotonic", lambda: self.now)
        self.enterContext(clock)
        self.logs = self.enterContext(self.assertLogs("webjobs.outages", "DEBUG"))

    def lines(self) -> list[str]:
        """What people see who did not ask for more."""
        records = self.logs.records
        return [one.getMessage() for one in records if one.levelno >= logging.INFO]

    def test_its_beginning_and_its_end_are_one_line_each(self) -> None:
        for _ in range(3):
            self.outage.gone(ERROR)
        self.now += QUIET
        for _ in range(3):
            self.outage.back()
        self.assertEqual(self.lines(), [GONE, BACK])
        self.outage.gone(ERROR)
        self.assertEqual(self.lines(), [GONE, BACK, GONE])

    def test_its_traces_are_there_for_who_debugs(self) -> None:
        self.outage.gone(ERROR)
        self.assertIsNone(self.logs.records[0].exc_info)
        assert self.logs.records[1].exc_info
        self.assertIs(self.logs.records[1].exc_info[1], ERROR)

    def test_an_old_connection_that_another_thread_finds_later_is_no_second_one(self) -> None:
        self.outage.gone(ERROR)
        self.now += 1
        self.outage.back()
        self.outage.gone(ERROR)
        self.now += QUIET
        self.outage.back()
        self.assertEqual(self.lines(), [GONE, BACK])

    def test_one_that_nobody_ended_is_forgotten(self) -> None:
        self.outage.gone(ERROR)
        self.now += FORGOTTEN_AFTER + 1
        self.outage.gone(ERROR)
        self.assertEqual(self.lines(), [GONE, GONE])


class InWordsTests(SimpleTestCase):
    def passes(self, error: Exception, *, as_value: bool = False) -> bool:
        try:
            raise error
        except type(error):
            trace = None if as_value else sys.exc_info()
        values = ("redis://broker", error, "Trying again") if as_value else ()
        record = logging.LogRecord("celery", logging.ERROR, "", 1, "%s", values, trace)
        return InWords().filter(record)

    def test_what_celery_says_of_an_outage_becomes_the_one_line(self) -> None:
        away = RedisConnectionError("refused")
        with (
            mock.patch.object(outages.database, "gone") as database,
            mock.patch.object(outages.broker, "gone") as broker,
        ):
            self.assertFalse(self.passes(ERROR))
            self.assertFalse(self.passes(away))
            self.assertFalse(self.passes(away, as_value=True))
        database.assert_called_once_with(ERROR)
        self.assertEqual(broker.mock_calls, [mock.call(away)] * 2)

    def test_what_is_wrong_with_the_portal_itself_keeps_its_trace(self) -> None:
        self.assertTrue(self.passes(DatabaseError("no such column")))
        self.assertTrue(self.passes(OSError("No space left on device")))
