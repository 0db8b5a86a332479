"""Lanes: how many runs of a WebJob may be in progress at once, and whose turn is next.

Whoever gives a lane, or takes one back, has the WebJob's row locked, so no run that waits is
overlooked. The constraint that a lane is held once stands behind that.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import connection

from webjobs.models.run import Run
from webjobs.models.webjob import WebJob
from webjobs.states import SlotHold

# Written as SQL because every run asks them, nearly always for nothing: a fifth of the price of
# the query compiler.
_HOLD = "SELECT hold FROM webjobs_slot WHERE id = %s"
_HELD = "SELECT lane FROM webjobs_run WHERE job_id = %s AND lane IS NOT NULL"
_LOCK = "SELECT 1 FROM webjobs_webjob WHERE id = %s FOR NO KEY UPDATE"
_AWAITED = """
    SELECT 1 FROM webjobs_run WHERE job_id = %s AND status = 'Queued' AND lane IS NULL LIMIT 1
"""


def lock_lanes(job_pk: int) -> None:
    """Lock the row of a WebJob until the transaction ends."""
    # SQLite has one writer at a time anyway.
    if connection.features.has_select_for_no_key_update:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [job_pk])


def is_awaited(job_pk: int) -> bool:
    """Whether a run of the WebJob waits for a lane, now or later."""
    with connection.cursor() as cursor:
        cursor.execute(_AWAITED, [job_pk])
        return cursor.fetchone() is not None


def lock_job(job_pk: int) -> WebJob | None:
    """The row as it is now, locked until the transaction ends; None when it is gone."""
    locked = WebJob.objects.select_for_update(no_key=True)
    return locked.filter(pk=job_pk).order_by().first()


def is_held(job: WebJob) -> bool:
    """Whether no run of `job`, whose row must be locked, may start: its slot is being swapped."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [job.slot_id])
        row = cursor.fetchone()
    return row is not None and row[0] != SlotHold.NONE


def free_lane(job: WebJob) -> int | None:
    """The lane for one more run of `job`; None while as many as allowed are in progress.

    Lanes beyond the present number, of a policy before, count as well.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [job.pk])
        held = {lane for (lane,) in cursor.fetchall()}
    return lowest_free(held, job.lanes)


def lowest_free(held: set[int | None], lanes: int) -> int | None:
    """The lowest of the lanes from 0 on that is not among `held`, if fewer than `lanes` are."""
    if len(held) >= lanes:
        return None
    return next(lane for lane in range(lanes) if lane not in held)


def hand_over(job: WebJob, now: datetime) -> list[int]:
    """Give free lanes to the runs that wait longest; returns their keys, to be enqueued."""
    if job.deleted_at is not None:
        return []
    waiting = Run.objects.waiting(now)
    if is_held(job):
        return []
    given = []
    for pk in waiting.filter(job=job).order_by("number").values_list("pk", flat=True)[: job.lanes]:
        lane = free_lane(job)
        if lane is None:
            break
        if waiting.filter(pk=pk).update(lane=lane):
            given.append(pk)
    return given


def jobs_with_room(now: datetime) -> list[int]:
    """The WebJobs with both a free lane and a run whose turn it could be."""
    wanted = set(Run.objects.waiting(now).order_by().values_list("job_id", flat=True))
    if not wanted:
        return []
    active = Run.objects.filter(job__in=wanted, lane__isnull=False).order_by()
    held = Counter(active.values_list("job_id", flat=True))
    jobs = WebJob.objects.living().filter(pk__in=wanted, slot__hold=SlotHold.NONE)
    jobs = jobs.only("concurrency", "max_parallel")
    return [job.pk for job in jobs if held[job.pk] < job.lanes]
