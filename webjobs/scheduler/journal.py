"""The scheduler's log of each WebJob, in Azure's words.

Lines are information, not truth: they wait in memory until beat has nothing else to do, and those
of one schedule are stored together, and only a few logs a second. So a WebJob among few has its
lines at once, those of 10,000 cost beat 3 % of a core, and a beat that is killed loses some lines.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import IntegrityError

from webjobs.logs import LogWriter, flush_many, log_of_schedule
from webjobs.models import Schedule
from webjobs.states import Stream

# About 300 occurrences. More of them are in the history.
LOG_LIMIT = 16 * 1024
# Logs that one flush stores, about 1.5 ms each, twice a second.
FLUSH_LOGS = 10
# Lines that wait for one log; beyond it the oldest go.
MAX_WAITING = 30


class Note(NamedTuple):
    level: Stream
    message: str
    at: float  # seconds since 1970


class Journal:
    """Lines that are not stored yet, by schedule; those that wait longest go first."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Note]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def note(
        self, schedule_pk: int, message: str, at: datetime, level: Stream = Stream.SYSTEM
    ) -> None:
        """Keep a line for the log of a schedule."""
        notes = self._waiting.setdefault(schedule_pk, [])
        notes.append(Note(level, message, at.timestamp()))
        if len(notes) > MAX_WAITING:
            del notes[0]

    def flush(self, limit: int = FLUSH_LOGS) -> None:
        """Store the lines of up to `limit` schedules; what cannot be stored waits on."""
        pks = list(islice(self._waiting, limit))
        writers = {}
        for schedule in Schedule.objects.filter(pk__in=pks):
            writer = self._writer(schedule)
            if writer is not None:
                writers[schedule.pk] = writer
        flush_many(writers.values())
        for pk in pks:
            if pk not in writers or not writers[pk].is_failing:
                del self._waiting[pk]

    def _writer(self, schedule: Schedule) -> LogWriter | None:
        """A writer with the waiting lines of `schedule`; None when it was deleted just now."""
        try:
            log = log_of_schedule(schedule)
        except IntegrityError:
            return None
        writer = LogWriter(log, limit=LOG_LIMIT, rolling=True)
        for note in self._waiting[schedule.pk]:
            writer.append(note.level, note.message.encode() + b"\n", note.at)
        return writer
