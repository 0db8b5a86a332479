"""Help in place: what statuses, types, settings and the fields of a schedule mean."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from webjobs import ncrontab
from webjobs.views.statuses import kind_of, status_word

STATUSES = {
    "Ready": gettext_noop(
        "It has never run yet. Choose Run, call its webhook, or wait for its schedule."
    ),
    "Queued": gettext_noop(
        "The run is asked for and begins as soon as an instance has a place for it."
    ),
    "Initializing": gettext_noop(
        "An instance is preparing the files; the script has not begun yet."
    ),
    "Starting": gettext_noop("The process is being started on an instance."),
    "Running": gettext_noop("The script is running now."),
    "Success": gettext_noop("The script ended with exit code 0."),
    "Failed": gettext_noop(
        "The script ended with another exit code than 0, or could not be started."
    ),
    "Aborted": gettext_noop(
        "The run was ended before the script did: stopped, timed out, or lost."
    ),
    "Skipped": gettext_noop("The run did not begin, because an earlier one was still in progress."),
    "Missed": gettext_noop("The time of the schedule passed while nothing could run it."),
    "PendingRestart": gettext_noop("The process ended; it is started again after a short wait."),
    "Stopping": gettext_noop("It was asked to stop and has some seconds to end by itself."),
    "Stopped": gettext_noop("It does not run until somebody chooses Start."),
    "InactiveInstance": gettext_noop(
        "It runs on another instance, because only one copy is wanted."
    ),
}
TYPES = {
    gettext_noop("Continuous"): gettext_noop(
        "Starts at once and is started again whenever it ends: for loops, queues and listeners."
    ),
    gettext_noop("Triggered"): gettext_noop(
        "Runs from its start to its end each time it is asked to: by Run, by its webhook, or by a "
        "schedule. Each run is kept in the history with its output."
    ),
    gettext_noop("Scheduled"): gettext_noop(
        "Triggered by an NCRONTAB expression, in the time zone of the app."
    ),
    gettext_noop("Multi Instance"): gettext_noop(
        "A continuous WebJob with one copy on every instance."
    ),
    gettext_noop("Single Instance"): gettext_noop(
        "A continuous WebJob with one copy in all; when its instance is lost, another takes over."
    ),
}
SETTINGS = {
    "WEBJOBS_STOPPED": gettext_noop(
        "1 stops all WebJobs of this app; nothing starts until it is gone."
    ),
    "WEBJOBS_DISABLE_SCHEDULE": gettext_noop(
        "1 turns all schedules off; Run and webhooks still work."
    ),
    "WEBJOBS_RESTART_TIME": gettext_noop(
        "Seconds until a continuous WebJob that ended early starts again; normally 60."
    ),
    "WEBJOBS_IDLE_TIMEOUT": gettext_noop(
        "Seconds without output and processor time after which a triggered run is ended; "
        "normally 120, and -1 for never."
    ),
    "WEBJOBS_MAX_RUN_TIME": gettext_noop(
        "Seconds that a triggered run may take; normally no limit."
    ),
    "WEBJOBS_HISTORY_SIZE": gettext_noop("How many runs of each WebJob are kept; normally 50."),
    "WEBJOBS_HISTORY_DAYS": gettext_noop("How many days runs are kept; normally no limit."),
    "WEBJOBS_HISTORY_MAX_MB": gettext_noop(
        "MiB of output kept for each WebJob; normally no limit."
    ),
    "WEBJOBS_MISSED_GRACE": gettext_noop(
        "Seconds by which a scheduled run may be late and still begin; normally 600."
    ),
    "WEBSITE_TIME_ZONE": gettext_noop(
        "The zone of all schedules, such as Europe/Paris or Romance Standard Time; normally UTC."
    ),
}
FIELDS = [
    (gettext_noop("second"), "0-59"),
    (gettext_noop("minute"), "0-59"),
    (gettext_noop("hour"), "0-23"),
    (gettext_noop("day of the month"), "1-31"),
    (gettext_noop("month"), "1-12, JAN-DEC"),
    (gettext_noop("day of the week"), "0-6, SUN-SAT"),
]
SIGNS = {
    "*": gettext_noop("every value"),
    "1,15": gettext_noop("each value of the list"),
    "9-17": gettext_noop("every value from the first to the last"),
    "*/5": gettext_noop("every fifth value, from the lowest on"),
}
EXAMPLES = (
    "0 */5 * * * *",
    "0 0 * * * *",
    "0 30 9 * * 1-5",
    "0 0 2 * * SUN",
    "0 0 6,18 * * *",
    "0 0 0 1 * *",
    "*/15 * * * * *",
)


@dataclass(frozen=True)
class Entry:
    """One word of the help; `anchor` is what links to it name."""

    anchor: str
    word: str
    text: str
    kind: str = ""


def status_help(status: str) -> str:
    """What a status of the engine means, in one sentence; empty for an unknown one."""
    return _(STATUSES[status]) if status in STATUSES else ""


def status_anchor(status: str) -> str:
    return f"status-{slugify(status)}"


def _statuses() -> list[Entry]:
    return [
        Entry(status_anchor(name), status_word(name), _(text), kind_of(name))
        for name, text in STATUSES.items()
    ]


def _entries(prefix: str, found: dict[str, str], *, translated: bool) -> list[Entry]:
    return [
        Entry(f"{prefix}-{slugify(name)}", _(name) if translated else name, _(text))
        for name, text in found.items()
    ]


def setting_names() -> list[Entry]:
    """The settings that steer the engine, as the panel suggests them."""
    return _entries("setting", SETTINGS, translated=False)


@require_GET
def help(request: HttpRequest) -> HttpResponse:
    """Every word of the portal that needs one, with an anchor each."""
    language = get_language() or "en"
    context = {
        "statuses": _statuses(),
        "types": _entries("type", TYPES, translated=True),
        "settings": setting_names(),
        "fields": [(_(name), values) for name, values in FIELDS],
        "signs": [(sign, _(text)) for sign, text in SIGNS.items()],
        "examples": [(each, ncrontab.parse(each).describe(language)) for each in EXAMPLES],
    }
    return render(request, "help.html", context)
