"""What follows from the end of a run: its retry, and its lane for the run that waits longest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction

from webjobs.hooks import announce_end
from webjobs.messages import enqueue_run
from webjobs.models import Run, WebJob
from webjobs.models.lanes import hand_over, is_awaited, jobs_with_room, lock_job, lock_lanes
from webjobs.models.queueing import insert_run
from webjobs.models.retrying import announcement, plan_retry
from webjobs.reasons import gettext_noop
from webjobs.states import RetryOn

# What the reason of a run says that nobody tries again by itself.
RUN_AGAIN = gettext_noop("Run it again if it is needed.")


def conclude(
    run: Run, end: Callable[[str], bool], now: datetime, ending: RetryOn | None = None
) -> bool:
    """Let `end` make `run` final, and all that follows, in the caller's transaction.

    `end` gets words on what follows for the reason, empty when nothing does, and tells whether it
    won. With `ending` the run is tried again if its WebJob wants that.
    """
    lock_lanes(run.job_id)
    retry = plan_retry(run, ending, now) if ending else None
    if not end(announcement(retry) if retry else ""):
        return False
    announce_end(run, now)
    if retry:
        insert_run(retry)
    if is_awaited(run.job_id):
        job = lock_job(run.job_id)
        if job:
            give_lanes(job, now)
    return True


def cancel(run: Run, now: datetime, reason: str) -> bool:
    """End a run that nobody has started, in the caller's transaction; who waits for its end is
    told. Its lane is the caller's business."""
    if not run.cancel(now, reason):
        return False
    announce_end(run, now)
    return True


def give_lanes(job: WebJob, now: datetime) -> None:
    """Let runs that wait go on, as far as there is room; the row of `job` must be locked."""
    for run_pk in hand_over(job, now):
        transaction.on_commit(partial(enqueue_run, run_pk), robust=True)


def start_waiting(now: datetime) -> None:
    """Give lanes to runs whose time has come: retries, and whatever was overlooked."""
    for job_pk in jobs_with_room(now):
        with transaction.atomic():
            job = lock_job(job_pk)
            if job:
                give_lanes(job, now)
