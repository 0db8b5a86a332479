"""Celery's tasks, and how the others call them. A message is a hint: each task may arrive zero,
one or two times, and the row decides."""

from __future__ import annotations

import logging

from celery import current_app, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webjobs import housekeeping
from webjobs.execution import current_executor

logger = logging.getLogger(__name__)

NUDGE = "webjobs_nudge"


@shared_task(name="webjobs.execute_run")
def execute_run(run_pk: int) -> None:
    """Execute a queued run on this instance, if nobody has claimed it."""
    current_executor().execute(run_pk)


@shared_task(name="webjobs.clean_up")
def clean_up() -> None:
    """Bring rows back to the truth: lost instances, lost messages, old history, deleted WebJobs."""
    now = timezone.now()
    housekeeping.abort_orphans(now)
    for run_pk in housekeeping.stranded_runs(now):
        enqueue_run(run_pk)
    housekeeping.trim_histories()
    housekeeping.purge_deleted(now)


def enqueue_run(run_pk: int) -> None:
    """Hint to any worker that a run is queued; when the broker is away, clean_up repeats it."""
    try:
        execute_run.apply_async((run_pk,), retry=False)
    except (OperationalError, RedisError) as error:
        logger.warning("The broker cannot be reached; run %s starts later: %s", run_pk, error)


def nudge_workers() -> None:
    """Let every worker compare wishes and facts now; they do so every second anyway."""
    try:
        current_app.control.broadcast(NUDGE)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker cannot be reached; workers notice within 2 s: %s", error)
