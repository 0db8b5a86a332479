"""The disk of the database is full: it refuses to grow, for every connection."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.contrib.auth.models import User
from django.db import Error, connection
from django.test import Client

from tests.support.disk import filled, small_disk
from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_copy, wait_log
from tests.support.poll import until
from webjobs import dispatch, outages
from webjobs.models import ApiToken, Copy, Log, Role, Run, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

IS_SQLITE = connection.vendor == "sqlite"
FULL = "database or disk is full" if IS_SQLITE else "No space left on device"
# Pages by which an SQLite file may grow.
ROOM = 1000
# All of PostgreSQL's tables and indexes, and some.
SMALL_KIB = 64 * 1024
COUNTS = "i=0\nwhile true; do echo line $i.; i=$((i+1)); sleep 0.02; done"
LINES = 60
# Needs pages of its own, however it is packed.
LONG = secrets.token_hex(3900)
WORDS = "The disk of the database is full."
# Waits at first, prints more than room may be left for, however it is packed, and says when it has
# nothing more to do.
ENDS = f"""
for i in $(seq 0 {LINES - 1}); do
    printf 'line %d. %s\\n' $i $(head -c 1500 /dev/urandom | base64 -w 0)
    while [ $i = 5 ] && [ ! -e "$1/go" ]; do sleep 0.02; done
done
touch "$1/done"
"""


@pytest.fixture(autouse=True)
def first_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line about it is not one of an earlier test of this process."""
    fresh = outages.Outage("The database", "It cannot be used", outages.QUIET)
    monkeypatch.setattr(outages, "database", fresh)


@pytest.fixture
def engine(transactional_db: None, broker: str, data_dir: Path) -> Iterator[Engine]:
    """An instance on a database that cannot grow without end, as on a small disk."""
    with small_sqlite() if IS_SQLITE else small_postgresql():
        engine = Engine(data_dir / "instance").start()
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def small_sqlite() -> Iterator[None]:
    options = connection.settings_dict["OPTIONS"]
    before = options["init_command"]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        limit = cursor.fetchone()[0] + ROOM
        cursor.execute("CREATE TABLE ballast (data BLOB)")
    options["init_command"] = f"{before} PRAGMA max_page_count={limit};"
    connection.close()
    try:
        yield
    finally:
        options["init_command"] = before
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE ballast")


@contextmanager
def full_sqlite() -> Iterator[None]:
    with connection.cursor() as cursor:
        for size in (256 * 1024, 4096, 400):
            with suppress(Error):
                while True:
                    cursor.execute("INSERT INTO ballast VALUES (zeroblob(%s))", [size])
        try:
            yield
        finally:
            cursor.execute("DELETE FROM ballast")


def tell(command: str) -> str:
    """What the server answers, if it answers anything."""
    with connection.cursor() as cursor:
        cursor.execute(command)
        return str(cursor.fetchone()[0]) if cursor.description else ""


@contextmanager
def small_postgresql() -> Iterator[None]:
    """All tables of the database are on a disk of their own: the server's belongs to all tests."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="webjobs-space-")))
        folder.chmod(0o755)
        stack.enter_context(small_disk(folder / "disk", kib=SMALL_KIB))
        server = Path(tell("SHOW data_directory")).stat()
        space = folder / "disk/space"
        space.mkdir()
        os.chown(space, server.st_uid, server.st_gid)
        name = f"small_{os.getpid()}"
        tell(f"CREATE TABLESPACE {name} LOCATION '{space}'")
        stack.callback(tell, f"DROP TABLESPACE {name}")
        for kind in ("TABLE", "INDEX"):
            move = f"ALTER {kind} ALL IN TABLESPACE %s SET TABLESPACE %s"
            tell(move % ("pg_default", name))
            stack.callback(tell, move % (name, "pg_default"))
        connection.settings_dict["TEST"]["SPACE"] = str(folder / "disk")
        yield


def full_postgresql() -> AbstractContextManager[None]:
    return filled(Path(connection.settings_dict["TEST"]["SPACE"]))


def full_database() -> AbstractContextManager[None]:
    """Nothing more fits into the database in the block."""
    return full_sqlite() if IS_SQLITE else full_postgresql()


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


def assert_told(browser: Client, secret: str) -> None:
    """Page and API say what is wrong when they are asked for what does not fit."""
    page = browser.post("/apps/demo/webjobs/triggered/refused/run", {"arguments": LONG})
    assert page.status_code == 503
    assert WORDS in page.content.decode()
    answer = Client().post(
        f"/scm/demo/api/triggeredwebjobs/refused/run?arguments={LONG}",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 503
    assert WORDS in answer.content.decode()
    assert browser.get("/healthz").json()["database"] == "its disk is full"


def test_runs_and_daemons_go_on_and_no_output_is_lost(
    engine: Engine, slot: Slot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_job(slot, "true", name="refused")
    operator = User.objects.create_superuser("root")
    _, secret = ApiToken.issue(operator, "test", Role.CONTRIBUTOR)
    browser = Client(raise_request_exception=False)
    browser.force_login(operator)
    browser.get("/apps/demo/webjobs")
    copy = wait_copy(add_job(slot, COUNTS, JobType.CONTINUOUS, "daemon"), CopyStatus.RUNNING)
    lasting = dispatch.run_now(add_job(slot, COUNTS, name="lasting"), ACTOR)
    ending = dispatch.run_now(add_job(slot, ENDS, name="ending"), ACTOR, arguments=str(tmp_path))
    for owner in (lasting, ending, copy):
        wait_log(owner, "] line 3.")

    with full_database():
        (tmp_path / "go").touch()
        until((tmp_path / "done").exists, what="a run has printed everything")
        for owner in (lasting, ending, copy):
            wait_still(owner)
        assert_told(browser, secret)
        stored = len(numbers(lasting))
        assert FULL in caplog.text
        ending.refresh_from_db()
        assert not ending.is_final, "it ended before its output was stored"
        lasting.refresh_from_db()
        assert lasting.status == RunStatus.RUNNING

    engine.wait(ending)
    assert ending.status == RunStatus.SUCCESS, ending.reason
    assert numbers(ending) == list(range(LINES))
    for owner in (lasting, copy):
        wait_log(owner, f"] line {stored + 50}.")
        found = numbers(owner)
        assert found == list(range(len(found)))
    copy.refresh_from_db()
    assert (copy.status, copy.restarts) == (CopyStatus.RUNNING, 0)
    dispatch.stop_run(lasting, ACTOR)
    assert engine.wait(lasting).status == RunStatus.ABORTED
    assert engine.run(add_job(slot, "true", name="next")).status == RunStatus.SUCCESS
