"""Messages to workers that are sent from where no task may be imported."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

EXECUTE_RUN = "webjobs.execute_run"

logger = logging.getLogger(__name__)


def enqueue_run(run_pk: int) -> None:
    """Hint to any worker that a run is queued; without it, a worker with a free thread finds the
    run within a few seconds."""
    try:
        current_app.send_task(EXECUTE_RUN, (run_pk,), retry=False, ignore_result=True)
    except (OperationalError, RedisError) as error:
        logger.warning("The broker cannot be reached; run %s starts later: %s", run_pk, error)
