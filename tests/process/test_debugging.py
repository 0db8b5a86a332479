"""`manage.py debug` against a whole portal, from a developer's shell, also when the worker dies."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from tests.support.debuggers import Dap
from tests.support.poll import until
from tests.support.portal import Portal, environ

JOB = "/scm/demo/api/continuouswebjobs/counter"
SCRIPT = """\
import os, time
number = 0
while True:
    number += 1
    print("number", number, "of", os.getpid(), flush=True)
    time.sleep(0.05)
"""


class Shell:
    """A portal and a developer's shell, which has nothing of the portal but its address."""

    def __init__(self, folder: Path) -> None:
        self.portal = Portal(folder / "portal")
        self._folder = folder
        self.secret = ""

    def prepare(self) -> None:
        self.portal.wait_until_ready()
        made = subprocess.run(
            [sys.executable, "manage.py", "apitoken", "admin", "tests", "--role", "contributor"],
            cwd=settings.BASE_DIR,
            env=environ(self._folder / "portal"),
            capture_output=True,
            text=True,
            check=True,
        )
        self.secret = made.stdout.strip()

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.portal.url + path, body, named, method=method)  # noqa: S310
        request.add_header("Authorization", f"Bearer {self.secret}")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            data = answer.read()
            return json.loads(data) if data else None

    def debug(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "debug", *arguments, "--url", self.portal.url]
        nowhere = {"DATABASE_URL": "postgres://nobody@192.0.2.1/none", "WEBJOBS_TOKEN": self.secret}
        return subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environ(self._folder / "developer", PYTHONUNBUFFERED="1", **nowhere),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    try:
        shell.prepare()
        yield shell
    finally:
        shell.portal.close()


def _stop_in(port: int, folder: str) -> tuple[Dap, int]:
    """A debugger that holds the WebJob at its fourth line, and the thread."""
    dap = Dap(port)
    attached = dap.attach("/home/cora", folder)
    dap.ask("setBreakpoints", source={"path": "/home/cora/run.py"}, breakpoints=[{"line": 5}])
    dap.ask("configurationDone")
    dap.answer(attached)
    return dap, int(dap.event("stopped")["threadId"])


def _number(dap: Dap, thread: int) -> int:
    frame = dap.ask("stackTrace", threadId=thread)["stackFrames"][0]
    found = dap.ask("evaluate", expression="number", frameId=frame["id"])
    return int(found["result"])


def _deploy(shell: Shell) -> None:
    """Returns when the job runs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("run.py", SCRIPT)
        archive.writestr("settings.job", '{"stopping_wait_time": 0}')
    named = {"Content_Disposition": "attachment; filename=job.zip"}
    shell.call("PUT", JOB, buffer.getvalue(), Content_Type="application/zip", **named)
    until(lambda: shell.call("GET", JOB)["status"] == "Running", seconds=30, what="it runs")


def _read_configuration(lines: list[str]) -> tuple[int, str]:
    """The port that the developer is told, and the folder of the job on the instance."""

    def said(pattern: str, what: str, seconds: float) -> str:
        flags = re.DOTALL | re.MULTILINE
        return until(lambda: re.search(pattern, "".join(lines), flags), seconds=seconds, what=what)[
            1
        ]

    port = int(said(r"127\.0\.0\.1:(\d+) for 1[45] min", "the address", 60))
    written = said(r"launch\.json:\n({.*^})", "the launch configuration", 10)
    launch = json.loads(written)["configurations"][0]
    assert (launch["type"], launch["connect"]["port"]) == ("debugpy", port)
    return port, launch["pathMappings"][0]["remoteRoot"]


def _kill_worker(portal: Portal) -> None:
    worker = portal.kept("worker")
    assert worker is not None
    worker.send_signal(signal.SIGKILL)


def _stop_again(shell: Shell, port: int) -> tuple[Dap, int]:
    """At the same address, when the new worker's debugger is there."""

    def again() -> tuple[Dap, int] | None:
        now = shell.call("GET", JOB + "/debug")[0]
        if now["folder"] == "" or now["state"] != "Listening":
            return None
        try:
            return _stop_in(port, now["folder"])
        except OSError:
            return None

    return until(again, seconds=60, what="the debugger of the new worker")


def test_a_developer_debugs_from_their_shell_and_the_worker_may_die(shell: Shell) -> None:
    _deploy(shell)
    client = shell.debug("demo", "counter")
    lines: list[str] = []
    assert client.stdout is not None
    reader = threading.Thread(target=lines.extend, args=(client.stdout,), daemon=True)
    reader.start()
    try:
        port, folder = _read_configuration(lines)
        dap, thread = _stop_in(port, folder)
        assert _number(dap, thread) > 0
        before = shell.call("GET", JOB + "/debug")[0]
        assert before["state"] in ("Listening", "Connected")
        _kill_worker(shell.portal)
        with pytest.raises(OSError):
            dap.event("never")
        dap.close()

        dap, thread = _stop_again(shell, port)
        assert shell.call("GET", JOB + "/debug")[0]["id"] == before["id"]
        assert _number(dap, thread) > 0
        client.send_signal(signal.SIGINT)
        assert client.wait(timeout=30) == 0
        reader.join(timeout=10)
        assert "the WebJob goes on without it" in lines[-1]
        dap.close()
    finally:
        client.kill()
        client.wait()
    until(lambda: shell.call("GET", JOB + "/debug") == [], seconds=30, what="no session")
    until(lambda: shell.call("GET", JOB)["status"] == "Running", seconds=30, what="it runs")
    until(lambda: not _debuggers(shell.portal), seconds=10, what="no debugger is left")


def _debuggers(portal: Portal) -> list[psutil.Process]:
    found = []
    for process in portal.everything():
        try:
            if any("debugpy" in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
