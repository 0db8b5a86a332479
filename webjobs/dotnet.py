"""How .NET, and so Kudu's API, writes times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A time that was never set.
NEVER = "0001-01-01T00:00:00"


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with the seven digits of .NET."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def duration_text(duration: timedelta | None) -> str:
    """A TimeSpan of .NET: `1.02:03:04.5000000`, without the days where there are none."""
    duration = max(duration or timedelta(0), timedelta(0))
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{duration.days}." if duration.days else ""
    return f"{days}{hours:02}:{minutes:02}:{seconds:02}.{duration.microseconds:06}0"
