"""The next moment that matches, on a wall clock without a zone."""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime
from functools import lru_cache

from webjobs.ncrontab.fields import Values

NONE = 255
MONTH_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=1024)
def _successors(values: tuple[int, ...], maximum: int) -> bytes:
    """Index v gives the first allowed value >= v, or NONE; v is at most maximum + 1."""
    table = bytearray([NONE]) * (maximum + 2)
    found = NONE
    for value in range(maximum, -1, -1):
        if value in values:
            found = value
        table[value] = found
    return bytes(table)


@lru_cache(maxsize=1024)
def _day_masks(days: tuple[int, ...], weekdays: tuple[int, ...]) -> tuple[int, ...]:
    """Bit d of mask w: day d is allowed in a month whose first day is weekday w (Sunday 0)."""
    return tuple(
        sum(1 << day for day in days if (first + day - 1) % 7 in weekdays) for first in range(7)
    )


def _month_length(year: int, month: int) -> int:
    return 29 if month == 2 and isleap(year) else MONTH_LENGTHS[month]


class Occurrences:
    """Look-up tables of one schedule. One answer costs a few microseconds."""

    __slots__ = ("_days", "_first", "_hours", "_minutes", "_months", "_seconds", "possible")

    def __init__(self, values: Values) -> None:
        self._seconds = _successors(values.second, 59)
        self._minutes = _successors(values.minute, 59)
        self._hours = _successors(values.hour, 23)
        self._months = _successors(values.month, 12)
        self._days = _day_masks(values.day, values.day_of_week)
        self._first = (values.hour[0], values.minute[0], values.second[0])
        # Over the years every date that exists falls on every weekday, 29 February too.
        self.possible = any(values.day[0] <= LONGEST[month] for month in values.month)

    def next(self, after: datetime) -> datetime | None:
        """The first match strictly after naive `after`, None if there is none before year 10000.

        A fraction of a second in `after` is ignored, as NCrontab does.
        """
        if after.tzinfo is not None:
            raise ValueError("after must be a naive wall-clock time")
        if not self.possible:
            return None
        month, day = after.month, after.day
        mask = self._days[(after.isoweekday() - day + 1) % 7]
        if mask >> day & 1 and self._months[month] == month:
            found = self._later_that_day(after)
            if found is not None:
                return found
        return self._first_of_later_day(after.year, month, day, mask)

    def _later_that_day(self, after: datetime) -> datetime | None:
        hour, minute = after.hour, after.minute
        _, first_minute, first_second = self._first
        if self._hours[hour] == hour:
            if self._minutes[minute] == minute:
                second = self._seconds[after.second + 1]
                if second != NONE:
                    return after.replace(second=second, microsecond=0, fold=0)
            minute = self._minutes[minute + 1]
            if minute != NONE:
                return after.replace(minute=minute, second=first_second, microsecond=0, fold=0)
        hour = self._hours[hour + 1]
        if hour == NONE:
            return None
        return datetime(after.year, after.month, after.day, hour, first_minute, first_second)

    def _first_of_later_day(self, year: int, month: int, day: int, mask: int) -> datetime | None:
        if self._months[month] == month:
            rest = (mask & (2 << _month_length(year, month)) - 1) >> (day + 1)
            if rest:
                day += (rest & -rest).bit_length()
                return datetime(year, month, day, *self._first)
        while True:
            month = self._months[month + 1]
            if month == NONE:
                year, month = year + 1, self._months[1]
                if year > 9999:
                    return None
            mask = self._days[date(year, month, 1).isoweekday() % 7]
            rest = mask & (2 << _month_length(year, month)) - 1
            if rest:
                return datetime(year, month, (rest & -rest).bit_length() - 1, *self._first)
