"""The English phrases of `describe`."""

from __future__ import annotations

from collections.abc import Sequence

from webjobs.ncrontab.fields import MONTHS, WEEKDAYS
from webjobs.ncrontab.words import Run

WHOLE = {"second": "minute", "minute": "hour"}


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


class English:
    """See `Words`. Times are on the 12-hour clock."""

    def join(self, items: Sequence[str]) -> str:
        """`a, b and c`."""
        return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))

    def _values(self, noun: str, parts: Sequence[Run]) -> str:
        named = [str(a) if a == b else f"{a} to {b}" for a, b in parts]
        single = len(parts) == 1 and parts[0][0] == parts[0][1]
        return f"{noun if single else noun + 's'} {self.join(named)}"

    def clock(self, hour: int, minute: int, second: int | None = None) -> str:
        """`9:30 AM`, with the second when given."""
        exact = "" if second is None else f":{second:02}"
        return f"{hour % 12 or 12}:{minute:02}{exact} {'AM' if hour < 12 else 'PM'}"

    def at_times(self, times: Sequence[str]) -> str:
        """`at 9:30 AM`."""
        return f"at {self.join(times)}"

    def every(self, unit: str, step: int) -> str:
        """`every 5 minutes`."""
        return f"every {unit}" if step == 1 else f"every {step} {unit}s"

    def from_to(self, unit: str, first: int, last: int) -> str:
        """`from minute 5 to minute 55 of the hour`."""
        return f"from {unit} {first} to {unit} {last} of the {WHOLE[unit]}"

    def at_values(self, unit: str, parts: Sequence[Run]) -> str:
        """`at minutes 5 and 17 of the hour`."""
        return f"at {self._values(unit, parts)} of the {WHOLE[unit]}"

    def in_minutes(self, parts: Sequence[Run]) -> str:
        """`in minutes 5 to 10 of the hour`."""
        return f"in {self._values('minute', parts)} of the hour"

    def one_in(self, unit: str, step: int) -> str:
        """`in every 2nd hour`; a day takes `on`."""
        return f"{'on' if unit == 'day' else 'in'} every {_ordinal(step)} {unit}"

    def span(self, start: str, end: str) -> str:
        """`from 9:00 AM to 5:59 PM`."""
        return f"from {start} to {end}"

    def every_day(self) -> str:
        """`every day`."""
        return "every day"

    def on_date(self, day: int, month: int) -> str:
        """`on January 1`."""
        return f"on {MONTHS[month - 1]} {day}"

    def on_days(self, parts: Sequence[Run]) -> str:
        """`on days 1 to 7 and 15 of the month`."""
        return f"on {self._values('day', parts)} of the month"

    def days_from_to(self, first: int, last: int) -> str:
        """`from day 1 to day 31 of the month`."""
        return f"from day {first} to day {last} of the month"

    def in_months(self, parts: Sequence[Run]) -> str:
        """`in March and June`, `from June to August`."""
        singles = [MONTHS[a - 1] for a, b in parts if a == b]
        ranges = [f"from {MONTHS[a - 1]} to {MONTHS[b - 1]}" for a, b in parts if a != b]
        return self.join(ranges + ([f"in {self.join(singles)}"] if singles else []))

    def weekday_run(self, first: int, last: int) -> str:
        """`Monday to Friday`."""
        return f"{WEEKDAYS[first]} to {WEEKDAYS[last]}"

    def on_weekdays(self, days: Sequence[int]) -> str:
        """`on Monday and Wednesday`."""
        return f"on {self.join([WEEKDAYS[day] for day in days])}"

    def only_on(self, days: Sequence[int], run: Run | None) -> str:
        """`only if the day is a Monday`."""
        if run:
            return f"only if the day is from {self.weekday_run(*run)}"
        if len(days) == 1:
            return f"only if the day is a {WEEKDAYS[days[0]]}"
        return f"only if the day is one of {self.join([WEEKDAYS[day] for day in days])}"
