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


def test_what_a_busy_worker_cannot_begin_is_left_to_others(cluster: Cluster, slot: Slot) -> None:
    (busy,) = cluster.start("a")
    long = [
        dispatch.run_now(add_job(slot, "echo begun\nsleep 600", name=f"long{number}"), ACTOR)
        for number in range(busy.row.threads)
    ]
    for run in long:
        wait_log(run, "begun", seconds=20)
    jobs = [add_job(slot, "true", name=f"job{number}") for number in range(3)]
    runs = [dispatch.run_now(job, ACTOR) for job in jobs]
    # It answers, so it has looked around since.
    assert current_app.control.ping(timeout=20, limit=1)
    assert _hints() == len(runs)

    (other,) = cluster.start("b")
    for run in runs:
        assert wait_final(run).status == RunStatus.SUCCESS, run.reason
        assert run.instance and run.instance.name == "b"
    other.stop()
    for run in long:
        dispatch.stop_run(run, ACTOR)
        wait_final(run)
    assert wait_final(dispatch.run_now(jobs[0], ACTOR)).status == RunStatus.SUCCESS
    until(lambda: not _hints(), what="a worker with free threads takes what it is told")


def _hints() -> int:
    """How many wait in the broker."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        return int(channel.client.llen(current_app.conf.task_default_queue))
