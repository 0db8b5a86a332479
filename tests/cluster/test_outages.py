"""The database or the broker goes away and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.cluster.test_singletons import TAKES_OVER, add_singleton, holder_and_other
from tests.support import broker as broker_support
from tests.support.cluster import (
    SHARE,
    Cluster,
    Node,
    assert_never_two,
    wait_final,
    wait_status,
    witness_of,
)
from tests.support.database_door import Door, through
from tests.support.engine import ACTOR, add_job, text_of, wait_log
from tests.support.environment import database_url
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Log, Run, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

needs_server = pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"],
    reason="An SQLite file cannot be away for one process only",
)
# Prints a numbered line every 50 ms.
COUNTS = "i=0\nwhile [ $i -lt ${1:-100000} ]; do echo line $i.; i=$((i+1)); sleep 0.05; done"


class Database:
    """What the workers of one test see of the database."""

    def __init__(self, folder: Path) -> None:
        self.environ: dict[str, str] = {}
        self._door: Door | None = None
        if connection.vendor == "postgresql":
            url, server = through(database_url(), folder)
            self._door = Door(folder, server)
            self.environ["DATABASE_URL"] = url

    @contextmanager
    def away(self, seconds: float) -> Iterator[None]:
        """PostgreSQL is stopped, SQLite is locked by somebody; what the test reads in the block
        it reads before the database is back."""
        begun = time.monotonic()
        if self._door:
            self._door.shut()
        else:
            locker = self._lock_sqlite(seconds)
        yield
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        if self._door:
            self._door.open()
        else:
            locker.wait(10)

    def _lock_sqlite(self, seconds: float) -> subprocess.Popen[bytes]:
        program = (
            "import sqlite3, sys, time; "
            "c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20); "
            "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); "
            "time.sleep(float(sys.argv[2])); c.execute('COMMIT')"
        )
        name = str(connection.settings_dict["NAME"])
        locker = subprocess.Popen(
            ["python3", "-c", program, name, str(seconds)], stdout=subprocess.PIPE
        )
        assert locker.stdout and locker.stdout.readline()
        locker.stdout.close()
        return locker


@pytest.fixture
def database(cluster: Cluster, tmp_path: Path) -> Database:
    return Database(tmp_path / "door")


def start_counting(slot: Slot, name: str = "counts", arguments: str = "") -> Run:
    job = add_job(slot, COUNTS, name=name)
    run = dispatch.run_now(job, ACTOR, arguments=arguments)
    wait_log(run, "line 3.", seconds=20)
    return run


def assert_nothing_lost(text: str, upto: int) -> None:
    numbers = [int(line.split("line ")[1][:-1]) for line in text.splitlines() if "] line " in line]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= upto


def test_runs_and_daemons_go_on_while_the_database_is_away(
    cluster: Cluster, slot: Slot, database: Database
) -> None:
    (node,) = cluster.start("a", **database.environ)
    daemon = add_job(slot, COUNTS, JobType.CONTINUOUS, "daemon")
    copy = wait_status(daemon, node, CopyStatus.RUNNING)
    run = start_counting(slot)
    ends_meanwhile = start_counting(slot, "ends", arguments="40")

    with database.away(20 * SHARE):
        pass

    wait_final(ends_meanwhile, seconds=15)
    assert ends_meanwhile.status == RunStatus.SUCCESS
    assert_nothing_lost(text_of(ends_meanwhile), 40)
    now = int((text_of(run).rsplit("line ", 1)[1]).split(".")[0])
    wait_log(run, f"line {now + 20}.", seconds=20)
    wait_log(copy, f"line {now}.", seconds=20)
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING, run.reason
    dispatch.stop_run(run, ACTOR)
    wait_final(run)
    assert_nothing_lost(text_of(run), now + 20)
    copy.refresh_from_db()
    assert (copy.status, copy.restarts) == (CopyStatus.RUNNING, 0)
    assert text_of(copy).count("line 0.") == 1
    assert_nothing_lost(text_of(copy), now)


def assert_told_once(node: Node, gone: str, back: str) -> None:
    """The log of a worker has a line for the beginning of an outage, one for its end, no other."""
    until(lambda: back in node.output, what=f"it is said to be back: {node.output}")
    first = node.output.index(gone)
    lines = node.output[node.output.rindex("\n", 0, first) :].split("\n")
    assert [line[8:17] for line in lines if line] == [" WARNING "] * 2, node.output


def test_a_database_that_stays_away_ends_runs_and_the_worker_recovers(
    cluster: Cluster, slot: Slot, database: Database
) -> None:
    (node,) = cluster.start("a", **database.environ)
    run = start_counting(slot)
    pid = node.pid

    with database.away(32 * SHARE):
        until(lambda: not node.processes(), seconds=28 * SHARE, what="it kills what it runs")

    wait_final(run, seconds=30)
    assert run.status == RunStatus.ABORTED
    assert "could not reach the database" in run.reason
    assert_nothing_lost(text_of(run), 4)
    again = wait_final(dispatch.run_now(add_job(slot, "true", name="next"), ACTOR))
    assert again.status == RunStatus.SUCCESS
    assert node.pid == pid
    assert Log.objects.get(run=run).is_complete
    if connection.vendor == "postgresql":  # Who waits for SQLite's lock only waits.
        assert_told_once(node, "The database cannot be used", "The database is back")


@needs_server
def test_a_worker_that_finds_no_database_waits_for_it(
    cluster: Cluster, slot: Slot, database: Database
) -> None:
    node = Node("a", cluster.folder / "a", **database.environ)
    cluster.nodes.append(node)
    with database.away(0):
        node.start()
        until(lambda: "The database cannot be used" in node.output, seconds=30)
    node.wait_up()
    assert "Traceback" not in node.output


@needs_server
def test_a_worker_that_waits_for_the_database_can_be_stopped(
    cluster: Cluster, slot: Slot, database: Database
) -> None:
    node = Node("a", cluster.folder / "a", **database.environ)
    cluster.nodes.append(node)
    with database.away(0):
        node.start()
        until(lambda: "The database cannot be used" in node.output, seconds=30)
        node.stop()
    assert node.popen and node.popen.returncode == 0
    assert "Traceback" not in node.output


@needs_server
def test_a_holder_that_loses_the_database_loses_its_singleton(
    cluster: Cluster, slot: Slot, witness: Path, tmp_path: Path
) -> None:
    doors = {name: Database(tmp_path / name / "door") for name in "ab"}
    nodes: list[Node] = []
    for name, door in doors.items():
        nodes += cluster.start(name, **door.environ)
    job = add_singleton(slot)
    holder, other = holder_and_other(job, nodes)
    until(lambda: witness_of(witness, holder), what="it runs")
    pid = holder.pid

    with doors[holder.name].away(30 * SHARE):
        begun = time.monotonic()
        until(lambda: witness_of(witness, other), seconds=TAKES_OVER + 3, what="a take-over")
        assert time.monotonic() - begun < TAKES_OVER + 2
        assert holder.processes() == []

    wait_status(job, holder, CopyStatus.INACTIVE_INSTANCE)
    until(lambda: holder.row.lost_at is None, what="it is back")
    assert holder.pid == pid
    assert_never_two(witness)


class OwnBroker:
    """A broker that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "broker.sock"
        self.process = broker_support.start(self.socket)

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    def kill(self, *, with_its_data: bool) -> None:
        if not with_its_data:
            from redis import Redis

            Redis(unix_socket_path=str(self.socket)).save()
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.socket.unlink(missing_ok=True)
        if with_its_data:
            (self._folder / "dump.rdb").unlink(missing_ok=True)

    def start(self) -> None:
        self.process = broker_support.start(self.socket)


