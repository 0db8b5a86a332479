"""What every process needs and what may be away: the database, the broker.

Many threads notice, again and again. One line tells people when it goes and one when it is back;
what each of them noticed is told at the level DEBUG, with its trace.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as NotSent
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
BROKER_ERRORS = (RedisError, NotSent, ConnectionError)
# Seconds without a failure after which a success of the database counts: of many threads the last
# ones may still be about to find that their connection is an old one.
QUIET = 3.0
# What nobody has noticed for so long, in seconds, begins anew, whoever did not say that it is back.
FORGOTTEN_AFTER = 60.0


class Outage:
    """Thread-safe. `words` begin the line of its beginning; `name` that of its end, for which no
    failure may have been noticed for `quiet` seconds."""

    def __init__(self, name: str, words: str, quiet: float = 0.0) -> None:
        self._name = name
        self._words = words
        self._quiet = quiet
        self._lock = threading.Lock()
        self._is_away = False
        self._noticed_at = 0.0
        self._error: object = None

    def gone(self, error: object) -> None:
        """It has just failed; whoever says so tries again."""
        with self._lock:
            now = time.monotonic()
            is_news = not self._is_away or now - self._noticed_at > FORGOTTEN_AFTER
            self._is_away, self._noticed_at, self._error = True, now, error
        if is_news:
            logger.warning("%s: %s", self._words, one_line(error))
        logger.debug("%s:", self._words, exc_info=error if isinstance(error, Exception) else None)

    @property
    def trouble(self) -> object:
        """What failed last; None when that is long ago, or it is back since."""
        is_fresh = time.monotonic() - self._noticed_at <= FORGOTTEN_AFTER
        return self._error if self._is_away and is_fresh else None

    def back(self) -> None:
        """It has just done its work; of a database: it has stored something."""
        if not self._is_away:
            return
        with self._lock:
            if not self._is_away or time.monotonic() - self._noticed_at < self._quiet:
                return
            self._is_away = False
        logger.warning("%s is back.", self._name)


database = Outage("The database", "The database cannot be used, trying again", QUIET)
broker = Outage("The broker", "The broker cannot be reached, what is asked for starts later")


class InWords(logging.Filter):
    """Takes from Celery what it says of an outage at each attempt, or with a trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        values = record.args if isinstance(record.args, tuple) else ()
        for error in (record.exc_info[1] if record.exc_info else None, *values):
            if isinstance(error, DATABASE_ERRORS):
                database.gone(error)
                return False
            if isinstance(error, BROKER_ERRORS):
                broker.gone(error)
                return False
        return True


def one_line(error: object) -> str:
    """What a database says in several lines, or in none."""
    return " ".join(str(error).split()) or type(error).__name__
