"""How much room logs take."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from webjobs.models import Log, LogChunk, Run, WebJob

# Of a longer history only the newest runs are added up: a page does not wait for a million.
MOST_RUNS = 2000


class Usage(NamedTuple):
    """`bytes` are kept; more than that when not all runs were looked at."""

    bytes: int
    is_all: bool


def usage_of(job: WebJob) -> Usage:
    """The output kept of `job`: its runs and its scheduler's words, or its copies."""
    if job.is_continuous:
        return Usage(_rolling(Log.objects.filter(copy__job=job)), is_all=True)
    runs = Run.objects.filter(job=job).order_by("-number").values("pk")
    newest = Log.objects.filter(run__in=runs[:MOST_RUNS])
    words = _rolling(Log.objects.filter(schedule__job=job))
    return Usage(_written(newest) + words, not runs[MOST_RUNS : MOST_RUNS + 1].exists())


def _written(logs: QuerySet[Log]) -> int:
    return logs.aggregate(total=Sum("size"))["total"] or 0


def _rolling(logs: QuerySet[Log]) -> int:
    """Of logs that lose their beginnings."""
    oldest = LogChunk.objects.filter(log=OuterRef("pk")).order_by("offset").values("offset")[:1]
    sums = logs.annotate(first=Coalesce(Subquery(oldest), 0)).aggregate(
        written=Sum("size"), removed=Sum("first")
    )
    return int((sums["written"] or 0) - (sums["removed"] or 0))
