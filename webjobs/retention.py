"""How long the history of runs is kept: by age and by the bytes of its output.

Only ended runs go, oldest first, and never the newest run of a WebJob. Their logs are deleted
afterwards, a little at a time, and small chunks of those that stay are put together. Packages that
nothing refers to any more go last. All of it may run anywhere, any number of times.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from webjobs.logs.merging import Merger
from webjobs.logs.purge import purge
from webjobs.models import AppSetting, Log, Run, WebJob
from webjobs.models.run import run_number
from webjobs.models.setting import EngineSettings, lenient_engine_settings
from webjobs.states import RUN_FINAL, JobType
from webjobs.stray_packages import Finder
from webjobs.unused_packages import Remover

# Runs of one transaction.
BATCH = 100
# Seconds of one pass; the rest is for the next one.
SECONDS = 2.0
# The same for putting small chunks of logs together.
MERGE_SECONDS = 0.5
MIB = 1024 * 1024
_merger = Merger()
_finder = Finder()
_remover = Remover()
_NAMES = Q(name__iexact="WEBJOBS_HISTORY_DAYS") | Q(name__iexact="WEBJOBS_HISTORY_MAX_MB")


def enforce(now: datetime, seconds: float = SECONDS) -> int:
    """Delete what is beyond the settings of its app, for about so long; returns how many runs."""
    deadline = time.monotonic() + seconds
    deleted = 0
    for job, limits in _limited_jobs():
        while time.monotonic() < deadline:
            batch = _surplus(job, limits, now)
            Run.objects.filter(pk__in=batch, status__in=sorted(RUN_FINAL)).delete()
            deleted += len(batch)
            if len(batch) < BATCH:
                break
    purge(max(0.1, deadline - time.monotonic()))
    _merger.work(MERGE_SECONDS)
    _finder.work(now)
    _remover.work(now)
    return deleted


def _limited_jobs() -> Iterator[tuple[int, EngineSettings]]:
    values: dict[int, dict[str, str]] = {}
    for setting in AppSetting.objects.filter(_NAMES):
        values.setdefault(setting.slot_id, {})[setting.name] = setting.value
    for slot, found in values.items():
        limits = lenient_engine_settings(found)
        jobs = WebJob.objects.filter(slot=slot, type=JobType.TRIGGERED)
        for job in jobs.values_list("pk", flat=True):
            yield job, limits


def _surplus(job: int, limits: EngineSettings, now: datetime) -> list[int]:
    """Some of the runs that must go, oldest first."""
    runs = Run.objects.filter(job=job)
    newest = runs.order_by("-number").values_list("number", flat=True).first()
    if newest is None:
        return []
    old = Q(pk__in=[])
    if limits.history_days is not None:
        old |= _older_than(now - timedelta(days=limits.history_days))
    if limits.history_mib is not None:
        old |= _beyond(job, limits.history_mib * MIB)
    ended = runs.filter(old, status__in=sorted(RUN_FINAL), number__lt=newest)
    return list(ended.order_by("number").values_list("pk", flat=True)[:BATCH])


def _older_than(moment: datetime) -> Q:
    # The number is the time of the request; a run that took days is as old as its end.
    ended = Q(ended_at__lt=moment) | Q(ended_at=None)
    return Q(number__lt=run_number(moment)) & ended


def _beyond(job: int, limit: int) -> Q:
    """Runs that do not fit when the newest ones are kept first."""
    total = 0
    sizes = Log.objects.filter(run__job=job).order_by("-run__number")
    for number, size in sizes.values_list("run__number", "size").iterator():
        total += size
        if total > limit:
            return Q(number__lte=number)
    return Q(pk__in=[])
