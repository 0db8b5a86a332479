"""A worker stands still for so long that others give it up, and wakes: its plain continuous jobs
are as before, once each, and what people wished meanwhile is done."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.cluster import WITNESS as COUNTS_ITSELF
from tests.support.cluster import Cluster, Node, copy_on, lives, wait_status
from tests.support.engine import ACTOR, add_job, text_of, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot, WebJob
from webjobs.states import CopyStatus, JobType

COUNTS = "i=0\nwhile true; do echo line $i.; i=$((i+1)); sleep 0.05; done"


def marks_of(file: Path, node: Node) -> list[str]:
    """The processes of the witness that ever ran on `node`."""
    return [mark for mark in lives(file) if mark.split(":")[0] == node.row.key]


def numbers_of(job: WebJob, node: Node) -> list[int]:
    copy = copy_on(job, node)
    assert copy
    lines = text_of(copy).splitlines()
    return [int(line.split("] line ")[1][:-1]) for line in lines if "] line " in line]


def test_continuous_jobs_are_not_doubled_and_catch_up_with_wishes(
    cluster: Cluster, slot: Slot, witness: Path
) -> None:
    nodes = still, other = cluster.start("a", "b")
    plain = add_job(slot, {"run.py": COUNTS_ITSELF}, JobType.CONTINUOUS, "witness")
    talking = add_job(slot, COUNTS, JobType.CONTINUOUS, "talking")
    unwanted = add_job(slot, "exec sleep 600", JobType.CONTINUOUS, "unwanted")
    for job in (plain, talking, unwanted):
        for node in nodes:
            wait_status(job, node, CopyStatus.RUNNING)
    wait_log(wait_status(talking, still, CopyStatus.RUNNING), "line 3.")
    (mark,) = until(lambda: marks_of(witness, still), what="the witness lives there")
    epoch = still.row.epoch

    still.signal(signal.SIGSTOP)
    until(lambda: still.row.lost_at, seconds=20, what="it is declared lost")
    dispatch.stop(unwanted, ACTOR)
    wait_status(unwanted, other, CopyStatus.STOPPED)
    printed = len(numbers_of(talking, still))
    still.signal(signal.SIGCONT)
    until(lambda: still.row.lost_at is None, what=f"it is back; {still.output}")

    wait_status(unwanted, still, CopyStatus.STOPPED)
    row = still.row
    assert row.epoch > epoch
    for job in (plain, talking):
        copy = wait_status(job, still, CopyStatus.RUNNING)
        assert (copy.epoch, copy.restarts) == (row.epoch, 0)
    assert marks_of(witness, still) == [mark], "its process went on, and no second one was started"
    # It printed on while nobody read, and nothing of that is lost.
    until(lambda: len(numbers_of(talking, still)) > printed + 60, what="its output goes on")
    numbers = numbers_of(talking, still)
    assert numbers == list(range(len(numbers)))

    for job in (plain, talking):
        dispatch.stop(job, ACTOR)
        for node in nodes:
            wait_status(job, node, CopyStatus.STOPPED)
    for node in nodes:
        until(lambda node=node: node.processes() == [], what="nothing is left")  # type: ignore[misc]
