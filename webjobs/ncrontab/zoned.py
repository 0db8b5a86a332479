"""Occurrences in a time zone: what happens when clocks are put forward and back.

Put forward: an occurrence in the missing hour comes later by as much as is missing. Put back: a
schedule of intervals runs in both passes of the repeated hour, one of fixed times only in the
first. No moment is given twice and none is left out, also where the change is half an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NextWall = Callable[[datetime], datetime | None]
ONE_SECOND = timedelta(seconds=1)
# No zone has ever left out more than one day.
LONGEST_GAP = timedelta(days=1)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _wall_offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Offsets before and after the change `wall` falls into; equal when it falls into none.

    `wall` has fold 0, as `NextWall` gives it. The offsets grow when the wall time is
    missing and shrink when it comes twice.
    """
    before = zone.utcoffset(wall) or timedelta()
    after = zone.utcoffset(wall.replace(fold=1)) or timedelta()
    return before, after


def _moment(wall: datetime, offset: timedelta) -> datetime:
    return (wall - offset).replace(tzinfo=UTC)


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first second in (low, high] with high's offset; exactly one change lies between."""
    target = _offset(high, zone)
    while high - low > ONE_SECOND:
        middle = low + timedelta(seconds=(high - low) // ONE_SECOND // 2)
        if _offset(middle, zone) == target:
            high = middle
        else:
            low = middle
    return high


def _onwards(
    next_wall: NextWall, repeats: bool, after: datetime, wall: datetime, zone: ZoneInfo
) -> datetime | None:
    """The first moment whose wall time is later than `wall`, the wall time of `after`."""
    found = next_wall(wall)
    while found is not None:
        before, later = _wall_offsets(found, zone)
        moment = _moment(found, before)
        if before < later:
            return _missing(next_wall, moment, later - before, zone)
        if moment > after:
            return moment
        # `after` is in the second pass, and the first pass of `found` is over.
        if repeats:
            return _moment(found, later)
        found = next_wall(found)
    return None


def _missing(next_wall: NextWall, shifted: datetime, gap: timedelta, zone: ZoneInfo) -> datetime:
    """An occurrence in the gap, or one just behind the gap that comes before it."""
    change = _change(shifted - gap, shifted, zone)
    offset = _offset(change, zone)
    natural = next_wall(_wall(change, offset) - ONE_SECOND)
    return shifted if natural is None else min(shifted, _moment(natural, offset))


def _second_pass(
    next_wall: NextWall, after: datetime, local: datetime, offset: timedelta, zone: ZoneInfo
) -> datetime | None:
    """From the first pass of a repeated hour: the first occurrence of the second pass."""
    later = zone.utcoffset(local.replace(fold=1)) or timedelta()
    if local.fold or later == offset:
        return None
    change = _change(after, after + (offset - later), zone)
    found = next_wall(_wall(change, later) - ONE_SECOND)
    if found is None or found >= _wall(change, offset):
        return None
    return _moment(found, later)


def _shifted(
    next_wall: NextWall, after: datetime, offset: timedelta, zone: ZoneInfo
) -> datetime | None:
    """From shortly behind a gap: an occurrence of the gap that is still to come."""
    before = _offset(after - LONGEST_GAP, zone)
    if before >= offset:
        return None
    found = next_wall(_wall(after, before))
    if found is None:
        return None
    offsets = _wall_offsets(found, zone)
    return _moment(found, offsets[0]) if offsets[0] < offsets[1] else None


def next_in_zone(
    next_wall: NextWall, repeats: bool, after: datetime, zone: ZoneInfo
) -> datetime | None:
    """The first occurrence strictly after aware `after`, in UTC; None if none before year 10000.

    A fraction of a second in `after` is ignored, as NCrontab does. `repeats` says that it is a
    schedule of intervals, which runs in both passes.
    """
    if after.tzinfo is None:
        raise ValueError("after must be an aware time")
    after = after.astimezone(UTC).replace(microsecond=0)
    if zone.key == "UTC":
        # The most frequent zone needs none of what follows.
        found = next_wall(after.replace(tzinfo=None))
        return None if found is None else found.replace(tzinfo=UTC)
    try:
        local = after.astimezone(zone)
        offset = local.utcoffset() or timedelta()
        candidates = [
            _onwards(next_wall, repeats, after, local.replace(tzinfo=None), zone),
            _shifted(next_wall, after, offset, zone),
            _second_pass(next_wall, after, local, offset, zone) if repeats else None,
        ]
    except OverflowError:
        return None
    return min((moment for moment in candidates if moment is not None), default=None)
