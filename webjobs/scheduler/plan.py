"""When a schedule comes due, and which of its occurrences are overdue. Asks no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webjobs import ncrontab, timezones
from webjobs.models import EngineSettings
from webjobs.ncrontab import Ncrontab

NextAfter = Callable[[datetime], datetime | None]
ONE_SECOND = timedelta(seconds=1)
# What lies further ahead of the clock than this was written while the clock was wrong.
CLOCK_TOLERANCE = timedelta(hours=1)
# How late an occurrence may be before it counts as missed, whatever the setting says: beat itself
# is sometimes late.
LEAST_GRACE = timedelta(seconds=10)

parse = lru_cache(maxsize=4096)(ncrontab.parse)


class Row(NamedTuple):
    """A schedule as the database has it; the fields are columns of the same names."""

    pk: int
    job_id: int
    expression: str
    time_zone: str
    is_enabled: bool
    since: datetime
    changed_at: datetime
    last_occurrence: datetime | None

    def base(self, now: datetime) -> datetime:
        """Occurrences count that come strictly later than this."""
        base = max(self.since, self.last_occurrence or self.since)
        return base if base <= now + CLOCK_TOLERANCE else now


def zone_for(time_zone: str, engine: EngineSettings) -> ZoneInfo:
    """The zone of a schedule: its own, else the app's; raises UnknownTimeZone."""
    return timezones.resolve(time_zone) if time_zone else engine.zone


@dataclass(frozen=True, slots=True)
class Plan:
    """What beat knows of a schedule that can fire; replaced, never changed."""

    row: Row
    slot_pk: int
    engine: EngineSettings
    crontab: Ncrontab
    zone: ZoneInfo
    next: datetime | None

    def after(self, moment: datetime) -> datetime | None:
        """The first occurrence strictly after `moment`."""
        return self.crontab.next_in_zone(moment, self.zone)

    def moved(self, row: Row, now: datetime) -> Plan:
        """The plan after an occurrence was dealt with, as `row` says."""
        return replace(self, row=row, next=self.after(row.base(now)))

    @property
    def grace(self) -> timedelta:
        return max(timedelta(seconds=self.engine.missed_grace), LEAST_GRACE)


def make_plan(row: Row, slot_pk: int, engine: EngineSettings, now: datetime) -> Plan | None:
    """The plan of a schedule, None while it is switched off.

    Raises NcrontabError or UnknownTimeZone when the row holds what nobody can read.
    """
    if not row.is_enabled or engine.schedules_disabled or engine.is_idle:
        return None
    crontab, zone = parse(row.expression), zone_for(row.time_zone, engine)
    return Plan(row, slot_pk, engine, crontab, zone, crontab.next_in_zone(row.base(now), zone))


@dataclass(frozen=True, slots=True)
class Overdue:
    """The occurrences of a schedule from `first` to `latest` that are not in the future."""

    first: datetime
    latest: datetime
    count: int
    is_more: bool  # there are more than `count`
    following: datetime | None


def overdue(next_after: NextAfter, first: datetime, now: datetime, limit: int) -> Overdue:
    """Count the occurrences from `first`, which is not in the future, to `now`, up to `limit`.

    `latest` and `following` are exact in any case.
    """
    latest, count = first, 1
    following = next_after(latest)
    while following is not None and following <= now:
        if count == limit:
            latest = _latest(next_after, following, now)
            return Overdue(first, latest, count, True, next_after(latest))
        latest, count = following, count + 1
        following = next_after(latest)
    return Overdue(first, latest, count, False, following)


def _latest(next_after: NextAfter, known: datetime, now: datetime) -> datetime:
    """The last occurrence up to `now`, by halving; `known` is one of them."""
    low, high = known, now
    while high - low > ONE_SECOND:
        middle = low + (high - low) / 2
        found = next_after(middle)
        if found is None or found > now:
            high = middle
        else:
            low = found
    following = next_after(low)
    return low if following is None or following > now else following
