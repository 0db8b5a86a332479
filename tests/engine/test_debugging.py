"""Remote debugging from end to end: real debuggers through the tunnel to real WebJobs."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.support.debuggers import PYTHON, Dap, Desk, Inspector, jdwp_version, told
from tests.support.engine import ACTOR, Engine, add_job, member, text_of, wait_copy, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.debug_client import Caller, DebugClient, Refused
from webjobs.models import AuditEntry, Copy, DebugSession, Role, Slot, WebJob
from webjobs.states import CopyStatus, JobType

if TYPE_CHECKING:
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer

NODE = """\
let number = 0;
function work() {
  number += 1;
  const square = number * number;
  console.log("worked on " + number);
  return square;
}
setInterval(work, 50);
"""
JAVA = """\
public class Main {
    public static void main(String[] arguments) throws Exception {
        System.out.println("worked");
        Thread.sleep(600000);
    }
}
"""


@pytest.fixture
def cora(slot: Slot) -> User:
    return member(slot, "cora", Role.CONTRIBUTOR)


@pytest.fixture
def desk(engine: Engine, live_server: LiveServer) -> Iterator[Desk]:
    desk = Desk(live_server.url)
    yield desk
    desk.close()


def run(slot: Slot, name: str, text: str | bytes) -> WebJob:
    # Killed at once: what waits for a graceful end is told elsewhere.
    files = {name: text, "settings.job": '{"stopping_wait_time": 0}'}
    job = add_job(slot, files, JobType.CONTINUOUS)
    wait_log(wait_copy(job, CopyStatus.RUNNING), "worked")
    return job


def ended(job: WebJob) -> DebugSession:
    """Its last session, once it has ended and the WebJob runs plainly."""

    def found() -> DebugSession | None:
        return DebugSession.objects.filter(job=job).exclude(ended_at=None).first()

    session = until(found, seconds=20, what="the end of the session")
    wait_copy(job, CopyStatus.RUNNING)
    return session


def test_a_breakpoint_stops_a_python_webjob_and_shows_a_variable(
    slot: Slot, desk: Desk, cora: User
) -> None:
    job = run(slot, "run.py", PYTHON)
    client = desk.debug(cora, job)
    remote = client.session["folder"]
    dap = Dap(client.port, told)
    stopped = dap.stop_at("/home/cora/job/run.py", 4, remote)
    assert (stopped.function, stopped.line) == ("work", 4)
    assert stopped.path == "/home/cora/job/run.py"
    values = stopped.variables
    assert int(values["square"]) == int(values["number"]) ** 2
    dap.ask("setBreakpoints", source={"path": "/home/cora/job/run.py"}, breakpoints=[])
    dap.ask("continue", threadId=stopped.thread)
    wait_log(Copy.objects.get(job=job), f"worked on {int(values['number']) + 3}\n")
    until(lambda: DebugSession.objects.get().connections == 1, what="the connection is counted")
    dap.ask("disconnect", terminateDebuggee=False)
    dap.close()
    client.stop()
    assert ended(job).reason == "cora stopped it."
    # The end of a connection is recorded by whoever carried it.
    left = until(AuditEntry.objects.filter(action="debug.disconnect").first, what="its record")
    actions = list(AuditEntry.objects.filter(action__startswith="debug").order_by("pk"))
    assert {one.action for one in actions} == {
        "debug.start", "debug.connect", "debug.disconnect", "debug.stop", "debug.end",
    }  # fmt: skip
    assert left.user == cora
    assert left.details["bytes_down"] > 1000
    assert not desk.said


@pytest.mark.needs("node")
def test_a_breakpoint_stops_a_javascript_webjob_and_shows_a_variable(
    slot: Slot, desk: Desk, cora: User
) -> None:
    job = run(slot, "run.js", NODE)
    client = desk.debug(cora, job)
    inspector = Inspector(client.port)
    assert inspector.target["webSocketDebuggerUrl"].startswith(f"ws://127.0.0.1:{client.port}/")
    inspector.ask("Debugger.enable")
    url = inspector.target["url"]
    breakpoint = inspector.ask("Debugger.setBreakpointByUrl", lineNumber=4, url=url)
    paused = inspector.event("Debugger.paused")
    frame = paused["callFrames"][0]
    assert frame["functionName"] == "work"
    value = inspector.ask(
        "Debugger.evaluateOnCallFrame",
        callFrameId=frame["callFrameId"],
        expression="[number, square]",
        returnByValue=True,
    )["result"]["value"]
    assert value[1] == value[0] ** 2
    inspector.ask("Debugger.removeBreakpoint", breakpointId=breakpoint["breakpointId"])
    inspector.ask("Debugger.resume")
    wait_log(Copy.objects.get(job=job), f"worked on {value[0] + 3}\n")
    inspector.close()


@pytest.mark.needs("java", "javac")
def test_a_java_webjob_speaks_jdwp(slot: Slot, desk: Desk, cora: User, tmp_path: Path) -> None:
    (tmp_path / "Main.java").write_text(JAVA)
    subprocess.run(["javac", "Main.java"], cwd=tmp_path, check=True)
    subprocess.run(["jar", "cfe", "run.jar", "Main", "Main.class"], cwd=tmp_path, check=True)
    job = run(slot, "run.jar", (tmp_path / "run.jar").read_bytes())
    client = desk.debug(cora, job)
    assert "Java" in jdwp_version(client.port)


def test_it_ends_by_itself_and_the_webjob_goes_on(slot: Slot, engine: Engine) -> None:
    job = run(slot, "run.py", PYTHON)
    dispatch.start_debugging(job, None, ACTOR)
    port = until(lambda: _port(job), what="the debugger's port")
    DebugSession.objects.update(until=timezone.now() + timedelta(seconds=1))
    session = ended(job)
    assert session.reason == "Its time was over."
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    text = text_of(Copy.objects.get(job=job))
    assert text.count("It runs under a debugger for tester") == 1
    assert text.count("Run script 'run.py'") == 3


def _port(job: WebJob) -> int | None:
    return DebugSession.objects.filter(job=job).values_list("port", flat=True).first()


def test_it_cannot_be_reached_without_the_right(slot: Slot, desk: Desk, cora: User) -> None:
    job = run(slot, "run.py", PYTHON)
    otto = member(slot, "otto", Role.OPERATOR)
    sven = User.objects.create_user("sven")
    weak = desk.target(cora, job, Role.OPERATOR)
    refusals = {
        403: [desk.target(otto, job), weak],
        404: [desk.target(sven, job)],
        401: [replace(weak, token="wjp_wrong")],
    }
    for status, targets in refusals.items():
        for target in targets:
            with pytest.raises(Refused) as refused:
                DebugClient(target).start("", None)
            assert refused.value.status == status
    assert not DebugSession.objects.exists()


def test_the_second_developer_is_told_who_was_first(slot: Slot, desk: Desk, cora: User) -> None:
    job = run(slot, "run.py", PYTHON)
    client = desk.debug(cora, job)
    dora = member(slot, "dora", Role.CONTRIBUTOR)
    with pytest.raises(Refused, match="cora debugs this WebJob on .* until"):
        DebugClient(desk.target(dora, job)).start("", None)
    # Nor by the way around.
    caller = Caller(desk.target(dora, job))
    path = f"{desk.target(dora, job).path}/{client.session['id']}/connections"
    with pytest.raises(Refused, match="Only cora"):
        caller.call("POST", path, b"")
    caller.close()
    assert desk.debug(cora, job).session["id"] == client.session["id"]


def test_what_has_no_debugger_is_refused_in_words(slot: Slot, engine: Engine) -> None:
    triggered = add_job(slot, {"run.py": "print()"}, name="triggered")
    with pytest.raises(dispatch.Refused, match="Only continuous WebJobs"):
        dispatch.start_debugging(triggered, None, ACTOR)
    shell = run(slot, "run.sh", "echo worked; sleep 600")
    with pytest.raises(dispatch.Refused, match=r"run\.sh cannot be debugged"):
        dispatch.start_debugging(shell, None, ACTOR)
    dispatch.stop(shell, ACTOR)


def test_another_program_goes_on_without_a_debugger(
    slot: Slot, data_dir: Path, broker: str, settings: Settings
) -> None:
    settings.WEBJOBS_INTERPRETERS = {".py": "/usr/bin/env python3 {script}"}
    engine = Engine(data_dir / "instance").start()
    try:
        job = run(slot, "run.py", PYTHON)
        dispatch.start_debugging(job, None, ACTOR)
        assert "how Python is debugged with it is not known" in ended(job).reason
        assert "debugger" not in text_of(Copy.objects.get(job=job))
    finally:
        engine.close()
