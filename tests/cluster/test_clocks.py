"""Clocks that jump, stand still, or differ from machine to machine move no singleton."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from tests.cluster.test_singletons import (
    TAKES_OVER,
    add_singleton,
    holder_and_other,
    wait_taken_over,
)
from tests.support.clocks import Clock, other_boot_time
from tests.support.cluster import Cluster, Node, assert_never_two, lives, wait_final, witness_of
from tests.support.engine import ACTOR, add_job, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot
from webjobs.states import RunStatus

HOUR = 3600


def test_a_wall_clock_that_jumps_or_stands_still_moves_no_singleton(
    cluster: Cluster, slot: Slot, witness: Path, tmp_path: Path
) -> None:
    clocks = {name: Clock(tmp_path / f"clock-{name}") for name in "ab"}
    nodes = [Node(name, cluster.folder / name, **clocks[name].environ) for name in "ab"]
    start(cluster, nodes)
    singleton = add_singleton(slot)
    holder, other = holder_and_other(singleton, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")
    job = add_job(slot, "echo begun\nsleep 1")

    for jump in (HOUR, -HOUR, None):
        run = dispatch.run_now(job, ACTOR)
        wait_log(run, "] begun")
        for clock in clocks.values():
            clock.stop() if jump is None else clock.shift(jump)
        jumped = time.monotonic()
        # What it executes meanwhile ends as ever.
        wait_final(run)
        assert run.status == RunStatus.SUCCESS, run.reason
        duration = run.duration()
        assert duration is not None and duration >= timedelta(0)
        assert run.ended_at
        if jump:
            ahead = (run.ended_at - timezone.now()).total_seconds()
            assert abs(ahead - jump) < HOUR / 2, "the clock did not jump"
        until(lambda since=jumped: time.monotonic() > since + TAKES_OVER, what="time for it")  # type: ignore[misc]
        assert witness_of(witness, holder)
        assert len(lives(witness)) == 1, "it was started again"

    holder.kill()
    wait_taken_over(witness, other, TAKES_OVER)
    assert_never_two(witness)


def test_machines_whose_clocks_began_at_different_times_agree(
    cluster: Cluster, slot: Slot, witness: Path
) -> None:
    nodes = [Node(name, cluster.folder / name) for name in "ab"]
    nodes[0].before = other_boot_time(1_000_000)
    start(cluster, nodes)
    job = add_singleton(slot)
    holder, other = holder_and_other(job, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")

    holder.kill()
    wait_taken_over(witness, other, TAKES_OVER)
    holder.start()
    holder.wait_up()
    other.kill()
    wait_taken_over(witness, holder, TAKES_OVER)
    assert len(lives(witness)) == 3
    assert_never_two(witness)


def start(cluster: Cluster, nodes: list[Node]) -> None:
    cluster.nodes += nodes
    for node in nodes:
        node.start()
    for node in nodes:
        node.wait_up()
