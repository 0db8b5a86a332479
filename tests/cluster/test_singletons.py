"""A singleton runs on exactly one instance, whatever happens to its holder."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.support.cluster import (
    SHARE,
    WITNESS,
    Cluster,
    Node,
    assert_never_two,
    lives,
    wait_status,
    witness_of,
)
from tests.support.engine import ACTOR, add_job, text_of
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot, WebJob
from webjobs.runner.settings_job import JobSettings
from webjobs.states import CopyStatus, JobType

# Of the 15 s within which another instance takes over.
TAKES_OVER = 15 * SHARE


def add_singleton(slot: Slot) -> WebJob:
    files: dict[str, str | bytes] = {"run.py": WITNESS, "settings.job": '{"is_singleton": true}'}
    return add_job(slot, files, JobType.CONTINUOUS, "witness")


def holder_and_other(job: WebJob, nodes: list[Node]) -> tuple[Node, Node]:
    """Which node runs it, once it runs, and which one stands by."""

    def found() -> Node | None:
        leased = job.copies.filter(status=CopyStatus.RUNNING, is_leased=True)
        names = leased.values_list("instance__name")
        return next((node for node in nodes if (node.name,) in names), None)

    holder = until(found, seconds=20, what="a holder")
    other = next(node for node in nodes if node is not holder)
    wait_status(job, other, CopyStatus.INACTIVE_INSTANCE)
    return holder, other


def wait_taken_over(file: Path, other: Node, seconds: float) -> None:
    begun = time.monotonic()
    until(lambda: witness_of(file, other), seconds=seconds + 3, what=f"a take-over; {other.output}")
    # The start of the process on a busy machine is not what is measured.
    assert time.monotonic() - begun < seconds + 2


def test_it_runs_once_and_moves_at_once_when_its_holder_is_stopped(
    cluster: Cluster, slot: Slot, witness: Path
) -> None:
    nodes = cluster.start("a", "b")
    job = add_singleton(slot)
    holder, other = holder_and_other(job, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")
    standing_by = wait_status(job, other, CopyStatus.INACTIVE_INSTANCE)
    assert "another instance runs it" in standing_by.reason
    assert text_of(standing_by).count("Status changed to InactiveInstance") == 1

    holder.stop()
    wait_taken_over(witness, other, 2)

    assert_never_two(witness)
    released = text_of(job.copies.get(instance__name=holder.name))
    assert "SYS INFO] WebJob singleton lock is acquired" in released
    assert "SYS INFO] WebJob singleton lock is released" in released
    acquired = text_of(wait_status(job, other, CopyStatus.RUNNING))
    assert "SYS INFO] WebJob singleton setting is True" in acquired
    assert "SYS INFO] WebJob singleton lock is acquired" in acquired


def test_it_moves_when_its_holder_is_killed(cluster: Cluster, slot: Slot, witness: Path) -> None:
    nodes = cluster.start("a", "b")
    job = add_singleton(slot)
    holder, other = holder_and_other(job, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")

    holder.kill()
    wait_taken_over(witness, other, TAKES_OVER)

    holder.start()
    holder.wait_up()
    wait_status(job, holder, CopyStatus.INACTIVE_INSTANCE)
    assert witness_of(witness, other)
    assert len(lives(witness)) == 2
    assert_never_two(witness)


def test_it_moves_when_its_holder_stands_still_and_never_runs_twice(
    cluster: Cluster, slot: Slot, witness: Path
) -> None:
    nodes = cluster.start("a", "b")
    job = add_singleton(slot)
    holder, other = holder_and_other(job, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")

    holder.signal(signal.SIGSTOP)
    wait_taken_over(witness, other, TAKES_OVER)
    assert holder.processes() == []
    until(lambda: holder.row.lost_at, seconds=15, what="it is declared lost")

    holder.signal(signal.SIGCONT)
    until(lambda: holder.row.lost_at is None, what=f"it is back; {holder.output}")
    copy = wait_status(job, holder, CopyStatus.INACTIVE_INSTANCE)
    assert "never runs twice" in text_of(copy)
    assert witness_of(witness, other)

    other.stop()
    wait_taken_over(witness, holder, 2)
    assert_never_two(witness)


def test_the_setting_acts_at_run_time(cluster: Cluster, slot: Slot, witness: Path) -> None:
    nodes = cluster.start("a", "b")
    job = add_job(slot, {"run.py": WITNESS}, JobType.CONTINUOUS, "witness")
    for node in nodes:
        wait_status(job, node, CopyStatus.RUNNING)
    until(lambda: len(lives(witness)) == 2, what="both run")

    dispatch.set_settings_job(job, JobSettings(is_singleton=True), ACTOR)
    holder, other = holder_and_other(job, nodes)

    def only_holder() -> bool:
        return witness_of(witness, holder) and other.processes() == []

    until(only_holder, what="one of them runs")
    assert "setting changed from False to True" in text_of(job.copies.first())  # type: ignore[arg-type]

    dispatch.set_settings_job(job, JobSettings(is_singleton=False), ACTOR)
    for node in nodes:
        wait_status(job, node, CopyStatus.RUNNING)
        until(lambda node=node: node.processes() != [], what="both run again")  # type: ignore[misc]