@pytest.mark.parametrize("with_its_data", [True, False])
def test_runs_start_without_the_broker_and_fast_again_once_it_is_back(
    cluster: Cluster, slot: Slot, tmp_path: Path, with_its_data: bool
) -> None:
    broker = OwnBroker(tmp_path / "broker")
    try:
        (node,) = cluster.start("a", REDIS_URL=broker.url)
        pid = node.pid
        running = start_counting(slot)
        job = add_job(slot, "echo done", name="job")
        broker.kill(with_its_data=with_its_data)

        # Its message goes to a broker that no worker listens to: as if it were lost.
        without = wait_final(dispatch.run_now(job, ACTOR), seconds=20)
        assert without.status == RunStatus.SUCCESS, without.reason

        broker.start()
        until(lambda: listens(broker.socket), seconds=30, what=f"it listens: {node.output}")
        assert_told_once(node, "The broker cannot be reached", "The broker is back")
        running.refresh_from_db()
        assert running.status == RunStatus.RUNNING
        assert node.pid == pid and node.popen and node.popen.poll() is None
        dispatch.stop_run(running, ACTOR)
        wait_final(running)
    finally:
        broker.process.kill()
        broker.process.wait()


def listens(socket: Path) -> bool:
    """Whether a worker waits for messages at the broker."""
    from redis import Redis
    from redis.exceptions import ConnectionError

    try:
        clients = Redis(unix_socket_path=str(socket)).client_list()
    except ConnectionError:
        return False
    return any(client["cmd"] == "brpop" for client in clients)
