"""Celery's tasks, and how the others call them. A message is a hint: each task may arrive zero,
one or two times, and the row decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celery import current_app, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webjobs import deployments, endings, hooks, housekeeping, outages, retention
from webjobs.engine.executor import current_executor
from webjobs.messages import EXECUTE_RUN, NUDGE, enqueue_run, nudge_workers
from webjobs.models.version import trim_versions

__all__ = ["NUDGE", "clean_up", "deliver_hook", "execute_run", "nudge_workers", "send_periodic"]


@shared_task(name=EXECUTE_RUN)
def execute_run(run_pk: int) -> None:
    """Execute a queued run on this instance, if nobody has claimed it, and others that wait."""
    left = current_executor().execute_with_others(run_pk)
    if left is not None:
        enqueue_run(left)


@shared_task(name=hooks.DELIVER)
def deliver_hook(delivery_pk: int) -> None:
    """Make the next attempt to call a web hook, if it is due and nobody else makes it."""
    hooks.deliver(delivery_pk)


@shared_task(name="webjobs.clean_up")
def clean_up() -> None:
    """Bring rows back to the truth: lost instances, waiting runs, old history, deleted WebJobs."""
    now = timezone.now()
    housekeeping.abort_orphans(now)
    endings.start_waiting(now)
    housekeeping.trim_histories()
    housekeeping.purge_deleted(now)
    housekeeping.forget_copies(now)
    housekeeping.end_debug_sessions(now)
    trim_versions()
    retention.enforce(now)
    hooks.enqueue_due(now)
    deployments.enqueue_due(now)


def send_periodic(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> bool:
    """Send a periodic task, whether or not this process knows it; false: the broker is away."""
    try:
        current_app.send_task(name, args, kwargs, retry=False, **options)
    except (OperationalError, RedisError) as error:
        outages.broker.gone(error)
        return False
    outages.broker.back()
    return True
