"""How much room logs take."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from webjobs.models import Log, LogChunk, WebJob


def bytes_of(job: WebJob) -> int:
    """Bytes of output kept of `job`: its runs, its copies, its scheduler's words."""
    oldest = LogChunk.objects.filter(log=OuterRef("pk")).order_by("offset").values("offset")[:1]
    written = sum(
        logs.aggregate(total=Sum("size"))["total"] or 0
        for logs in (
            Log.objects.filter(run__job=job),
            Log.objects.filter(copy__job=job),
            Log.objects.filter(schedule__job=job),
        )
    )
    # Only these lose their beginnings.
    rolling = [Log.objects.filter(copy__job=job), Log.objects.filter(schedule__job=job)]
    removed = sum(
        logs.annotate(first=Coalesce(Subquery(oldest), 0)).aggregate(total=Sum("first"))["total"]
        or 0
        for logs in rolling
    )
    return int(written - removed)
