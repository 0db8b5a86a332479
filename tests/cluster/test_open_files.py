"""A worker may open as many files as it is let; its jobs begin with the limit of before."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.support.cluster import Cluster, Node, wait_final
from tests.support.engine import ACTOR, add_job, text_of, upload
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Copy, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

# A worker keeps some three descriptors for each job, its guardian one.
SOFT = 100
JOBS = 40


# This process may have more files open than that, and could start nothing.
LIMITED = ["sh", "-c", f'ulimit -Sn {SOFT}; exec "$@"', "sh"]


def open_files(pid: int) -> list[str]:
    """The soft and the hard limit of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[3:5] for line in lines if line.startswith("Max open files"))


def test_it_runs_more_jobs_than_its_soft_limit_has_room_for(cluster: Cluster, slot: Slot) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    node = Node("a", cluster.folder / "a")
    node.before = LIMITED
    cluster.nodes.append(node)
    node.start()
    node.wait_up()
    sleeper = upload({"run.sh": "exec sleep 600"})
    for number in range(JOBS):
        new = dispatch.NewWebJob(name=f"job{number}", type=JobType.CONTINUOUS, upload=sleeper)
        dispatch.add_webjob(slot, new, ACTOR)
    run = wait_final(dispatch.run_now(add_job(slot, "ulimit -Sn; ulimit -Hn"), ACTOR))

    def all_run() -> bool:
        return Copy.objects.filter(status=CopyStatus.RUNNING).count() == JOBS

    until(all_run, seconds=30, what=f"all run; {node.output}")
    assert run.status == RunStatus.SUCCESS, run.reason
    text = text_of(run)
    assert f"] {SOFT}\n" in text and f"] {hard}\n" in text
    assert open_files(node.pid) == [str(hard)] * 2
    assert {tuple(open_files(pid)) for pid in node.processes()} == {(str(SOFT), str(hard))}
