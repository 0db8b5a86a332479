"""Occurrences in zones that change their clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webjobs.ncrontab import Ncrontab, parse

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
CASABLANCA = ZoneInfo("Africa/Casablanca")


def _local(text: str, after: str, zone: ZoneInfo, count: int) -> list[str]:
    """The next occurrences as local text with offset, from a local time (fold 0)."""
    begin = datetime.fromisoformat(after).replace(tzinfo=zone)
    found = parse(text).upcoming(begin, zone, count)
    return [moment.astimezone(zone).strftime("%d %H:%M %z") for moment in found]


def test_the_answer_is_in_utc() -> None:
    begin = datetime(2026, 7, 1, 12, tzinfo=BERLIN)
    found = parse("0 30 14 * * *").next_in_zone(begin, BERLIN)
    assert found == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert found is not None
    assert found.tzinfo is UTC


def test_a_wall_time_stays_the_same_over_both_changes() -> None:
    assert _local("0 0 9 * * *", "2026-03-28 10:00", BERLIN, 1) == ["29 09:00 +0200"]
    assert _local("0 0 9 * * *", "2026-10-24 10:00", BERLIN, 1) == ["25 09:00 +0100"]


GAPS = [
    ("0 30 2 * * *", "2026-03-28 12:00", BERLIN, ["29 03:30 +0200", "30 02:30 +0200"]),
    ("0 30 2 * * *", "2026-03-07 12:00", NEW_YORK, ["08 03:30 -0400", "09 02:30 -0400"]),
    (
        "0 */20 * * * *",
        "2026-03-29 01:30",
        BERLIN,
        ["29 01:40 +0100", "29 03:00 +0200", "29 03:20 +0200"],
    ),
    ("0 0 * * * *", "2026-03-29 01:00", BERLIN, ["29 03:00 +0200", "29 04:00 +0200"]),
    ("0 30 2,3 * * *", "2026-03-29 00:00", BERLIN, ["29 03:30 +0200", "30 02:30 +0200"]),
    # Lord Howe puts its clock forward by half an hour: 02:00 becomes 02:30.
    ("0 15 2 * * *", "2026-10-03 12:00", LORD_HOWE, ["04 02:45 +1100", "05 02:15 +1100"]),
    ("0 10,35 2 * * *", "2026-10-04 00:00", LORD_HOWE, ["04 02:35 +1100", "04 02:40 +1100"]),
    (
        "0 */20 * * * *",
        "2026-10-04 01:40",
        LORD_HOWE,
        ["04 02:30 +1100", "04 02:40 +1100", "04 02:50 +1100", "04 03:00 +1100"],
    ),
    # Samoa left out the whole 30 December 2011.
    ("0 0 12 * * *", "2011-12-29 11:00", APIA, ["29 12:00 -1000", "31 12:00 +1400"]),
]


@pytest.mark.parametrize(("text", "after", "zone", "expected"), GAPS)
def test_an_occurrence_that_the_clock_leaves_out_comes_later(
    text: str, after: str, zone: ZoneInfo, expected: list[str]
) -> None:
    assert _local(text, after, zone, len(expected)) == expected


OVERLAPS = [
    # Points in time: once, in the first pass.
    ("0 30 1 * * *", "2026-10-31 12:00", NEW_YORK, ["01 01:30 -0400", "02 01:30 -0500"]),
    ("0 30 2 * * *", "2026-10-24 12:00", BERLIN, ["25 02:30 +0200", "26 02:30 +0100"]),
    ("0 0,30 2 * * *", "2026-10-25 02:10", BERLIN, ["25 02:30 +0200", "26 02:00 +0100"]),
    # Intervals: both passes.
    (
        "0 */30 * * * *",
        "2026-10-25 01:45",
        BERLIN,
        ["25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100", "25 03:00 +0100"],
    ),
    (
        "0 0 0-4 * * *",
        "2026-11-01 00:30",
        NEW_YORK,
        ["01 01:00 -0400", "01 01:00 -0500", "01 02:00 -0500"],
    ),
    # Lord Howe puts its clock back by half an hour: 01:30 to 02:00 comes twice.
    (
        "0 */20 * * * *",
        "2026-04-05 01:20",
        LORD_HOWE,
        ["05 01:40 +1100", "05 01:40 +1030", "05 02:00 +1030"],
    ),
    ("0 45 1 * * *", "2026-04-04 12:00", LORD_HOWE, ["05 01:45 +1100", "06 01:45 +1030"]),
]


@pytest.mark.parametrize(("text", "after", "zone", "expected"), OVERLAPS)
def test_a_repeated_hour_runs_intervals_twice_and_points_in_time_once(
    text: str, after: str, zone: ZoneInfo, expected: list[str]
) -> None:
    assert _local(text, after, zone, len(expected)) == expected


def test_a_start_in_the_second_pass_takes_a_point_in_time_as_done() -> None:
    begin = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=BERLIN)
    found = parse("0 30 2 * * *").next_in_zone(begin, BERLIN)
    assert found == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("0 * 9 * * *", True),
        ("0 0 9-17 * * *", True),
        ("0 0 1,2 * * *", True),
        ("*/20 30 1 * * *", False),
        ("0 30 1 * * 1-5", False),
        ("0 30 1 1-7 * *", False),
    ],
)
def test_only_the_clock_fields_make_an_interval(text: str, interval: bool) -> None:
    assert parse(text).is_interval is interval


def test_it_wants_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        parse("0 * * * * *").next_in_zone(datetime(2026, 1, 1), BERLIN)


@pytest.mark.parametrize("zone", [ZoneInfo("UTC"), BERLIN, NEW_YORK])
def test_upcoming_ends_when_there_are_no_more(zone: ZoneInfo) -> None:
    begin = datetime(9999, 12, 30, tzinfo=UTC)
    assert len(parse("0 0 12 * * *").upcoming(begin, zone, 10)) == 2
    assert parse("0 0 0 31 2 *").upcoming(begin, zone, 10) == []
    assert parse("0 * * * * *").upcoming(begin, zone, 0) == []


# Around these moments clocks change.
CHANGES = [
    (BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (BERLIN, datetime(2026, 10, 25, 1, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 11, 1, 6, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 4, 4, 15, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    (APIA, datetime(2011, 12, 30, 10, tzinfo=UTC)),
    (CASABLANCA, datetime(2026, 2, 15, 2, tzinfo=UTC)),
    (CASABLANCA, datetime(2026, 3, 22, 2, tzinfo=UTC)),
]
MINUTE = timedelta(minutes=1)
HALF = 30 * 60


def _by_minutes(schedule: Ncrontab, zone: ZoneInfo, change: datetime) -> list[datetime]:
    """All occurrences within about a day of `change`, found by trying each wall minute."""
    found: set[datetime] = set()
    values = schedule.values
    middle = change.astimezone(zone).replace(tzinfo=None)
    for minute in range(-2 * HALF, 2 * HALF):
        wall = middle + minute * MINUTE
        if wall.minute not in values.minute or wall.hour not in values.hour:
            continue
        first = wall.replace(tzinfo=zone, fold=0)
        second = wall.replace(tzinfo=zone, fold=1)
        found.add(first.astimezone(UTC))
        offsets = first.utcoffset(), second.utcoffset()
        comes_twice = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
        if offsets[0] != offsets[1] and comes_twice and schedule.is_interval:
            found.add(second.astimezone(UTC))
    return sorted(found)


HOURS = st.one_of(
    st.just("*"),
    st.sets(st.integers(0, 23), min_size=1, max_size=6).map(lambda s: ",".join(map(str, s))),
    st.sets(st.integers(0, 4), min_size=1, max_size=3).map(lambda s: ",".join(map(str, s))),
)
MINUTES = st.one_of(
    st.just("*"),
    st.sampled_from(["*/5", "*/20", "7/11", "0", "30"]),
    st.sets(st.integers(0, 59), min_size=1, max_size=5).map(lambda s: ",".join(map(str, s))),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CHANGES), MINUTES, HOURS, st.integers(-26 * 60, 26 * 60))
def test_around_a_change_nothing_is_left_out_or_given_twice(
    place: tuple[ZoneInfo, datetime], minutes: str, hours: str, start: int
) -> None:
    zone, change = place
    schedule = parse(f"0 {minutes} {hours} * * *")
    after = change + start * MINUTE
    expected = [moment for moment in _by_minutes(schedule, zone, change) if moment > after]
    assert schedule.upcoming(after, zone, 200)[: len(expected)] == expected[:200]
