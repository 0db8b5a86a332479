"""What a language must be able to say for `describe`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

# One run of neighbours, (first, last); equal when it is a single value.
Run = tuple[int, int]


class Words(Protocol):
    """Phrases in lower case without a comma at either end. `unit` is "second" or "minute"."""

    def join(self, items: Sequence[str]) -> str:
        """`a, b and c`."""

    def clock(self, hour: int, minute: int, second: int | None = None) -> str:
        """A time of day; the second is left out when None."""

    def at_times(self, times: Sequence[str]) -> str:
        """At these times of day."""

    def every(self, unit: str, step: int) -> str:
        """Every so many seconds, minutes or hours."""

    def from_to(self, unit: str, first: int, last: int) -> str:
        """From this second or minute to that one, both included."""

    def at_values(self, unit: str, parts: Sequence[Run]) -> str:
        """At these seconds of the minute or minutes of the hour."""

    def in_minutes(self, parts: Sequence[Run]) -> str:
        """While the minute is one of these."""

    def one_in(self, unit: str, step: int) -> str:
        """In one minute, hour or day out of so many."""

    def span(self, start: str, end: str) -> str:
        """From one time of day to the other."""

    def every_day(self) -> str:
        """Every day."""

    def on_date(self, day: int, month: int) -> str:
        """On one day of one month."""

    def on_days(self, parts: Sequence[Run]) -> str:
        """On these days of the month."""

    def days_from_to(self, first: int, last: int) -> str:
        """From one day of the month to another, both included."""

    def in_months(self, parts: Sequence[Run]) -> str:
        """In these months, January being 1."""

    def weekday_run(self, first: int, last: int) -> str:
        """From one day of the week to another, Sunday being 0."""

    def on_weekdays(self, days: Sequence[int]) -> str:
        """On these days of the week."""

    def only_on(self, days: Sequence[int], run: Run | None) -> str:
        """A further condition on the day: the day of the week is one of these (a run, if any)."""
