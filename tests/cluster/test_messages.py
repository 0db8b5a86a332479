"""A message is a hint: runs are executed, once, without it too."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support import broker as broker_support
from tests.support.cluster import Cluster, wait_final
from tests.support.engine import ACTOR, add_job
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
