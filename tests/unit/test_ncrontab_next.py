"""The next occurrence on a wall clock, against known cases and two independent oracles."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.unit.ncrontab_strategies import EXPRESSIONS
from webjobs.ncrontab import parse


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


CASES = [
    ("0 * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:01:00"),
    ("0 * * * * *", "2026-01-01 00:00:59", "2026-01-01 00:01:00"),
    ("* * * * * *", "2026-12-31 23:59:59", "2027-01-01 00:00:00"),
    ("*/15 * * * * *", "2026-01-01 00:00:45", "2026-01-01 00:01:00"),
    # Seconds start again at their first value (not so in NCrontab 2.0).
    ("* * 10 * * *", "2026-01-01 09:50:35", "2026-01-01 10:00:00"),
    ("*/10 0 8 * * *", "2026-01-01 07:30:25", "2026-01-01 08:00:00"),
    ("0 30 9 * * 1-5", "2026-11-20 09:30:00", "2026-11-23 09:30:00"),
    ("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00"),
    ("0 0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"),
    ("0 0 0 29 2 1", "2026-01-01 00:00:00", "2044-02-29 00:00:00"),
    ("0 0 0 29 2 1", "2044-02-29 00:00:00", "2072-02-29 00:00:00"),
    ("0 0 0 31 * *", "2026-01-31 00:00:00", "2026-03-31 00:00:00"),
    ("0 0 0 30 * *", "2026-01-30 00:00:00", "2026-03-30 00:00:00"),
    # Day of month and day of week must both match.
    ("0 45 16 1 * Mon", "2026-01-01 00:00:00", "2026-06-01 16:45:00"),
    ("0 0 0 13 * 5", "2026-03-13 00:00:00", "2026-11-13 00:00:00"),
    ("0 0 22-2 * * *", "2026-01-01 23:00:00", "2026-01-02 02:00:00"),
    ("59 59 23 31 12 *", "9998-12-31 23:59:59", "9999-12-31 23:59:59"),
]


@pytest.mark.parametrize(("text", "after", "expected"), CASES)
def test_it_finds_the_next_occurrence(text: str, after: str, expected: str) -> None:
    assert parse(text).next(_at(after)) == _at(expected)


def test_it_is_strictly_after_and_ignores_fractions() -> None:
    schedule = parse("* * * * * *")
    found = schedule.next(_at("2026-01-01 00:00:00.999999"))
    assert found == _at("2026-01-01 00:00:01")


@pytest.mark.parametrize("date", ["31 2", "30 2", "31 4", "31 6,9,11", "30-31 Feb"])
def test_a_date_that_never_comes_has_no_next_and_says_so_at_once(date: str) -> None:
    schedule = parse(f"0 0 0 {date} *")
    begin = time.monotonic()
    assert not schedule.possible
    assert schedule.next(_at("2026-01-01")) is None
    assert time.monotonic() - begin < 0.1


def test_there_is_none_beyond_the_year_9999() -> None:
    assert parse("0 0 0 1 1 *").next(_at("9999-01-01")) is None
    assert parse("* * * * * *").next(_at("9999-12-31 23:59:59")) is None
    assert parse("0 0 0 29 2 1").next(_at("9990-01-01")) is None


def test_it_wants_a_naive_time() -> None:
    with pytest.raises(ValueError, match="naive"):
        parse("* * * * * *").next(_at("2026-01-01T00:00:00+00:00"))


def _matches(canonical: str, moment: datetime) -> bool:
    """An oracle of its own: reads the canonical text and knows nothing of tables."""
    parts = (moment.second, moment.minute, moment.hour, moment.day, moment.month)
    for text, value in zip(canonical.split(" "), (*parts, moment.isoweekday() % 7), strict=True):
        ranges = [item.split("-") for item in text.split(",")]
        if text != "*" and not any(int(r[0]) <= value <= int(r[-1]) for r in ranges):
            return False
    return True


STARTS = st.datetimes(datetime(1999, 12, 1), datetime(2104, 3, 2))
# So many seconds are tried one by one.
HORIZON = 4000


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, STARTS)
def test_it_agrees_with_trying_every_second(text: str, after: datetime) -> None:
    schedule = parse(text)
    found = schedule.next(after)
    begin = after.replace(microsecond=0)
    if found is not None:
        assert found > begin
        assert _matches(schedule.canonical, found)
    end = begin + timedelta(seconds=HORIZON)
    last = end if found is None else min(found - timedelta(seconds=1), end)
    for offset in range(1, int((last - begin).total_seconds()) + 1):
        assert not _matches(schedule.canonical, begin + timedelta(seconds=offset))


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, STARTS)
@example("0 0 0 29 2 1", datetime(2072, 3, 1))
@example("0 0 0 31 * *", datetime(2026, 1, 31))
def test_no_matching_day_is_left_out(text: str, after: datetime) -> None:
    schedule = parse(text)
    first = datetime(1, 1, 1, schedule.values.hour[0], schedule.values.minute[0])
    clock = first.replace(second=schedule.values.second[0]).time()
    found = schedule.next(after)
    for days in range(1, 15000):
        midday = datetime.combine((after + timedelta(days=days)).date(), clock)
        if found is not None and midday >= found:
            break
        assert not _matches(schedule.canonical, midday)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, STARTS)
def test_it_agrees_with_croniter_where_both_mean_the_same(text: str, after: datetime) -> None:
    schedule = parse(text)
    # croniter takes either day when both are limited, and gives up after 50 years.
    fields = schedule.canonical.split(" ")
    assume("*" in (fields[3], fields[5]))
    assume(schedule.values.day[0] <= 28)
    after = after.replace(microsecond=0)
    theirs = croniter(schedule.canonical, after, ret_type=datetime, second_at_beginning=True)
    ours = after
    for _ in range(5):
        found = schedule.next(ours)
        assert found == theirs.get_next()
        assert found is not None
        ours = found
