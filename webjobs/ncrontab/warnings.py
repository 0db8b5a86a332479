"""What an expression does that its writer probably did not mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from webjobs.ncrontab.fields import DAY, DAY_OF_WEEK, MINUTE, SECOND, Values
from webjobs.ncrontab.messages import WARNINGS, field_name, pick
from webjobs.ncrontab.occurrence import LONGEST, Occurrences
from webjobs.ncrontab.parse import Note


class NcrontabWarning(NamedTuple):
    """A stable code and the sentence to show."""

    code: str
    message: str


def _clock_notes(values: Values) -> Iterator[Note]:
    every_minute = len(values.minute) == MINUTE.size
    if len(values.second) == SECOND.size and not every_minute:
        yield Note("every_second_of_minute", "second", {})
    elif len(values.second) > 1:
        yield Note("more_than_once_a_minute", "second", {"count": len(values.second)})
    if every_minute and len(values.hour) == 1:
        yield Note("every_minute_of_hour", "minute", {})


def _date_notes(values: Values) -> Iterator[Note]:
    if len(values.day) < DAY.size and len(values.day_of_week) < DAY_OF_WEEK.size:
        yield Note("day_and_weekday", "day", {})
    first = values.day[0]
    if values.month == (2,) and first == 29:
        yield Note("leap_years", "day", {})
    elif first > 28 and any(LONGEST[month] < first or month == 2 for month in values.month):
        yield Note("short_months", "day", {"day": first})


def _all_notes(values: Values, notes: Sequence[Note]) -> Iterator[Note]:
    if not Occurrences(values).possible:
        yield Note("never", "day", {})
        return
    yield from (note for note in notes if note.code == "reversed_range")
    yield from _clock_notes(values)
    yield from _date_notes(values)
    yield from (note for note in notes if note.code != "reversed_range")


def warnings(values: Values, notes: Sequence[Note], language: str) -> list[NcrontabWarning]:
    """The warnings in the given language, most serious first."""
    return [
        NcrontabWarning(
            note.code,
            pick(WARNINGS[note.code], language).format(
                field=field_name(note.field, language), **note.params
            ),
        )
        for note in _all_notes(values, notes)
    ]
