"""What the scheduler says, in histories and in its log."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from webjobs.scheduler.plan import Overdue

STOPPED = (
    "WebJobs of this app are stopped: WEBJOBS_STOPPED is 1. "
    "Set it to 0 or delete it to let schedules start runs again."
)

LANE_TAKEN = (
    "Another run of this WebJob was started at the same moment, and it skips occurrences that "
    "come due meanwhile."
)


def time_text(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key}"


def time_span(span: timedelta) -> str:
    """.NET's constant form of a TimeSpan: `[d.]hh:mm:ss[.fffffff]`."""
    minutes, seconds = divmod(span.seconds, 60)
    days = f"{span.days}." if span.days else ""
    fraction = f".{span.microseconds:06d}0" if span.microseconds else ""
    return f"{days}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{fraction}"


def _many(overdue: Overdue) -> str:
    return f"{'more than ' if overdue.is_more else ''}{overdue.count:,}"


def still_running(number: int, moment: datetime, zone: ZoneInfo) -> str:
    return (
        f"The previous run {number} was still in progress at {time_text(moment, zone)}, and this "
        "WebJob skips occurrences that come due meanwhile. Schedule it less often, or stop that "
        "run if it hangs."
    )


def all_busy(lanes: int, moment: datetime, zone: ZoneInfo) -> str:
    return (
        f"{lanes} runs of this WebJob were in progress at {time_text(moment, zone)}, and it runs "
        f"no more than {lanes} at once. Schedule it less often, or raise max_parallel in its "
        "settings."
    )


def queue_full(waiting: int, moment: datetime, zone: ZoneInfo) -> str:
    return (
        f"The queue is full: {waiting} runs of this WebJob were waiting at "
        f"{time_text(moment, zone)}. Schedule it less often, or raise queue_limit in its settings."
    )


def missed(overdue: Overdue, zone: ZoneInfo, *, was_idle: bool = False) -> str:
    """Why none of the overdue occurrences is made up for."""
    return (
        f"{_missing(overdue, zone, was_idle)} That is too long ago to start a run for it now: "
        "WEBJOBS_MISSED_GRACE says how many seconds late a run may start. "
        "The schedule goes on; use Run if the work is still needed."
    )


def caught_up(overdue: Overdue, zone: ZoneInfo, *, was_idle: bool = False) -> str:
    """Why only the latest of the overdue occurrences is made up for."""
    return f"{_missing(overdue, zone, was_idle)} Only for the latest of them a run was started."


def _missing(overdue: Overdue, zone: ZoneInfo, was_idle: bool) -> str:
    first, latest = time_text(overdue.first, zone), time_text(overdue.latest, zone)
    why = "while no scheduler was running or none could reach the database."
    if was_idle:
        why = "while the app was idle: it has no Always On, and nobody used it."
    if overdue.count == 1:
        return f"The occurrence of {first} came due {why}"
    text = _many(overdue)
    return f"{text[0].upper()}{text[1:]} occurrences, from {first} to {latest}, came due {why}"


def log_scheduling(canonical: str, span: timedelta) -> str:
    return f"Scheduling WebJob with {canonical} next schedule expected in {time_span(span)}"


def log_next(span: timedelta) -> str:
    return f"Next schedule expected in {time_span(span)}"


def log_missed(overdue: Overdue, zone: ZoneInfo) -> str:
    return f"Missed {_many(overdue)} schedules, most recent at {time_text(overdue.latest, zone)}"


def log_unreadable(expression: str, error: Exception) -> str:
    return f'Failed to parse schedule "{expression}". Error: {error}'


def log_never(canonical: str) -> str:
    return f"Scheduling WebJob with {canonical}, which has no occurrence before the year 10000"


def log_not_invoked(reason: str) -> str:
    return f"WebJob not invoked. {reason}"


LOG_INVOKED = "WebJob invoked"
LOG_QUEUED = "WebJob queued, it waits for the runs before"
LOG_IDLE = "The schedule pauses: the app is idle, for it has no Always On"
LOG_REMOVED = "Removing current schedule from WebJob"
