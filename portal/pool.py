"""The threads in which a worker executes its tasks."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from celery.concurrency import thread
from kombu.asynchronous import get_event_loop


class TaskPool(thread.TaskPool):
    """As Celery's; the worker looks at the queue as soon as a thread is free again.

    A worker whose threads are all busy takes nothing from the queue (worker_disable_prefetch), so
    that other instances may. Celery's loop itself would notice only at its next event that this is
    over, up to a second later.
    """

    def on_apply(self, *args: Any, **options: Any) -> Any:
        applied = super().on_apply(*args, **options)
        # Called after Celery's own callback, which counts the task as done.
        applied.f.add_done_callback(_wake)
        return applied


def _wake(_: Future[Any]) -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(_nothing)


def _nothing() -> None:
    return
