"""The storage does not give what was put into it: the package is gone, or its bytes are others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from tests.support.engine import ACTOR, Engine, add_job, text_of, upload, wait_copy
from tests.support.poll import until
from webjobs import dispatch
from webjobs.models import Package, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

DAEMON: dict[str, str | bytes] = {
    "run.sh": "echo hello\nexec sleep 600",
    "settings.job": '{"stopping_wait_time": 0}',
}


def lose(package: Package) -> None:
    storages["packages"].delete(package.storage_name)


def damage(package: Package) -> None:
    """One bit of it is another; its size is what it was."""
    with storages["packages"].open(package.storage_name) as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    lose(package)
    storages["packages"].save(package.storage_name, ContentFile(bytes(data)))


def cut_off(package: Package) -> None:
    with storages["packages"].open(package.storage_name) as file:
        data = file.read()
    lose(package)
    storages["packages"].save(package.storage_name, ContentFile(data[: len(data) // 2]))


ACCIDENTS = [
    pytest.param(lose, "cannot be read from the storage", id="gone"),
    pytest.param(damage, "its SHA-256 differs", id="damaged"),
    pytest.param(cut_off, "its SHA-256 differs", id="cut off"),
]


@pytest.mark.parametrize(("happen", "words"), ACCIDENTS)
def test_a_run_fails_in_words_and_executes_nothing(
    engine: Engine, slot: Slot, data_dir: Path, happen: Callable[[Package], None], words: str
) -> None:
    job = add_job(slot, "echo hello")
    happen(job.package)

    run = engine.run(job)

    assert run.status == RunStatus.FAILED
    assert words in run.reason and "Upload it again" in run.reason
    assert str(job.package) in run.reason
    assert "] hello" not in text_of(run)
    assert list((data_dir / "instance").rglob("cache/*")) == []


@pytest.mark.parametrize(("happen", "words"), ACCIDENTS)
def test_a_continuous_job_says_why_it_does_not_start_and_starts_once_it_is_back(
    engine: Engine, slot: Slot, happen: Callable[[Package], None], words: str
) -> None:
    job = add_job(slot, DAEMON, JobType.CONTINUOUS)
    copy = wait_copy(job, CopyStatus.RUNNING)
    other = add_job(slot, {**DAEMON, "other": "x"}, JobType.CONTINUOUS, "other")
    wait_copy(other, CopyStatus.RUNNING)

    # What was fetched once is not fetched again.
    happen(job.package)
    dispatch.stop(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)
    dispatch.start(job, ACTOR)
    wait_copy(job, CopyStatus.RUNNING)

    new = upload({**DAEMON, "new": "y"})
    dispatch.stop(job, ACTOR)
    wait_copy(job, CopyStatus.STOPPED)
    dispatch.replace_package(job, new, ACTOR)
    job.refresh_from_db()
    happen(job.package)
    dispatch.start(job, ACTOR)
    wait_copy(job, CopyStatus.PENDING_RESTART)
    copy.refresh_from_db()
    assert words in copy.reason and "Upload it again" in copy.reason
    assert copy.last_error == copy.reason
    assert f"Failed to start job due to: {copy.reason}" in text_of(copy)

    dispatch.replace_package(job, new, ACTOR)
    hellos = text_of(copy).count("] hello")
    dispatch.start(job, ACTOR)
    wait_copy(job, CopyStatus.RUNNING)
    until(lambda: text_of(copy).count("] hello") == hellos + 1, what="it runs again")
    assert wait_copy(other, CopyStatus.RUNNING).restarts == 0


def test_a_new_worker_puts_away_what_the_one_before_left(
    transactional_db: None, broker: str, data_dir: Path
) -> None:
    folder = data_dir / "instance"
    scrap = folder / "temp" / "demo" / "production" / "unpack" / "triggered" / "nightly" / "x"
    scrap.mkdir(parents=True)
    engine = Engine(folder).start()
    try:
        until(lambda: not scrap.exists(), what="half an unpacked package is deleted")
    finally:
        engine.close()
