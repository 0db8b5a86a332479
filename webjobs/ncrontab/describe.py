"""A schedule in words, made from the allowed values, so that it is true of any expression.

Different schedules get different words: every value that matters is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from webjobs.ncrontab.english import English
from webjobs.ncrontab.fields import DAY, DAY_OF_WEEK, HOUR, MINUTE, MONTH, Values, runs
from webjobs.ncrontab.french import French
from webjobs.ncrontab.words import Run, Words

# Up to so many times of day are named one by one; beyond, a rule reads better.
FEW_TIMES = 4


def _progression(values: Sequence[int]) -> int | None:
    """The common distance of three or more values, if they have one."""
    if len(values) < 3:
        return None
    step = values[1] - values[0]
    return step if all(b - a == step for a, b in zip(values, values[1:], strict=False)) else None


def _spoken(values: Sequence[int]) -> list[Run]:
    """Runs, but two neighbours are named one by one."""
    parts: list[Run] = []
    for first, last in runs(values):
        parts += [(first, first), (last, last)] if last == first + 1 else [(first, last)]
    return parts


def _goes_round(values: Sequence[int], size: int) -> bool:
    """Whether the values divide the whole minute, hour or day evenly, from 0 on."""
    return (
        values[0] == 0
        and len(values) > 1
        and values == tuple(range(0, size, values[1]))
        and (size % values[1] == 0)
    )


def _times(values: Values, words: Words) -> list[str]:
    with_second = values.second != (0,)
    clock = product(values.hour, values.minute, values.second)
    return [words.clock(h, m, s if with_second else None) for h, m, s in clock]


def _within(unit: str, values: tuple[int, ...], words: Words) -> list[str]:
    """The rule for the smallest unit that has several values."""
    if _goes_round(values, MINUTE.size):
        return [words.every(unit, values[1])]
    if step := _progression(values):
        return [words.every(unit, step), words.from_to(unit, values[0], values[-1])]
    return [words.at_values(unit, _spoken(values))]


def _minutes_too(minutes: tuple[int, ...], words: Words) -> list[str]:
    """The minutes as a condition, when the seconds are the rule."""
    if len(minutes) == MINUTE.size:
        return []
    step = _progression(minutes)
    if step is not None and step > 1:
        first_to_last = words.from_to("minute", minutes[0], minutes[-1])
        return [words.one_in("minute", step), first_to_last]
    return [words.in_minutes(_spoken(minutes))]


def _hours_too(hours: tuple[int, ...], words: Words) -> list[str]:
    """The hours as a condition, when minutes or seconds are the rule."""
    if len(hours) == HOUR.size:
        return []
    step = _progression(hours)
    if step is not None and step > 1:
        span = words.span(words.clock(hours[0], 0), words.clock(hours[-1], 59))
        return [words.one_in("hour", step), span]
    spans = [words.span(words.clock(a, 0), words.clock(b, 59)) for a, b in runs(hours)]
    return [words.join(spans)]


def _hourly(values: Values, words: Words) -> list[str]:
    """One minute and one second, in three or more evenly spaced hours."""
    (second,), (minute,), hours = values.second, values.minute, values.hour
    head = words.every("hour", hours[1] - hours[0])
    if _goes_round(hours, HOUR.size) and minute == second == 0:
        return [head]
    if len(hours) == HOUR.size and second == 0:
        return [head, words.at_values("minute", [(minute, minute)])]
    times = _times(values, words)
    return [head, words.span(times[0], times[-1])]


def _is_few_times(values: Values) -> bool:
    counts = [len(values.hour), len(values.minute), len(values.second)]
    single = counts[1] == counts[2] == 1
    return single or (max(counts) < 3 and counts[0] * counts[1] * counts[2] <= FEW_TIMES)


def _time(values: Values, words: Words) -> tuple[list[str], bool]:
    """The phrases for the time of day, and whether they name times one by one."""
    seconds, minutes, hours = values.second, values.minute, values.hour
    if len(seconds) == len(minutes) == 1 and _progression(hours):
        return _hourly(values, words), False
    if _is_few_times(values):
        return [words.at_times(_times(values, words))], True
    if len(seconds) > 1:
        parts = _within("second", seconds, words) + _minutes_too(minutes, words)
    else:
        parts = _within("minute", minutes, words)
        if seconds != (0,):
            parts.append(words.at_values("second", [(seconds[0], seconds[0])]))
    return parts + _hours_too(hours, words), False


def _days(values: Values, words: Words) -> list[str]:
    days, months = values.day, values.month
    named_months = [words.in_months(_spoken(months))] if len(months) < MONTH.size else []
    if len(days) == DAY.size:
        return named_months
    if len(days) == len(months) == 1:
        return [words.on_date(days[0], months[0])]
    step = _progression(days)
    if step is not None and step > 1:
        return [words.one_in("day", step), words.days_from_to(days[0], days[-1]), *named_months]
    return [words.on_days(_spoken(days)), *named_months]


def _weekday_run(days: Sequence[int]) -> Run | None:
    """Three to six neighbours in the circle of the week."""
    starts = [day for day in days if (day - 1) % 7 not in days]
    if len(starts) != 1 or len(days) < 3:
        return None
    return starts[0], (starts[0] + len(days) - 1) % 7


def _date(values: Values, words: Words, each_day: bool) -> list[str]:
    dates = _days(values, words)
    weekdays = sorted(values.day_of_week, key=lambda day: (day - 1) % 7)
    if len(weekdays) == DAY_OF_WEEK.size:
        return [words.every_day(), *dates] if each_day and len(values.day) == DAY.size else dates
    run = _weekday_run(weekdays)
    if len(values.day) < DAY.size:
        return [*dates, words.only_on(weekdays, run)]
    return [words.weekday_run(*run) if run else words.on_weekdays(weekdays), *dates]


def describe(values: Values, language: str) -> str:
    """One line of words without a full stop."""
    words: Words = French() if language.lower().startswith("fr") else English()
    time, each_day = _time(values, words)
    text = ", ".join([*time, *_date(values, words, each_day)])
    return text[0].upper() + text[1:]
