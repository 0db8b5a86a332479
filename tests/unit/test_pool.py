"""The threads of a worker, beside its event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.asynchronous import Hub, get_event_loop, set_event_loop

from portal.pool import TaskPool


class Loop(Hub):
    """Notes that it was woken: by itself it looks around once a second."""

    def __init__(self) -> None:
        super().__init__()
        self.was_woken = threading.Event()

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Any:
        self.was_woken.set()
        return super().call_soon(callback, *args)


@pytest.fixture
def pool() -> Iterator[TaskPool]:
    before = get_event_loop()
    pool = TaskPool(limit=1)
    pool.start()
    yield pool
    pool.stop()
    set_event_loop(before)


def test_the_loop_is_woken_once_celery_knows_that_a_task_has_ended(pool: TaskPool) -> None:
    loop = Loop()
    set_event_loop(loop)
    woken: list[bool] = []
    done = threading.Event()

    def ended(_: object) -> None:
        woken.append(loop.was_woken.is_set())
        done.set()

    pool.apply_async(lambda: None, callback=ended)

    assert done.wait(20)
    assert loop.was_woken.wait(20)
    assert woken == [False]
    loop.close()


def test_a_task_outside_a_worker_needs_no_loop(pool: TaskPool) -> None:
    set_event_loop(None)
    done = threading.Event()
    for _ in range(2):  # The second one shows that the first has not cost the thread.
        done.clear()
        pool.apply_async(done.set, callback=lambda _: None)
        assert done.wait(20)
