"""`manage.py up` under load, on SQLite: whatever is killed, no promise is broken."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests.support.invariants import violations
from tests.support.poll import until
from tests.support.portal import Portal
from tests.support.rows import rows_of
from tests.support.workload import MANUAL, QUEUED, RETRIED, Workload
from webjobs.models import Run, Slot
from webjobs.states import RunStatus

pytestmark = [pytest.mark.xdist_group("up-faults"), pytest.mark.own_database]

# 15 lines, one every 0.2 s, and a process that detaches itself.
LONG = "15 0.2 child"
# Not at an end before its worker has to give it up.
ENDLESS = "1000 0.2 child"
LOST_AFTER = 9
SHARE = LOST_AFTER / 30


class Machine:
    """A portal whose data directory outlives it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        self.portal = self._start()
        self.load = Workload(folder, Slot.objects.get(app__name="demo"))
        self.load.set_up(self.portal.port)

    def _start(self) -> Portal:
        portal = Portal(self.data, LOST_AFTER=str(LOST_AFTER), SECRET_KEY=settings.SECRET_KEY)
        portal.wait_until_ready()
        return portal

    def begin_runs(self, arguments: str = LONG) -> set[int]:
        """Runs in progress, one that waits, and one that is tried again when it is lost."""
        runs = {self.load.run(self.portal.port, MANUAL, arguments) for _ in range(4)}
        for job in (QUEUED, QUEUED, RETRIED):
            self.load.run(self.portal.port, job, LONG)
        asked = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
        running = asked.filter(status=RunStatus.RUNNING)
        until(lambda: running.count() == len(runs), seconds=20, what="they are in progress")
        return runs

    def open_database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data / "db.sqlite3", timeout=20, isolation_level=None)

    def cut_power(self) -> None:
        """All processes end in one moment; then it is started again."""
        everything = self.portal.everything()
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self.portal.wait()
        self.portal = self._start()

    def assert_nothing_wrong(self) -> None:
        until(self.portal.is_healthy, seconds=30, what="a healthy portal", every=0.2)
        keys = [path.read_text() for path in self.data.glob("instance*/key")]
        found = violations(self.load, keys, timezone.now())
        assert not found, "\n".join([*found, self.portal.output])


@pytest.fixture(scope="module")
def machine(django_db_blocker: DjangoDbBlocker) -> Iterator[Machine]:
    # Not pytest's: its long path would move the broker's socket elsewhere.
    folder = Path(tempfile.mkdtemp(prefix="webjobs-up-"))
    machine = None
    with django_db_blocker.unblock(), rows_of(f"sqlite:///{folder}/data/db.sqlite3"):
        try:
            machine = Machine(folder)
            yield machine
        finally:
            if machine:
                machine.portal.close()
            shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["web", "beat", "worker", "broker"])
def test_a_killed_part_breaks_no_promise(machine: Machine, name: str) -> None:
    runs = machine.begin_runs()
    killed = machine.portal.kept(name)
    assert killed
    killed.kill()

    def is_back() -> bool:
        kept = machine.portal.kept(name)
        return kept is not None and kept.pid != killed.pid

    until(is_back, seconds=15, what=f"another {name}")
    machine.assert_nothing_wrong()
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    wanted = RunStatus.ABORTED if name == "worker" else RunStatus.SUCCESS
    assert {run.status for run in ended} == {wanted}, [run.reason for run in ended]


def test_a_database_that_is_locked_for_a_while_breaks_no_promise(machine: Machine) -> None:
    """20 s, in proportion to LOST_AFTER: an SQLite file is away while somebody else has it."""
    runs = machine.begin_runs()
    with machine.load.disturbed(), closing(machine.open_database()) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(20 * SHARE)
        other.execute("ROLLBACK")
    machine.assert_nothing_wrong()
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    assert {run.status for run in ended} == {RunStatus.SUCCESS}, [run.reason for run in ended]


def test_a_worker_that_stands_still_for_a_minute_breaks_no_promise(machine: Machine) -> None:
    """In proportion to LOST_AFTER. Nobody else is there to give it up, or to take over."""
    runs = machine.begin_runs(ENDLESS)
    worker = machine.portal.kept("worker")
    assert worker
    with machine.load.disturbed():
        worker.suspend()
        time.sleep(60 * SHARE)
        worker.resume()
    machine.assert_nothing_wrong()
    assert worker.is_running()
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    assert {run.status for run in ended} == {RunStatus.ABORTED}


def test_a_power_cut_breaks_no_promise(machine: Machine) -> None:
    runs = machine.begin_runs()
    with machine.load.disturbed():
        machine.cut_power()
    machine.assert_nothing_wrong()
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    assert {run.status for run in ended} == {RunStatus.ABORTED}
    assert all("The worker of instance" in run.reason for run in ended)
