"""The six fields, the values they may hold, and their canonical text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class Field(NamedTuple):
    """One field: its key, its inclusive limits, and the names its values may have."""

    key: str
    minimum: int
    maximum: int
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values the field can have."""
        return self.maximum - self.minimum + 1


class Values(NamedTuple):
    """The allowed values of each field, sorted, never empty. Sunday is 0."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day: tuple[int, ...]
    month: tuple[int, ...]
    day_of_week: tuple[int, ...]


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
DAY_OF_WEEK = Field("day_of_week", 0, 6, WEEKDAYS)
FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, DAY_OF_WEEK)


def runs(values: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The runs of neighbours in sorted `values`, as (first, last)."""
    first = last = None
    for value in values:
        if first is None or last is None:
            first = last = value
        elif value == last + 1:
            last = value
        else:
            yield first, last
            first = last = value
    if first is not None and last is not None:
        yield first, last


def _canonical_field(field: Field, values: tuple[int, ...]) -> str:
    if len(values) == field.size:
        return "*"
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs(values))


def canonical(values: Values) -> str:
    """The numeric text NCrontab prints: `*` when full, else runs and single values."""
    return " ".join(map(_canonical_field, FIELDS, values))
