"""Workers as real processes, each an instance with a data directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from tests.process.running import alive, marked
from tests.support.environment import portal_environ
from tests.support.poll import until
from webjobs.models import Copy, Instance, Run, WebJob
from webjobs.runner.procfs import Procfs

# What LOST_AFTER is for the workers here; every other time follows in proportion.
LOST_AFTER = 9
SHARE = LOST_AFTER / 30

# A singleton that proves when it was alive: its mark and the clock, every 20 ms, in one file.
WITNESS = """
import os, sys, time
file = os.open(os.environ["WITNESS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
mark = f"{os.environ['WEBSITE_INSTANCE_ID']}:{os.getpid()}"
print("up", flush=True)
while True:
    os.write(file, f"{mark} {time.time()}\\n".encode())
    time.sleep(0.02)
"""


class Node:
    """One worker process."""

    def __init__(self, name: str, folder: Path, **environ: str) -> None:
        self.name = name
        self.folder = folder
        self.before: list[str] = []  # what goes before its command
        self._environ = environ
        self.popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.popen
        return self.popen.pid

    @property
    def row(self) -> Instance:
        return Instance.objects.get(name=self.name)

    def start(self) -> None:
        """Returns at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        packages = self.folder / "packages"
        if not packages.exists():
            packages.symlink_to(settings.PACKAGES_DIR)
        with (self.folder / "output").open("ab") as output:
            self.popen = subprocess.Popen(
                [*self.before, sys.executable, "-m", "celery", "-A", "portal", "worker", "-c", "4",
                 "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
                env=portal_environ(
                    **{
                        "DATA_DIR": str(self.folder),
                        "INSTANCE_NAME": self.name,
                        "LOST_AFTER": str(LOST_AFTER),
                        "CELERY_SKIP_CHECKS": "1",
                        "REDIS_URL": settings.CELERY_BROKER_URL,
                        **self._environ,
                    }
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def wait_up(self) -> Node:
        def is_up() -> bool:
            assert self.popen and self.popen.poll() is None, self.output
            return Instance.objects.filter(
                name=self.name, stopped_at=None, lost_at=None, versions__pid=str(self.pid)
            ).exists()

        until(is_up, seconds=60, what=f"{self.name} is up: {self.output}")
        return self

    @property
    def output(self) -> str:
        path = self.folder / "output"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.popen
        self.popen.wait()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def stop(self, seconds: float = 30) -> None:
        """TERM, and wait for the end."""
        self.signal(signal.SIGTERM)
        assert self.popen
        self.popen.wait(seconds)

    def guardians(self) -> list[int]:
        """Its guardian; cut off from it, when it was killed with the worker."""
        return Procfs().children(self.pid)

    def processes(self) -> list[int]:
        """Every living process of its jobs."""
        key = (self.folder / "instance" / "key").read_text()
        return [pid for pid in marked(f"WEBSITE_INSTANCE_ID={key}") if alive(pid)]

    def close(self) -> None:
        if self.popen and self.popen.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()


class Cluster:
    """Nodes on the test's own database and a broker of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: list[Node] = []

    def start(self, *names: str, **environ: str) -> list[Node]:
        """Start nodes together and wait until they are up."""
        nodes = [Node(name, self.folder / name, **environ) for name in names]
        self.nodes += nodes
        for node in nodes:
            node.start()
        return [node.wait_up() for node in nodes]

    def close(self) -> None:
        """Kill all; fails when a process of a job outlives its worker."""
        for node in self.nodes:
            node.close()
        until(lambda: not self._left(), seconds=10, what="no process is left behind")

    def _left(self) -> list[int]:
        homes = [path for node in self.nodes for path in node.folder.glob("instance*/key")]
        return [
            pid
            for pid in marked(*(f"WEBSITE_INSTANCE_ID={path.read_text()}" for path in homes))
            if alive(pid)
        ]


def copy_on(job: WebJob, node: Node) -> Copy | None:
    return Copy.objects.filter(job=job, instance__name=node.name).first()


def wait_status(job: WebJob, node: Node, status: str, *, seconds: float = 20) -> Copy:
    """The copy of `job` on `node` once it has this status."""

    def reached() -> Copy | None:
        return Copy.objects.filter(job=job, instance__name=node.name, status=status).first()

    return until(reached, seconds=seconds, what=f"{status} on {node.name}: {node.output}")


def wait_final(run: Run, *, seconds: float = 30) -> Run:
    def ended() -> bool:
        run.refresh_from_db()
        return run.is_final

    until(ended, seconds=seconds, what=f"the end of run {run}")
    return run


def lives(file: Path) -> dict[str, tuple[float, float]]:
    """Every process that wrote to the witness file, with the first and last time it was alive."""
    found: dict[str, tuple[float, float]] = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        mark, at = line.split()
        first, _ = found.get(mark, (float(at), 0.0))
        found[mark] = (first, float(at))
    return found


def assert_never_two(file: Path) -> None:
    """No two processes that wrote to the witness file were alive at the same time."""
    ordered = sorted(lives(file).values())
    for (_, ended), (begun, _) in zip(ordered, ordered[1:], strict=False):
        assert ended < begun, f"two were alive for {ended - begun:.2f} s"


def witness_of(file: Path, node: Node) -> bool:
    """Whether the process that wrote last lives on `node`, and wrote just now."""
    found = lives(file)
    if not found:
        return False
    mark = max(found, key=lambda mark: found[mark][1])
    fresh = time.time() - found[mark][1] < 0.5
    return fresh and mark.split(":")[0] == node.row.key
