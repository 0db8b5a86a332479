"""What puts rows right when nobody else does. All of it may run anywhere, any number of times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Count, Q

from webjobs.endings import RUN_AGAIN, conclude
from webjobs.logs import LogUnavailable, LogWriter, log_of_run
from webjobs.models import AppSetting, Copy, DebugSession, Run, Slot, WebJob
from webjobs.models.debugging import OVER
from webjobs.models.run import RunQuerySet
from webjobs.models.setting import lenient_engine_settings
from webjobs.reasons import gettext_noop
from webjobs.states import COPY_ALIVE, RUN_FINAL, RetryOn, RunStatus, Stream

BATCH = 500
_KEPT = gettext_noop("What was printed until then is kept.")
# What a continuous WebJob printed on an instance can be read this long after the instance's end.
KEEP_COPIES = timedelta(days=7)
COPIES_AT_ONCE = 20


def abort_orphans(now: datetime) -> int:
    """Runs of an instance that is gone -> ABORTED; returns how many."""
    orphans = Run.objects.orphaned()
    found = list(orphans.select_related("instance")[:BATCH])
    return sum(abort(run.pk, orphans, _why_orphaned(run), now) for run in found)


def _why_orphaned(run: Run) -> str:
    instance = run.instance
    if instance is None or instance.lost_at is not None:
        name = instance.name if instance else "that executed it"
        text = gettext_noop("Instance %(name)s was lost while the run was in progress.")
    else:
        name = instance.name
        text = gettext_noop("The worker of instance %(name)s ended while the run was in progress.")
    return f"{text % {'name': name}} {_KEPT}"


class _NotWon(Exception):
    """Somebody else has ended the run; its log is theirs."""


def _finish(run: Run, end: Callable[[str], bool], now: datetime) -> None:
    if not conclude(run, end, now, RetryOn.LOST):
        raise _NotWon


def abort(run_pk: int, allowed: RunQuerySet, reason: str, now: datetime) -> bool:
    """A run among `allowed` -> ABORTED, in place of its holder; false when it is no longer one.

    Its log gets a last line and is complete from the same moment on. It counts as lost, so it is
    tried again if its WebJob wants that.
    """

    def end(what_follows: str) -> bool:
        words = f"{reason} {what_follows or RUN_AGAIN}"
        one = allowed.filter(pk=run_pk)
        won = one.update(status=RunStatus.ABORTED, ended_at=now, lane=None, reason=words)
        return bool(won)

    run = Run.objects.select_related("instance").filter(pk=run_pk).first()
    if run is None:
        return False
    finish = partial(_finish, run, end, now)
    log = log_of_run(run, run.instance.key if run.instance else "")
    writer = LogWriter(log, limit=settings.WEBJOBS_RUN_LOG_LIMIT)
    writer.system(Stream.SYSTEM, f"Status changed to {RunStatus.ABORTED}")
    writer.system(Stream.SYSTEM_ERR, reason)
    try:
        writer.complete(also=finish)
    except (_NotWon, LogUnavailable):
        return False
    return True


def trim_histories() -> int:
    """Delete final runs beyond WEBJOBS_HISTORY_SIZE; returns how many. Never an active one."""
    deleted = 0
    for slot in Slot.objects.all():
        values = {
            setting.name: setting.value
            for setting in AppSetting.objects.filter(slot=slot, name__iexact="WEBJOBS_HISTORY_SIZE")
        }
        size = lenient_engine_settings(values).history_size
        crowded = (
            WebJob.objects.filter(slot=slot)
            .annotate(count=Count("runs"))
            .filter(count__gt=size)
            .values_list("pk", flat=True)
        )
        deleted += sum(_trim(job_pk, size) for job_pk in crowded)
    return deleted


def _trim(job_pk: int, size: int) -> int:
    runs = Run.objects.filter(job=job_pk, status__in=sorted(RUN_FINAL)).order_by("-number")
    last_kept = runs.values_list("number", flat=True)[size - 1 : size]
    if not last_kept:
        return 0
    old = runs.filter(number__lt=last_kept[0]).values_list("pk", flat=True)[:BATCH]
    return Run.objects.filter(pk__in=list(old)).delete()[0]


def purge_deleted(now: datetime) -> int:
    """Remove WebJobs that were deleted some time ago, once nothing of them runs any more; then
    slots that were deleted with them. Returns how many WebJobs."""
    purged = 0
    for job in WebJob.objects.to_purge(now):
        alive = Copy.objects.filter(
            job=job, status__in=sorted(COPY_ALIVE), instance__stopped_at=None
        )
        if Run.objects.active().filter(job=job).exists() or any(
            copy.instance.is_live(now) for copy in alive.select_related("instance")
        ):
            continue
        job.delete()
        purged += 1
    Slot.objects.exclude(deleted_at=None).filter(webjobs=None).delete()
    return purged


def end_debug_sessions(now: datetime) -> int:
    """Debug sessions of instances that are gone, after their time; how many."""
    return DebugSession.objects.overdue(now).update(
        ended_at=now, reason=OVER, port=None, connections=0
    )


def forget_copies(now: datetime) -> int:
    """Delete what continuous WebJobs left on instances that are long gone; returns how many.

    Their logs go with them. Replicas that come under a new key every time would fill the disk.
    """
    since = now - KEEP_COPIES
    gone = Q(instance__stopped_at__lt=since) | Q(instance__heartbeat_at__lt=since)
    old = list(Copy.objects.filter(gone).values_list("pk", flat=True)[:COPIES_AT_ONCE])
    Copy.objects.filter(pk__in=old).delete()
    return len(old)
