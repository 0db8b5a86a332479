"""Somebody holds SQLite's only write lock: continuous jobs do not stand still with it."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.support.engine import Engine, add_job, text_of, wait_copy, wait_log
from tests.support.poll import until
from webjobs.models import Slot
from webjobs.states import CopyStatus, JobType

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="locks rows, not files")

COUNTS = "i=0\nwhile true; do echo line $i.; i=$((i+1)); sleep 0.05; done"
# More than a pipe holds, so it ends only when somebody reads.
PRINTS_MUCH = """
echo ready
while [ ! -e {go} ]; do sleep 0.05; done
head -c 400000 /dev/zero | tr '\\0' x
touch {done}
sleep 600
"""


@contextmanager
def locked() -> Iterator[None]:
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


def test_jobs_are_read_while_the_database_is_locked(
    engine: Engine, slot: Slot, tmp_path: Path
) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    counting = wait_copy(add_job(slot, COUNTS, JobType.CONTINUOUS, "counting"), CopyStatus.RUNNING)
    script = PRINTS_MUCH.format(go=go, done=done)
    much = wait_copy(add_job(slot, script, JobType.CONTINUOUS, "much"), CopyStatus.RUNNING)
    wait_log(much, "] ready")
    wait_log(counting, "] line 3.")

    with locked():
        time.sleep(0.3)  # Its flush has begun to wait.
        go.touch()
        until(done.exists, seconds=6, what="the job could print")
    wait_log(much, "x" * 1000)

    now = int(re.findall(r"\] line (\d+)\.", text_of(counting))[-1])
    found = re.findall(r"\] line (\d+)\.", wait_log(counting, f"] line {now + 20}."))
    assert [int(number) for number in found] == list(range(len(found)))
    assert text_of(much).count("x") >= 400_000
    counting.refresh_from_db()
    assert (counting.status, counting.restarts) == (CopyStatus.RUNNING, 0)
