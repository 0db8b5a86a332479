"""Why a queued run has not started yet, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Count
from django.utils.translation import gettext as _

from webjobs.models import Run
from webjobs.states import RunStatus


def retry_words(run: Run, now: datetime) -> str:
    """`Retry 2 of 3 at 14:05:00 UTC` until that time has come; else empty."""
    if run.status != RunStatus.QUEUED or run.not_before is None or run.not_before <= now:
        return ""
    return _("Retry %(number)d of %(all)d at %(time)s UTC") % {
        "number": run.attempt - 1,
        "all": run.retries,
        "time": f"{run.not_before.astimezone(UTC):%H:%M:%S}",
    }


def waiting_words(runs: Iterable[Run], now: datetime) -> dict[int, str]:
    """The words for those of `runs`, all of one WebJob, that wait for a time or for others."""
    queued = [run for run in runs if run.status == RunStatus.QUEUED and run.lane is None]
    words = {run.pk: retry_words(run, now) for run in queued}
    if all(words.values()):
        return words
    waiting = Run.objects.waiting(now).filter(job=queued[0].job_id).order_by("number")
    for position, pk in enumerate(waiting.values_list("pk", flat=True), 1):
        if pk in words:
            words[pk] = _position_words(position)
    return words


def words_of_newest(newest: Iterable[Run], now: datetime) -> dict[int, str]:
    """The same for runs that are each the newest of their WebJob, with one query at most."""
    queued = [run for run in newest if run.status == RunStatus.QUEUED and run.lane is None]
    words = {run.pk: retry_words(run, now) for run in queued}
    others = {run.job_id: run.pk for run in queued if not words[run.pk]}
    if others:
        waiting = Run.objects.waiting(now).filter(job__in=list(others)).order_by()
        for job, count in waiting.values_list("job").annotate(count=Count("pk")):
            words[others[job]] = _position_words(count)
    return words


def _position_words(position: int) -> str:
    return _("Position %(position)d in the queue") % {"position": position}
