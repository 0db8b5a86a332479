"""Remote debugging where web and worker are on machines that share broker and database alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster import Cluster, Node, wait_status
from tests.support.debuggers import PYTHON, Dap, Desk, told
from tests.support.engine import add_job, member, wait_log
from tests.support.namespaces import alone
from tests.support.poll import until
from webjobs.models import DebugSession, Role, Slot
from webjobs.states import CopyStatus, JobType

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

# As Linux writes it.
LISTEN = "0A"


@pytest.fixture
def elsewhere(cluster: Cluster) -> Node:
    """A worker in a network that has nothing but its own loopback."""
    node = Node("elsewhere", cluster.folder / "elsewhere")
    node.before = alone()
    cluster.nodes.append(node)
    node.start()
    return node.wait_up()


@pytest.fixture
def desk(live_server: LiveServer) -> Iterator[Desk]:
    desk = Desk(live_server.url)
    yield desk
    desk.close()


def listens(pid: int, port: int) -> bool:
    """Whether somebody listens at `port` of loopback, seen from the machine of process `pid`.
    Nobody connects: to a debugger that would be a developer who leaves."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1:4:2] == [f"0100007F:{port:04X}", LISTEN] for line in lines)


def test_a_breakpoint_stops_a_webjob_on_a_machine_that_the_web_cannot_reach(
    elsewhere: Node, desk: Desk, slot: Slot
) -> None:
    files: dict[str, str | bytes] = {"run.py": PYTHON, "settings.job": '{"stopping_wait_time": 0}'}
    job = add_job(slot, files, JobType.CONTINUOUS)
    copy = wait_status(job, elsewhere, CopyStatus.RUNNING)
    wait_log(copy, "worked")

    client = desk.debug(member(slot, "cora", Role.CONTRIBUTOR), job)
    port = until(lambda: DebugSession.objects.get().port, seconds=30, what="the debugger's port")
    until(lambda: listens(elsewhere.pid, port), seconds=20, what="it listens on that machine")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    links = Path(f"/proc/{elsewhere.pid}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in links] == ["lo"]

    dap = Dap(client.port, told)
    stopped = dap.stop_at("/home/cora/job/run.py", 4, client.session["folder"])
    assert int(stopped.variables["square"]) == int(stopped.variables["number"]) ** 2
    dap.ask("setBreakpoints", source={"path": stopped.path}, breakpoints=[])
    dap.ask("continue", threadId=stopped.thread)
    wait_log(copy, f"worked on {int(stopped.variables['number']) + 3}\n")
    dap.ask("disconnect", terminateDebuggee=False)
    dap.close()
    assert not desk.said
