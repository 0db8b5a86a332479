"""A message is a hint: runs are executed, once, without it too."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from celery import current_app

from tests.support import broker as broker_support
from tests.support.cluster import Cluster, wait_final
from tests.support.engine import ACTOR, add_job, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot
from webjobs.states import RunStatus

RUNS = 12
# A worker looks for what nobody told it of at every second heartbeat of 2 s; the tests' come
# faster.
FOUND_WITHIN = 10.0


def test_runs_whose_messages_the_broker_dropped_are_found_and_executed_once(
    cluster: Cluster, slot: Slot, tmp_path: Path
) -> None:
    # Both brokers live, but what is sent to the test's never reaches a worker.
    socket = tmp_path / "other" / "broker.sock"
    with broker_support.running(socket):
        cluster.start("a", "b", REDIS_URL=f"redis+socket://{socket}")
        file = tmp_path / "executions"
        jobs = [
            add_job(slot, f"echo {number} >> {file}", name=f"job{number}") for number in range(RUNS)
        ]
        begun = time.monotonic()
        runs = [dispatch.run_now(job, ACTOR) for job in jobs]

        for run in runs:
            wait_final(run, seconds=begun + FOUND_WITHIN - time.monotonic())
            assert run.status == RunStatus.SUCCESS, run.reason
        cluster.close()
    assert sorted(map(int, file.read_text().split())) == list(range(RUNS))


def test_hints_that_die_with_the_worker_that_took_them_cost_no_run(
    cluster: Cluster, slot: Slot, tmp_path: Path
) -> None:
    (node,) = cluster.start("a")
    for number in range(node.row.threads):
        long = add_job(slot, "echo begun\nsleep 600", name=f"long{number}")
        wait_log(dispatch.run_now(long, ACTOR), "begun", seconds=20)
    file = tmp_path / "executions"
    jobs = [add_job(slot, f"echo {number} >> {file}", name=f"job{number}") for number in range(3)]
    runs = [dispatch.run_now(job, ACTOR) for job in jobs]
    # Its threads are busy; the broker forgets what it hands out.
    until(lambda: _hints() < len(runs), what="the worker has taken a hint")
    node.kill()

    cluster.start("b")
    begun = time.monotonic()
    for run in runs:
        wait_final(run, seconds=begun + FOUND_WITHIN - time.monotonic())
        assert run.status == RunStatus.SUCCESS, run.reason
    assert sorted(map(int, file.read_text().split())) == [0, 1, 2]


def _hints() -> int:
    """How many wait in the broker."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        return int(channel.client.llen(current_app.conf.task_default_queue))
