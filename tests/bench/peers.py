"""supervisor and PM2 with the same jobs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil

from tests.bench.many import Jobs, cpu_of, killed_to_back
from tests.bench.memory import pss
from tests.bench.site import wait_for
from tests.bench.table import NotMeasured

PM2 = "pm2@7.0.4"
INSTALL_SECONDS = 60
COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Measured:
    """Seconds until all run, seconds from the kill until each is back, and what 200 cost idle."""

    started: float
    back: list[float]
    cpu: float  # share of a core
    memory: float  # bytes per job, without the jobs


def supervisor(folder: Path, count: int, idle: int, seconds: float) -> Measured:
    with _supervisord(folder, count, idle) as (server, process):
        return _measure(
            folder, count, idle, seconds, process,
            lambda group: server.supervisor.startProcessGroup(group, False),
        )  # fmt: skip


def pm2(folder: Path, count: int, idle: int, seconds: float) -> Measured:
    with _pm2(folder, count, idle) as (command, process):
        return _measure(
            folder, count, idle, seconds, process,
            lambda group: command("start", str(folder / f"{group}.json")),
        )  # fmt: skip


def _measure(
    folder: Path, count: int, idle: int, seconds: float, process: psutil.Process,
    start: Callable[[str], object],
) -> Measured:  # fmt: skip
    """Start the group `first`, kill all of it, then add `rest` and let all be idle."""
    first, rest = Jobs(folder / "first", count), Jobs(folder / "rest", idle - count)
    empty = pss([process])
    begun = time.time()
    start("first")
    started = first.wait_all(1) - begun
    # Whoever lived this long has come up, to both of them.
    time.sleep(1.5)
    back = killed_to_back(first)
    start("rest")
    rest.wait_all(1)
    cpu = cpu_of([process], seconds)
    return Measured(started, back, cpu, (pss([process]) - empty) / idle)


def _write_jobs(folder: Path, count: int, idle: int) -> dict[str, list[Path]]:
    """The script of each job, by group."""
    groups = {"first": Jobs(folder / "first", count), "rest": Jobs(folder / "rest", idle - count)}
    scripts: dict[str, list[Path]] = {}
    for group, jobs in groups.items():
        scripts[group] = [folder / f"{group}-{number}.sh" for number in range(jobs.count)]
        for number, path in enumerate(scripts[group]):
            path.write_text(f"#!/bin/bash\nWEBJOBS_NAME={number}\n{jobs.script}")
            path.chmod(0o755)
    return scripts


@contextmanager
def _supervisord(
    folder: Path, count: int, idle: int
) -> Iterator[tuple[ServerProxy, psutil.Process]]:
    from supervisor.xmlrpc import SupervisorTransport

    socket, config = folder / "supervisor.sock", folder / "supervisord.conf"
    config.write_text("\n".join(_supervisor_config(folder, _write_jobs(folder, count, idle))))
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", config],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(socket.exists, 20, lambda: "supervisord does not answer")
        transport: Any = SupervisorTransport(serverurl=f"unix://{socket}")
        yield ServerProxy("http://127.0.0.1", transport=transport), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _supervisor_config(folder: Path, scripts: dict[str, list[Path]]) -> Iterator[str]:
    yield from (
        f"[unix_http_server]\nfile={folder}/supervisor.sock\n",
        f"[supervisord]\nlogfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid",
        f"childlogdir={folder}\nminfds=4096\n",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory="
        "supervisor.rpcinterface:make_main_rpcinterface\n",
    )  # fmt: skip
    for group, paths in scripts.items():
        yield f"[program:{group}]"
        yield f"command={folder}/{group}-%(process_num)d.sh"
        yield f"process_name=%(process_num)d\nnumprocs={len(paths)}\nautostart=false"
        yield "autorestart=true\nstopasgroup=true\nstopsignal=KILL\n"


@contextmanager
def _pm2(
    folder: Path, count: int, idle: int
) -> Iterator[tuple[Callable[..., object], psutil.Process]]:
    program = _install_pm2(folder)
    home = folder / "home"
    environ = {**os.environ, "PM2_HOME": str(home), "PM2_DISABLE_VERSION_CHECK": "true"}

    def command(*arguments: str) -> object:
        return subprocess.run(
            [program, *arguments], cwd=folder, env=environ, timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )  # fmt: skip

    for group, paths in _write_jobs(folder, count, idle).items():
        apps = [{"name": path.stem, "script": str(path), "interpreter": "none"} for path in paths]
        (folder / f"{group}.json").write_text(json.dumps({"apps": apps}))
    try:
        command("ping")
        yield command, psutil.Process(int((home / "pm2.pid").read_text()))
    finally:
        _end_pm2(command, home)


def _end_pm2(command: Callable[..., object], home: Path) -> None:
    """In order; a daemon that does not answer is killed with all that it started."""
    try:
        command("kill")
    except subprocess.SubprocessError:
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            daemon = psutil.Process(int((home / "pm2.pid").read_text()))
            for process in (daemon, *daemon.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def _install_pm2(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotMeasured("there is no npm")
    try:
        subprocess.run(
            [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", PM2],
            timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        raise NotMeasured(f"npm does not install it: {type(error).__name__}") from error
    return folder / "node_modules" / ".bin" / "pm2"
