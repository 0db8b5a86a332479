"""The disk of the database is full: SQLite refuses to grow, for every connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.db import Error, connection

from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_copy, wait_log
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Copy, Log, Run, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="the database server's disk is its operator's"
)
# Pages by which the database may grow.
ROOM = 1000
COUNTS = "i=0\nwhile [ $i -lt ${1:-100000} ]; do echo line $i.; i=$((i+1)); sleep 0.02; done"


@pytest.fixture
def engine(transactional_db: None, broker: str, data_dir: Path) -> Iterator[Engine]:
    """An instance on a database that cannot grow without end, as on a small disk."""
    options = connection.settings_dict["OPTIONS"]
    before = options["init_command"]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        limit = cursor.fetchone()[0] + ROOM
        cursor.execute("CREATE TABLE ballast (data BLOB)")
    options["init_command"] = f"{before} PRAGMA max_page_count={limit};"
    connection.close()
    engine = Engine(data_dir / "instance").start()
    try:
        yield engine
    finally:
        engine.close()
        options["init_command"] = before
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE ballast")


@contextmanager
def full_database() -> Iterator[None]:
    """Nothing more fits into the database in the block."""
    with connection.cursor() as cursor:
        for size in (256 * 1024, 4096, 400):
            with suppress(Error):
                while True:
                    cursor.execute("INSERT INTO ballast VALUES (zeroblob(%s))", [size])
        try:
            yield
        finally:
            cursor.execute("DELETE FROM ballast")


def numbers(owner: Run | Copy) -> list[int]:
    return [int(number) for number in re.findall(r"\] line (\d+)\.", text_of(owner))]


def size_of(owner: Run | Copy) -> int:
    return Log.objects.get(**{type(owner).__name__.lower(): owner}).size


def wait_still(owner: Run | Copy) -> None:
    """Nothing more of its output is stored."""
    seen: list[int] = []

    def is_still() -> bool:
        seen.append(size_of(owner))
        return len(seen) > 50 and len(set(seen[-50:])) == 1

    until(is_still, seconds=20, what="the database refuses its output")


def test_runs_and_daemons_go_on_and_no_output_is_lost(
    engine: Engine, slot: Slot, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = add_job(slot, COUNTS, JobType.CONTINUOUS, "daemon")
    copy = wait_copy(daemon, CopyStatus.RUNNING)
    lasting = dispatch.run_now(add_job(slot, COUNTS, name="lasting"), ACTOR)
    ending = dispatch.run_now(add_job(slot, COUNTS, name="ending"), ACTOR, arguments="60")
    for owner in (lasting, ending, copy):
        wait_log(owner, "] line 3.")

    with full_database():
        for owner in (lasting, ending, copy):
            wait_still(owner)
        stored = len(numbers(lasting))
        assert "database or disk is full" in caplog.text
        ending.refresh_from_db()
        assert not ending.is_final, "it ended before its output was stored"
        lasting.refresh_from_db()
        assert lasting.status == RunStatus.RUNNING

    engine.wait(ending)
    assert ending.status == RunStatus.SUCCESS, ending.reason
    assert numbers(ending) == list(range(60))
    for owner in (lasting, copy):
        wait_log(owner, f"] line {stored + 50}.")
        found = numbers(owner)
        assert found == list(range(len(found)))
    copy.refresh_from_db()
    assert (copy.status, copy.restarts) == (CopyStatus.RUNNING, 0)
    dispatch.stop_run(lasting, ACTOR)
    assert engine.wait(lasting).status == RunStatus.ABORTED
    assert engine.run(add_job(slot, "true", name="next")).status == RunStatus.SUCCESS
