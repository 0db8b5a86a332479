"""Messages to workers that are sent from where no task may be imported."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from celery import current_app
from kombu.exceptions import OperationalError
from kombu.utils.uuid import uuid
from redis.exceptions import RedisError

EXECUTE_RUN = "webjobs.execute_run"
NUDGE = "webjobs_nudge"

logger = logging.getLogger(__name__)


def enqueue_run(run_pk: int) -> bool:
    """Hint to any worker that a run is queued; without it, a worker with a free thread finds the
    run within a few seconds. False when the broker is away."""
    return enqueue_runs((run_pk,))


def enqueue_runs(run_pks: Sequence[int]) -> bool:
    """The same for many runs."""
    try:
        with current_app.producer_or_acquire() as producer:
            for run_pk in run_pks:
                # Straight into the queue's list, at a third of the price: what apply_async adds
                # to it is not needed.
                message = current_app.amqp.create_task_message(
                    uuid(), EXECUTE_RUN, (run_pk,), {}, ignore_result=True
                )
                producer.publish(
                    message.body,
                    exchange="",
                    routing_key=current_app.conf.task_default_queue,
                    headers=message.headers,
                    serializer="json",
                    retry=False,
                    **message.properties,
                )
    except (OperationalError, RedisError) as error:
        logger.warning("The broker cannot be reached; runs start later: %s", error)
        return False
    return True


def nudge_workers() -> None:
    """Let every worker compare wishes and facts now; they do so every second anyway."""
    try:
        current_app.control.broadcast(NUDGE)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker cannot be reached; workers notice within 2 s: %s", error)
