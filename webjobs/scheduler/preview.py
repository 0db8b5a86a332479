"""When a schedule will fire, for those who only want to show it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from webjobs.models import EngineSettings, Schedule
from webjobs.ncrontab import NcrontabError
from webjobs.scheduler.plan import parse, zone_for
from webjobs.timezones import UnknownTimeZone


def effective_zone(schedule: Schedule, engine: EngineSettings) -> ZoneInfo:
    """The zone of `schedule`, else its app's WEBSITE_TIME_ZONE, else UTC.

    Raises UnknownTimeZone when the schedule names one that does not exist.
    """
    return zone_for(schedule.time_zone, engine)


def upcoming(
    schedule: Schedule, engine: EngineSettings, count: int, now: datetime
) -> list[datetime]:
    """The next `count` occurrences after `now` in UTC; none while it cannot fire."""
    if not schedule.is_enabled or engine.schedules_disabled:
        return []
    try:
        zone = effective_zone(schedule, engine)
        return parse(schedule.expression).upcoming(max(now, schedule.since), zone, count)
    except (NcrontabError, UnknownTimeZone):
        return []


def next_run(schedule: Schedule, engine: EngineSettings, now: datetime) -> datetime | None:
    """The next occurrence after `now` at which a run starts; None when none will.

    While WEBJOBS_STOPPED is set occurrences go by without a run.
    """
    if engine.stopped:
        return None
    return next(iter(upcoming(schedule, engine, 1, now)), None)
