"""When workers die, nothing is executed twice, nothing is left behind, all ends in words."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from django.utils import timezone

from tests.process.running import alive
from tests.support.cluster import SHARE, Cluster, Node, copy_on, wait_final, wait_status
from tests.support.engine import ACTOR, add_job, text_of, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.messages import enqueue_run
from webjobs.models import Instance, Run, Slot, WebJob
from webjobs.runner.settings_job import JobSettings
from webjobs.states import CopyStatus, JobType, RunStatus

DAEMON = "echo started\n(setsid sleep 600 &)\nsleep 600"
LONG = "echo begun\nsleep 600"
# Of the 30 s within which the run of a dead instance is final.
FINAL = 30 * SHARE


def start_run(job: WebJob, text: str = "begun") -> Run:
    """A run in progress."""
    run = dispatch.run_now(job, ACTOR)
    wait_log(run, text, seconds=20)
    return run


def test_a_restart_after_a_kill_aborts_at_once_and_brings_daemons_back(
    cluster: Cluster, slot: Slot
) -> None:
    (node,) = cluster.start("a")
    daemon = add_job(slot, DAEMON, JobType.CONTINUOUS, "daemon")
    run = start_run(add_job(slot, LONG, name="long"))
    wait_log(wait_status(daemon, node, CopyStatus.RUNNING), "started")
    key = node.row.key

    node.kill()
    until(lambda: not node.processes(), seconds=5, what="its guardian kills what it leaves")
    node.start()
    node.wait_up()

    # Long before anybody would have missed its heartbeat.
    wait_final(run, seconds=5)
    assert run.status == RunStatus.ABORTED
    assert "worker of instance a ended while the run was in progress" in run.reason
    assert "SYS INFO] Status changed to Aborted" in text_of(run)
    assert node.row.key == key
    copy = wait_status(daemon, node, CopyStatus.RUNNING)
    until(lambda: text_of(copy).count("] started") == 2, what="the daemon is back")
    again = wait_final(dispatch.run_now(add_job(slot, "true", name="next"), ACTOR))
    assert again.status == RunStatus.SUCCESS


def test_a_power_cut_leaves_nothing_that_the_next_start_does_not_mend(
    cluster: Cluster, slot: Slot
) -> None:
    (node,) = cluster.start("a")
    daemon = add_job(slot, DAEMON, JobType.CONTINUOUS, "daemon")
    run = start_run(add_job(slot, LONG, name="long"))
    wait_log(wait_status(daemon, node, CopyStatus.RUNNING), "started")
    before = node.processes()
    guardians = node.guardians()
    assert guardians

    for pid in (node.pid, *guardians):
        os.kill(pid, signal.SIGKILL)
    node.kill()
    node.start()
    node.wait_up()

    wait_final(run, seconds=5)
    assert run.status == RunStatus.ABORTED
    assert not any(alive(pid) for pid in before)
    copy = wait_status(daemon, node, CopyStatus.RUNNING)
    until(lambda: text_of(copy).count("] started") == 2, what="the daemon is back")


def test_the_run_of_a_killed_instance_is_aborted_by_another_one(
    cluster: Cluster, slot: Slot
) -> None:
    nodes = cluster.start("a", "b")
    run = start_run(add_job(slot, LONG))
    run.refresh_from_db()
    assert run.instance
    dead = next(node for node in nodes if node.name == run.instance.name)

    dead.kill()
    killed = timezone.now()
    wait_final(run, seconds=FINAL + 5)

    assert run.status == RunStatus.ABORTED
    assert f"Instance {dead.name} was lost" in run.reason
    assert run.ended_at and (run.ended_at - killed).total_seconds() < FINAL
    assert text_of(run).count("] begun") == 1
    assert not Instance.objects.live(timezone.now()).filter(pk=dead.row.pk).exists()


def test_the_run_of_a_killed_instance_is_tried_again_once_on_another_one(
    cluster: Cluster, slot: Slot, tmp_path: Path
) -> None:
    nodes = cluster.start("a", "b")
    file = tmp_path / "starts"
    script = f"echo start >> {file}\necho begun\ntest $(wc -l < {file}) -gt 1 || sleep 600"
    job = add_job(slot, script)
    policy = JobSettings(retry_attempts=3, retry_delay=1, retry_on=["lost"])
    dispatch.set_settings_job(job, policy, ACTOR)
    run = start_run(job)
    run.refresh_from_db()
    assert run.instance
    dead = next(node for node in nodes if node.name == run.instance.name)

    dead.kill()
    wait_final(run, seconds=FINAL + 5)

    assert run.status == RunStatus.ABORTED
    assert f"Instance {dead.name} was lost" in run.reason and "Retry 1 of 3 at" in run.reason
    assert run.next_attempt
    retry = wait_final(run.next_attempt)
    assert (retry.status, retry.attempt) == (RunStatus.SUCCESS, 2)
    assert retry.instance and retry.instance.name != dead.name
    assert Run.objects.filter(job=job).count() == 2
    assert file.read_text() == "start\n" * 2


def test_a_run_of_a_worker_that_stands_still_is_killed_before_others_abort_it(
    cluster: Cluster, slot: Slot
) -> None:
    nodes = cluster.start("a", "b")
    job = add_job(slot, LONG)
    run = start_run(job)
    run.refresh_from_db()
    assert run.instance
    still = next(node for node in nodes if node.name == run.instance.name)

    still.signal(signal.SIGSTOP)
    ended_before: list[bool] = []

    def final() -> bool:
        alone = not still.processes()
        run.refresh_from_db()
        ended_before.append(alone)
        return run.is_final

    until(final, seconds=FINAL + 5, what="the run is aborted")
    assert ended_before[-1], "its process was alive when the run was aborted"
    assert f"Instance {still.name} was lost" in run.reason
    again = start_run(job)

    still.signal(signal.SIGCONT)
    until(lambda: still.row.lost_at is None, what=f"it is back; {still.output}")
    again.refresh_from_db()
    assert again.status == RunStatus.RUNNING
    other = next(node for node in nodes if node is not still)
    other.stop()
    wait_final(again)
    assert "shut down" in again.reason
    assert wait_final(dispatch.run_now(add_job(slot, "true", name="next"), ACTOR)).status == (
        RunStatus.SUCCESS
    )
    run.refresh_from_db()
    assert run.status == RunStatus.ABORTED
    assert "was lost" in run.reason


def test_a_message_that_arrives_many_times_executes_once(
    cluster: Cluster, slot: Slot, tmp_path: Path
) -> None:
    cluster.start("a", "b")
    file = tmp_path / "executions"
    job = add_job(slot, f"echo once >> {file}\nsleep 0.5")

    run = dispatch.run_now(job, ACTOR)
    for _ in range(20):
        enqueue_run(run.pk)
    assert wait_final(run).status == RunStatus.SUCCESS
    for _ in range(5):
        enqueue_run(run.pk)
    witness = wait_final(dispatch.run_now(add_job(slot, "true", name="witness"), ACTOR))

    assert witness.status == RunStatus.SUCCESS
    assert file.read_text() == "once\n"


def test_a_stopped_worker_takes_nothing_new_and_says_goodbye(cluster: Cluster, slot: Slot) -> None:
    first, second = cluster.start("a", "b")
    script = "trap 'sleep 2; echo tidied; exit 0' TERM\necho begun\nwhile true; do sleep 0.1; done"
    daemon = add_job(slot, DAEMON, JobType.CONTINUOUS, "daemon")
    for node in (first, second):
        wait_log(wait_status(daemon, node, CopyStatus.RUNNING), "started")
    run = start_run(add_job(slot, script))
    run.refresh_from_db()
    assert run.instance
    leaving, staying = (first, second) if run.instance.name == "a" else (second, first)

    leaving.signal(signal.SIGTERM)
    until(lambda: leaving.row.is_draining, what="it drains")
    job = add_job(slot, "true", name="new")
    taken = [wait_final(dispatch.run_now(job, ACTOR)) for _ in range(3)]
    assert {one.instance.name for one in taken if one.instance} == {staying.name}
    leaving.stop()

    wait_final(run, seconds=1)
    assert run.status == RunStatus.ABORTED
    assert f"Instance {leaving.name} was shut down." in run.reason
    assert "] tidied" in text_of(run)
    row = leaving.row
    assert row.stopped_at and row.lost_at is None and row.busy == 0
    copy = copy_on(daemon, leaving)
    assert copy and copy.status == CopyStatus.STOPPED
    assert leaving.processes() == []


def test_two_workers_in_one_data_directory_are_two_instances(cluster: Cluster, slot: Slot) -> None:
    (first,) = cluster.start("a")
    twin = Node("a-2", first.folder, INSTANCE_NAME="a")
    cluster.nodes.append(twin)
    twin.start()
    twin.wait_up()

    rows = Instance.objects.filter(stopped_at=None)
    assert sorted(rows.values_list("name", flat=True)) == ["a", "a-2"]
    assert len(set(rows.values_list("key", flat=True))) == 2
    daemon = add_job(slot, DAEMON, JobType.CONTINUOUS, "daemon")

    def both_run() -> bool:
        return daemon.copies.filter(status=CopyStatus.RUNNING).count() == 2

    until(both_run, what="a copy on each")


def test_heartbeats_tell_how_a_machine_is(cluster: Cluster, slot: Slot) -> None:
    (node,) = cluster.start("a")
    run = start_run(add_job(slot, LONG))
    until(lambda: node.row.busy == 1, what="the run is counted")
    row = node.row
    assert row.free == 3
    assert row.host and row.load is not None
    assert row.memory_used and row.memory_total and row.memory_used < row.memory_total
    assert row.interpreters[".sh"]
    beats = row.beats
    until(lambda: node.row.beats > beats, seconds=5, what="it goes on beating")
    dispatch.stop_run(run, ACTOR)
    wait_final(run)
    until(lambda: node.row.busy == 0, what="it is free again")
