"""The disk of an instance is full: what runs goes on, what cannot start says so, nothing is left
half done, and with the first free bytes everything works again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk import filled, small_disk
from tests.support.engine import (
    ACTOR,
    Engine,
    add_job,
    text_of,
    wait_copy,
    wait_log,
)
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Slot, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus

BIG = 300_000
# Proves that its package was unpacked whole.
WHOLE = f'test "$(wc -c < big.bin)" = {BIG} && echo whole'
COUNTS = "i=0\nwhile true; do echo line $i.; i=$((i+1)); sleep 0.05; done"


@pytest.fixture
def disk(data_dir: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    folder = data_dir / "disk"
    with small_disk(folder, kib=2048):
        yield folder


@pytest.fixture
def engine(transactional_db: None, broker: str, disk: Path) -> Iterator[Engine]:
    """An instance whose data directory is on the small disk."""
    engine = Engine(disk / "instance").start()
    yield engine
    engine.close()


def add_big(slot: Slot, script: str = WHOLE, type: JobType = JobType.TRIGGERED) -> WebJob:
    return add_job(slot, {"run.sh": script, "big.bin": os.urandom(BIG)}, type, "big")


def last_number(text: str) -> int:
    return int(re.findall(r"\] line (\d+)\.", text)[-1])


# Nothing fits; the package fits, and half of what is in it; all of it, and half of its copy.
@pytest.mark.parametrize("room", [0, BIG * 3 // 2, BIG * 5 // 2])
def test_a_run_fails_in_words_and_leaves_nothing_half_done(
    engine: Engine, slot: Slot, disk: Path, room: int
) -> None:
    job = add_big(slot)

    with filled(disk, room):
        run = engine.run(job)
        assert run.status == RunStatus.FAILED
        assert "the disk of this instance is full" in run.reason.lower()
        assert str(disk / "instance") in run.reason
        assert run.reason in text_of(run)
        halves = [path for path in disk.rglob("big.bin") if path.stat().st_size != BIG]
        assert halves == []
        assert not list(disk.rglob("cache/tmp*"))

    again = engine.run(job)
    assert again.status == RunStatus.SUCCESS, again.reason
    assert "] whole" in text_of(again)


def test_what_runs_goes_on_and_can_be_stopped(engine: Engine, slot: Slot, disk: Path) -> None:
    daemon = add_job(slot, COUNTS, JobType.CONTINUOUS, "daemon")
    copy = wait_copy(daemon, CopyStatus.RUNNING)
    run = dispatch.run_now(add_job(slot, COUNTS, name="counts"), ACTOR)
    wait_log(run, "line 1.")

    with filled(disk):
        for owner in (run, copy):
            wait_log(owner, f"line {last_number(wait_log(owner, 'line 1.')) + 10}.")
        dispatch.stop_run(run, ACTOR)
        engine.wait(run)
        assert run.status == RunStatus.ABORTED
        assert "Stopped by tester." in run.reason
        # Its own files are there, and it writes none.
        assert engine.run(add_job(slot, "true", name="other")).status == RunStatus.FAILED
    copy.refresh_from_db()
    assert (copy.status, copy.restarts) == (CopyStatus.RUNNING, 0)


def test_a_continuous_job_that_does_not_fit_starts_when_there_is_room(
    engine: Engine, slot: Slot, disk: Path
) -> None:
    wait_copy(add_job(slot, COUNTS, JobType.CONTINUOUS, "small"), CopyStatus.RUNNING)
    with filled(disk):
        job = add_big(slot, f"{WHOLE}\nsleep 600", JobType.CONTINUOUS)
        copy = wait_copy(job, CopyStatus.PENDING_RESTART)
        assert "the disk of this instance is full" in copy.reason.lower()
        assert "Failed to start job due to:" in text_of(copy)
        assert not list(disk.rglob("big.bin"))

    dispatch.start(job, ACTOR)
    wait_copy(job, CopyStatus.RUNNING)
    until(lambda: "] whole" in text_of(copy), what="its package is whole")
