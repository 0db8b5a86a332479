"""A swap on several machines, one of which dies in the middle."""

from __future__ import annotations

from pathlib import Path

from tests.support.cluster import (
    WITNESS,
    Cluster,
    assert_never_two,
    lives,
    wait_status,
    witness_of,
)
from tests.support.engine import ACTOR, add_job
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot, WebJob
from webjobs.states import CopyStatus, JobType, SwapState

SINGLETON: dict[str, str | bytes] = {"run.py": WITNESS, "settings.job": '{"is_singleton": true}'}
# Takes no notice, so that stopping lasts.
STUBBORN: dict[str, str | bytes] = {
    "run.sh": "trap '' TERM\nwhile true; do sleep 0.1; done",
    "settings.job": '{"stopping_wait_time": 4}',
}


def test_a_worker_killed_while_everything_stops_neither_doubles_nor_loses_anything(
    cluster: Cluster, slot: Slot, witness: Path
) -> None:
    staging = dispatch.add_slot(slot.app, "staging", ACTOR)
    nodes = cluster.start("a", "b")
    add_job(slot, SINGLETON, JobType.CONTINUOUS, "single")
    stubborn = add_job(slot, STUBBORN, JobType.CONTINUOUS, "stubborn")
    for node in nodes:
        wait_status(stubborn, node, CopyStatus.RUNNING)
    until(lambda: any(witness_of(witness, node) for node in nodes), what="the singleton runs")

    swap = dispatch.swap_slots(slot, staging, ACTOR)

    def state() -> str:
        swap.refresh_from_db()
        return swap.state

    until(lambda: state() == SwapState.STOPPING, what="the continuous WebJobs are stopped")
    nodes[0].kill()
    until(lambda: state() in {"Succeeded", "Failed"}, seconds=40, what="the end of the swap")

    assert swap.state == SwapState.SUCCEEDED, swap.reason
    assert {job.slot.name for job in WebJob.objects.all()} == {"staging"}
    until(lambda: witness_of(witness, nodes[1]), seconds=30, what="the other one runs it")
    assert len(lives(witness)) >= 2
    assert_never_two(witness)
