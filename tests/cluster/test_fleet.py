"""Three workers, two beats, two web processes on PostgreSQL and Valkey, and what befalls them."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests.support.fleet import SHARE, Fleet, health
from tests.support.invariants import violations
from tests.support.poll import until
from tests.support.rows import rows_of
from tests.support.services import Web
from tests.support.workload import MANUAL, RETRIED, SCHEDULED, SINGLETON, TICKER, Job, Workload
from webjobs.models import Copy, Run, Slot, WebJob
from webjobs.states import CopyStatus, RunStatus

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.own_database]

# A run in progress for a few seconds: 100 lines, and a process left behind.
LONG = "15 0.2 child"
LONGER = "40 0.2 child"
# Of the 30 s within which the runs of a dead instance are final.
FINAL = 30 * SHARE + 5
# What a server that was stopped at once needs until it answers again, in seconds.
RECOVERS = 1.5


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not pytest's: sockets lie in it, and PostgreSQL may have to be another user.
    path = Path(tempfile.mkdtemp(prefix="webjobs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def started(folder: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Fleet]:
    # A folder for each start: a test that is tried again gets new machines.
    home = Path(tempfile.mkdtemp(prefix="", dir=folder))
    home.chmod(0o755)
    fleet = Fleet(home, workers=3, beats=2, webs=2)
    with django_db_blocker.unblock(), rows_of(fleet.database.url):
        try:
            fleet.start(fleet.workers[2])
            yield fleet
        finally:
            left = fleet.close()
    assert not left, "processes are left behind"


@pytest.fixture(scope="module")
def load(started: Fleet) -> Workload:
    load = Workload(started.folder, Slot.objects.get(app__name="demo"))
    load.set_up(started.webs[0].port)
    return load


@pytest.fixture
def fleet(started: Fleet) -> Fleet:
    """Whole, whatever the test before has left of it."""
    started.restart()
    return started


def instances_of(runs: set[int]) -> set[str]:
    found = Run.objects.filter(job__name=MANUAL.name, number__in=runs, instance__isnull=False)
    return set(found.values_list("instance__name", flat=True))


def begin_runs(fleet: Fleet, load: Workload, arguments: str = LONG) -> set[int]:
    """Runs in progress on all workers; nobody waits for their end."""
    runs = {load.run(web.port, MANUAL, arguments) for web in fleet.webs for _ in range(3)}
    load.run(fleet.webs[0].port, RETRIED, arguments)
    asked = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    until(lambda: not asked.filter(status=RunStatus.QUEUED).exists(), seconds=20, what="they run")
    return runs


def assert_nothing_wrong(fleet: Fleet, load: Workload) -> None:
    """After a fault, once every process is back."""
    found = violations(load, fleet.keys, timezone.now())
    assert not found, "\n".join([*found, *(f"{one}: {one.output}" for one in fleet.clients)])


def test_continuous_jobs_run_everywhere_also_on_who_joins(fleet: Fleet, load: Workload) -> None:
    def statuses(job: Job) -> list[str]:
        copies = Copy.objects.filter(job__name=job.name).order_by("status")
        return list(copies.values_list("status", flat=True))

    here = sum(worker.was_started for worker in fleet.workers)
    for count in range(here, 4):
        until(lambda count=count: statuses(TICKER) == [CopyStatus.RUNNING] * count, seconds=30)  # type: ignore[misc]
        standing_by = [CopyStatus.INACTIVE_INSTANCE] * (count - 1)
        until(lambda those=standing_by: statuses(SINGLETON) == [*those, CopyStatus.RUNNING])  # type: ignore[misc]
        if count == 2:
            fleet.workers[2].start()
            fleet.wait_whole()


def test_runs_asked_of_either_web_go_to_any_live_instance(fleet: Fleet, load: Workload) -> None:
    runs = begin_runs(fleet, load)
    assert len(instances_of(runs)) > 1
    assert_nothing_wrong(fleet, load)
    one, other = fleet.webs
    for path in (f"{MANUAL.path}/history", TICKER.path, "/scm/demo/api/triggeredwebjobs"):
        # Between the two answers something may happen.
        until(lambda at=path: _page(load, one, at) == _page(load, other, at), what=path)  # type: ignore[misc]


def _page(load: Workload, web: Web, path: str) -> bytes:
    """As `web` shows it, without its address."""
    return load.call(web.port, "GET", path)[0].replace(f":{web.port}".encode(), b"")


def test_packages_come_from_one_storage_into_a_cache_of_each_instance(
    fleet: Fleet, load: Workload
) -> None:
    sha256 = WebJob.objects.get(name=TICKER.name).package.sha256
    (stored,) = fleet.packages.rglob(sha256)
    for worker in (worker for worker in fleet.workers if worker.was_started):
        (cached,) = until(lambda at=worker: [*at.folder.glob(f"instance/**/{sha256}")])  # type: ignore[misc]
        assert cached.read_bytes() == stored.read_bytes()


def test_schedules_go_on_when_a_beat_is_killed(fleet: Fleet, load: Workload) -> None:
    fleet.beats[0].kill()
    killed = timezone.now()
    for job in SCHEDULED:
        fired = Run.objects.filter(job__name=job.name, scheduled_for__gt=killed)
        until(lambda runs=fired: runs.count() >= 2, seconds=10, what="the other beat fires")  # type: ignore[misc]
    fleet.restart()
    assert_nothing_wrong(fleet, load)
    since = Run.objects.filter(scheduled_for__gt=killed)
    assert not since.filter(status=RunStatus.MISSED).exists()


def test_the_other_web_serves_when_one_is_killed(fleet: Fleet, load: Workload) -> None:
    killed, other = fleet.webs
    killed.kill()
    assert load.run(other.port)
    until(lambda: health(killed.port) is None, what="its helpers end without it")
    fleet.restart()
    assert load.run(killed.port)
    assert_nothing_wrong(fleet, load)


def test_a_worker_is_killed_with_its_runs_and_the_singleton(fleet: Fleet, load: Workload) -> None:
    runs = begin_runs(fleet, load, LONGER)
    holder = Copy.objects.get(job__name=SINGLETON.name, status=CopyStatus.RUNNING).instance.name
    victim = next(worker for worker in fleet.workers if worker.name == holder)
    theirs = Run.objects.filter(job__name=MANUAL.name, number__in=runs, instance__name=holder)
    if not theirs.exists():
        runs |= begin_runs(fleet, load, LONGER)
    first = theirs.first()
    assert first
    until(lambda: len(load.witness(MANUAL.name, first.number)) > 12, seconds=20)

    victim.kill()
    until(lambda: not theirs.filter(ended_at=None).exists(), seconds=FINAL, what="they are final")
    first.refresh_from_db()
    assert first.status == RunStatus.ABORTED
    assert f"Instance {holder} was lost" in first.reason
    fleet.restart()
    assert_nothing_wrong(fleet, load)


def test_a_worker_stands_still_for_a_minute(fleet: Fleet, load: Workload) -> None:
    runs = begin_runs(fleet, load, LONGER)
    holder = Copy.objects.get(job__name=SINGLETON.name, status=CopyStatus.RUNNING).instance.name
    still = next(worker for worker in fleet.workers if worker.name == holder)
    with load.disturbed():
        still.signal(signal.SIGSTOP)
        time.sleep(60 * SHARE)
        still.go_on()
    fleet.restart()
    assert_nothing_wrong(fleet, load)
    assert still.is_alive
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    assert instances_of({run.number for run in ended if run.status == RunStatus.ABORTED}) <= {
        holder
    }


@pytest.mark.parametrize("keeps_data", [False, True])
def test_the_broker_is_killed(fleet: Fleet, load: Workload, keeps_data: bool) -> None:
    begin_runs(fleet, load)
    fleet.broker.kill()
    if not keeps_data:
        fleet.broker.lose_data()
    # Accepted without it; its message is lost.
    load.run(fleet.webs[0].port)
    fleet.restart()
    assert_nothing_wrong(fleet, load)


def test_the_database_is_stopped(fleet: Fleet, load: Workload) -> None:
    runs = begin_runs(fleet, load, LONGER)
    with load.disturbed():
        stopped = time.monotonic()
        fleet.database.stop()
        time.sleep(20 * SHARE - RECOVERS)
        fleet.database.start()
        away = time.monotonic() - stopped
    fleet.restart()
    assert_nothing_wrong(fleet, load)
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    # What is not scaled is how long a busy machine takes to start the server. Beyond what a worker
    # may wait for it, runs end, and say so.
    allowed = {RunStatus.SUCCESS} if away < 24 * SHARE else {RunStatus.SUCCESS, RunStatus.ABORTED}
    assert {run.status for run in ended} <= allowed, [away, *(run.reason for run in ended)]


def test_the_power_is_cut(fleet: Fleet, load: Workload) -> None:
    runs = begin_runs(fleet, load)
    with load.disturbed():
        for service in fleet.services:
            service.cut()
        fleet.restart()
    assert_nothing_wrong(fleet, load)
    ended = Run.objects.filter(job__name=MANUAL.name, number__in=runs)
    assert {run.status for run in ended} == {RunStatus.ABORTED}
