"""What the scheduler says, in histories and in its log."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from webjobs.reasons import gettext_noop
from webjobs.scheduler.plan import Overdue

STOPPED = gettext_noop(
    "WebJobs of this app are stopped: WEBJOBS_STOPPED is 1. "
    "Set it to 0 or delete it to let schedules start runs again."
)

LANE_TAKEN = gettext_noop(
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
    text = gettext_noop(
        "The previous run %(number)d was still in progress at %(time)s, and this WebJob skips "
        "occurrences that come due meanwhile. Schedule it less often, or stop that run if it hangs."
    )
    return text % {"number": number, "time": time_text(moment, zone)}


def all_busy(lanes: int, moment: datetime, zone: ZoneInfo) -> str:
    text = gettext_noop(
        "%(count)d runs of this WebJob were in progress at %(time)s, and it runs no more than "
        "%(count)d at once. Schedule it less often, or raise max_parallel in its settings."
    )
    return text % {"count": lanes, "time": time_text(moment, zone)}


def queue_full(waiting: int, moment: datetime, zone: ZoneInfo) -> str:
    text = gettext_noop(
        "The queue is full: %(count)d runs of this WebJob were waiting at %(time)s. Schedule it "
        "less often, or raise queue_limit in its settings."
    )
    if waiting == 1:
        text = gettext_noop(
            "The queue is full: %(count)d run of this WebJob was waiting at %(time)s. Schedule it "
            "less often, or raise queue_limit in its settings."
        )
    return text % {"count": waiting, "time": time_text(moment, zone)}


# By how many there were, and whether the app was idle.
_MISSING = {
    ("one", False): gettext_noop(
        "The occurrence of %(first)s came due while no scheduler was running or none could reach "
        "the database."
    ),
    ("one", True): gettext_noop(
        "The occurrence of %(first)s came due while the app was idle: it has no Always On, and "
        "nobody used it."
    ),
    ("several", False): gettext_noop(
        "%(count)s occurrences, from %(first)s to %(latest)s, came due while no scheduler was "
        "running or none could reach the database."
    ),
    ("several", True): gettext_noop(
        "%(count)s occurrences, from %(first)s to %(latest)s, came due while the app was idle: it "
        "has no Always On, and nobody used it."
    ),
    ("more", False): gettext_noop(
        "More than %(count)s occurrences, from %(first)s to %(latest)s, came due while no "
        "scheduler was running or none could reach the database."
    ),
    ("more", True): gettext_noop(
        "More than %(count)s occurrences, from %(first)s to %(latest)s, came due while the app was "
        "idle: it has no Always On, and nobody used it."
    ),
}


def missed(overdue: Overdue, zone: ZoneInfo, *, was_idle: bool = False) -> str:
    """Why none of the overdue occurrences is made up for."""
    text = gettext_noop(
        "That is too long ago to start a run for it now: WEBJOBS_MISSED_GRACE says how many "
        "seconds late a run may start. The schedule goes on; use Run if the work is still needed."
    )
    return f"{_missing(overdue, zone, was_idle)} {text}"


def caught_up(overdue: Overdue, zone: ZoneInfo, *, was_idle: bool = False) -> str:
    """Why only the latest of the overdue occurrences is made up for."""
    text = gettext_noop("Only for the latest of them a run was started.")
    return f"{_missing(overdue, zone, was_idle)} {text}"


def _missing(overdue: Overdue, zone: ZoneInfo, was_idle: bool) -> str:
    text = _MISSING[
        "one" if overdue.count == 1 else "more" if overdue.is_more else "several", was_idle
    ]
    first, latest = time_text(overdue.first, zone), time_text(overdue.latest, zone)
    return text % {"count": f"{overdue.count:,}", "first": first, "latest": latest}


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
