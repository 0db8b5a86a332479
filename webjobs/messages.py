"""Messages to workers that are sent from where no task may be imported."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.db import Error
from django.db.models import Sum
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from webjobs import outages
from webjobs.models import Instance

EXECUTE_RUN = "webjobs.execute_run"
NUDGE = "webjobs_nudge"
# Whoever hints does not wait for a broker that is away.
BROKER_SECONDS = 2
# How long it is remembered how many threads the instances have.
COUNT_EVERY = 10.0

_NO_CALLBACKS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
# Adds a hint unless as many wait as there are threads: each of them will look for more.
_PUSH = """
if redis.call('LLEN', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('LPUSH', KEYS[1], ARGV[2])
end
"""


def enqueue_run(run_pk: int) -> bool:
    """Hint to any worker that a run is queued. False when the broker is away.

    Without the hint the run is found by the next thread that ends another one, else within a few
    seconds by a worker that has a free thread. So no more hints are sent than there are threads.
    """
    queue, hint = settings.CELERY_TASK_DEFAULT_QUEUE, _hint(run_pk)
    return _send(lambda: _broker().eval(_PUSH, 1, queue, str(_threads.count()), hint))


def enqueue_runs(run_pks: Sequence[int]) -> bool:
    """A hint for each of many runs."""
    hints = [_hint(run_pk) for run_pk in run_pks]
    return not hints or _send(lambda: _broker().lpush(settings.CELERY_TASK_DEFAULT_QUEUE, *hints))


def nudge_workers() -> None:
    """Let every worker compare wishes and facts now; they do so every second anyway."""
    try:
        current_app.control.broadcast(NUDGE)
    except (OperationalError, RedisError, OSError) as error:
        outages.broker.gone(error)
    else:
        outages.broker.back()


def _send(push: Callable[[], object]) -> bool:
    try:
        push()
    except (RedisError, OSError) as error:
        outages.broker.gone(error)
        return False
    outages.broker.back()
    return True


@cache
def _broker() -> Redis:
    # Celery's word for a Unix socket is not the one of the client library.
    return Redis.from_url(
        settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1),
        socket_timeout=BROKER_SECONDS,
        socket_connect_timeout=BROKER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def _hint(run_pk: int) -> str:
    """What Celery's transport puts into the list of the queue for a task with one argument.

    Written by hand, because through Celery and Kombu it costs as much as all the rest of starting
    a run.
    """
    id, queue = str(uuid4()), settings.CELERY_TASK_DEFAULT_QUEUE
    body = json.dumps([[run_pk], {}, _NO_CALLBACKS])
    headers = {
        "lang": "py", "task": EXECUTE_RUN, "id": id, "root_id": id, "parent_id": None,
        "group": None, "argsrepr": f"({run_pk},)", "kwargsrepr": "{}", "eta": None,
        "expires": None, "retries": 0, "timelimit": [None, None], "ignore_result": True,
    }  # fmt: skip
    properties = {
        "correlation_id": id, "delivery_tag": id, "delivery_mode": 2, "priority": 0,
        "delivery_info": {"exchange": "", "routing_key": queue}, "body_encoding": "base64",
    }  # fmt: skip
    document = {
        "body": base64.b64encode(body.encode()).decode(), "headers": headers,
        "properties": properties, "content-type": "application/json", "content-encoding": "utf-8",
    }  # fmt: skip
    return json.dumps(document)


class _Threads:
    """How many threads all instances have together, asked now and then."""

    def __init__(self) -> None:
        self._count = 0
        self._asked_at = 0.0

    def count(self) -> int:
        now = time.monotonic()
        if not self._asked_at or now - self._asked_at > COUNT_EVERY:
            self._asked_at = now
            with suppress(Error):  # What is asked for is committed already; a guess will do.
                found = Instance.objects.present().aggregate(all=Sum("threads"))["all"]
                self._count = found or 0
        return max(self._count, settings.CELERY_WORKER_CONCURRENCY)


_threads = _Threads()
