"""The schedule object the rest of the house uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from webjobs.ncrontab.describe import describe
from webjobs.ncrontab.fields import Values, canonical
from webjobs.ncrontab.occurrence import Occurrences
from webjobs.ncrontab.parse import Note, parse_values
from webjobs.ncrontab.warnings import NcrontabWarning, warnings
from webjobs.ncrontab.zoned import next_in_zone


@dataclass(frozen=True)
class Ncrontab:
    """A parsed expression. Immutable and hashable; equal when the texts are equal."""

    text: str
    values: Values = field(compare=False, repr=False)
    notes: tuple[Note, ...] = field(compare=False, repr=False, default=())

    def __str__(self) -> str:
        return self.text

    @cached_property
    def canonical(self) -> str:
        """The numeric form NCrontab prints, as in the trigger text of scheduled runs."""
        return canonical(self.values)

    @cached_property
    def is_interval(self) -> bool:
        """Whether it counts as a schedule of intervals, which runs in both passes of a
        repeated hour; otherwise it names points in time and runs once."""
        clock = self.canonical.split(" ")[:3]
        return any(mark in part for part in clock for mark in "*-")

    @cached_property
    def possible(self) -> bool:
        """Whether the calendar has such a date at all (30 February has not)."""
        return self._occurrences.possible

    @cached_property
    def _occurrences(self) -> Occurrences:
        return Occurrences(self.values)

    def next(self, after: datetime) -> datetime | None:
        """The first match strictly after naive `after`; None if none before year 10000."""
        return self._occurrences.next(after)

    def next_in_zone(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first occurrence strictly after aware `after`, as an aware UTC time.

        A time the clock leaves out comes later by as much as is left out. In a repeated hour
        intervals run in both passes and points in time in the first.
        """
        return next_in_zone(self._occurrences.next, self.is_interval, after, zone)

    def upcoming(self, after: datetime, zone: ZoneInfo, count: int) -> list[datetime]:
        """The next `count` occurrences in UTC, in order; fewer when there are no more."""
        found: list[datetime] = []
        while len(found) < count:
            moment = self.next_in_zone(found[-1] if found else after, zone)
            if moment is None:
                break
            found.append(moment)
        return found

    def describe(self, language: str = "en") -> str:
        """The schedule in words, in English or French ("fr" and its variants)."""
        return describe(self.values, language)

    def warnings(self, language: str = "en") -> list[NcrontabWarning]:
        """What is allowed but probably not meant, most serious first."""
        return warnings(self.values, self.notes, language)


def parse(text: str) -> Ncrontab:
    """Read a six-field NCRONTAB expression. Raises `NcrontabError` that says how to mend it."""
    values, notes = parse_values(text)
    return Ncrontab(text, values, notes)
