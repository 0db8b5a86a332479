"""A swap on several machines, one of which dies in the middle, or in the exchange itself."""

from __future__ import annotations

from pathlib import Path

from tests.support.cluster import (
    WITNESS,
    Cluster,
    assert_never_two,
    lives,
    wait_final,
    wait_status,
    witness_of,
)
from tests.support.engine import ACTOR, add_job, text_of, wait_log
from tests.support.held_exchange import exchange_held
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import AuditEntry, Slot, Swap, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus, SwapState

SINGLETON: dict[str, str | bytes] = {"run.py": WITNESS, "settings.job": '{"is_singleton": true}'}
# Takes no notice, so that stopping lasts.
STUBBORN: dict[str, str | bytes] = {
    "run.sh": "trap '' TERM\nwhile true; do sleep 0.1; done",
    "settings.job": '{"stopping_wait_time": 4}',
}

# Takes a moment to stop, in which the run that waits can be asked for.
DAEMON = """
trap 'sleep 1; exit' TERM
echo up in $WEBSITE_SLOT_NAME, $COLOR
while true; do sleep 0.1; done
"""
YEARLY = "0 0 0 1 1 *"


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


def places(slot: Slot, staging: Slot) -> dict[str, list[str]]:
    """What is where: WebJobs with their histories, and settings."""
    return {
        one.name: [
            *(f"{job.name}: {job.runs.count()}" for job in WebJob.objects.filter(slot=one)),
            *(f"{setting.name}={setting.value}" for setting in one.settings.order_by("name")),
        ]
        for one in (slot, staging)
    }


def test_a_worker_killed_in_the_exchange_leaves_all_as_it_was_and_another_one_ends_it(
    cluster: Cluster, slot: Slot
) -> None:
    """The transaction is open, and everything in it has moved, when the worker is killed."""
    staging = dispatch.add_slot(slot.app, "staging", ACTOR)
    for one, color in ((slot, "blue"), (staging, "green")):
        dispatch.change_settings(one, [dispatch.SettingChange("COLOR", color)], ACTOR)
    (first,) = cluster.start("a")
    daemon = add_job(slot, DAEMON, JobType.CONTINUOUS, "daemon")
    nightly = add_job(slot, "echo $WEBSITE_SLOT_NAME $COLOR", name="nightly", schedule=YEARLY)
    add_job(staging, "true", name="other")
    wait_final(dispatch.run_now(nightly, ACTOR))
    wait_log(wait_status(daemon, first, CopyStatus.RUNNING), "up in production, blue")
    before = places(slot, staging)

    with exchange_held(nightly.schedule) as is_stuck:
        swap = dispatch.swap_slots(slot, staging, ACTOR)
        waiting = dispatch.run_now(nightly, ACTOR)
        before["production"][1] = "nightly: 2"
        until(is_stuck, seconds=20, what=f"it exchanges: {first.output}")
        first.kill()
        swap.refresh_from_db()
        assert (swap.state, places(slot, staging)) == (SwapState.STOPPING, before)

    swap.refresh_from_db()
    assert (swap.state, places(slot, staging)) == (SwapState.STOPPING, before)
    (second,) = cluster.start("b")
    until(lambda: Swap.objects.get().state == SwapState.SUCCEEDED, seconds=20, what="its end")
    assert places(slot, staging) == {
        "production": before["staging"],
        "staging": before["production"],
    }
    assert AuditEntry.objects.filter(action="slot.swap").count() == 1
    assert "staging blue" in text_of(wait_final(waiting))
    wait_log(wait_status(daemon, second, CopyStatus.RUNNING), "up in staging, blue")
    assert wait_final(dispatch.run_now(nightly, ACTOR)).status == RunStatus.SUCCESS
