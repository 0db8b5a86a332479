"""The checks of what must hold after faults do find what does not hold."""

from __future__ import annotations

import secrets
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.api.calling import make_copy
from tests.support import invariants
from tests.support.engine import make_slot
from tests.support.workload import MANUAL, SINGLETON, Workload
from tests.web.objects import make_instance, make_job, make_run
from tests.web.schedules import make_schedule
from webjobs.logs import LogWriter, log_of_run
from webjobs.models import Run, Slot, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus, Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot(db: None) -> Slot:
    return make_slot()


@pytest.fixture
def load(slot: Slot, tmp_path: Path) -> Workload:
    return Workload(tmp_path, slot)


@pytest.fixture
def job(slot: Slot) -> WebJob:
    return make_job(slot, MANUAL.name)


def ended(job: WebJob, status: RunStatus, reason: str = "") -> Run:
    return make_run(job, status=status, ended_at=timezone.now(), reason=reason)


def write(load: Workload, run: Run, *lines: str) -> None:
    path = load.folder / f"run.{run.job.name}.{run.number}"
    path.write_text("".join(f"{line}\n" for line in lines))


def test_a_run_that_is_not_final(job: WebJob) -> None:
    make_run(job, status=RunStatus.QUEUED)
    assert invariants.stuck_runs(timezone.now() - timedelta(hours=1)) == []
    (found,) = invariants.stuck_runs(timezone.now() + timedelta(seconds=1))
    assert "is still Queued" in found


def test_an_end_without_words(job: WebJob) -> None:
    ended(job, RunStatus.ABORTED, "It was stopped.")
    assert invariants.runs_without_words() == []
    ended(job, RunStatus.ABORTED)
    assert len(invariants.runs_without_words()) == 1


def test_a_run_that_is_lost(load: Workload) -> None:
    load.accepted.add((MANUAL.name, 1))
    assert invariants.lost_or_doubled(load) == ["manual/1 was accepted and is lost"]


def test_a_run_that_was_executed_twice_or_never(job: WebJob, load: Workload) -> None:
    run = ended(job, RunStatus.SUCCESS)
    write(load, run, "begin 1", "end")
    assert invariants.lost_or_doubled(load) == []
    write(load, run, "begin 1", "begin 2", "end")
    assert "was executed 2 times" in invariants.lost_or_doubled(load)[0]
    write(load, run, "begin 1")
    assert "has not ended" in invariants.lost_or_doubled(load)[0]
    write(load, ended(job, RunStatus.MISSED), "begin 1")
    assert any("is Missed" in one for one in invariants.lost_or_doubled(load))
    ended(job, RunStatus.SUCCESS)
    assert any("was never executed" in one for one in invariants.lost_or_doubled(load))


def test_a_retry_that_nobody_made(job: WebJob) -> None:
    ended(job, RunStatus.ABORTED, "lost")
    assert invariants.runs_not_retried() == []
    WebJob.objects.update(retry_attempts=1)
    assert "has no next attempt: lost" in invariants.runs_not_retried()[0]


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("line 0 1.0\nline 1 2.0\nline 2 9.0\n", ""),
        ("line 0 1.0\nline 1 2.0\n", ""),
        ("line 0 1.0\n", "ends 2 lines early"),
        ("line 0 1.0\nline 2 9.0\n", "is not what was printed"),
    ],
)
def test_a_log_that_is_not_whole(job: WebJob, load: Workload, stored: str, words: str) -> None:
    run = ended(job, RunStatus.ABORTED, "lost")
    write(load, run, "begin 1", "line 0 1.0", "line 1 2.0", "line 2 9.0")
    writer = LogWriter(log_of_run(run, "key"), limit=10**6)
    writer.append(Stream.OUT, stored.encode(), 1.0)
    writer.complete()
    found = " ".join(invariants.wrong_run_logs(load))
    assert (words in found) if words else not found
    load.disturbances.append((5.0, 6.0))
    assert "early" not in " ".join(invariants.wrong_run_logs(load))


def test_an_occurrence_that_is_silently_missing(slot: Slot) -> None:
    now = timezone.now().replace(second=30, microsecond=0)
    schedule = make_schedule(slot, "*/10 * * * * *", now - timedelta(seconds=25))
    missing = invariants.wrong_occurrences(now)
    assert len(missing) == 3 and all("silently missing" in one for one in missing)
    first, last = now - timedelta(seconds=20), now - timedelta(seconds=10)
    reason = f"2 occurrences, from {first:%F %T} UTC to {last:%F %T} UTC, came due while"
    make_run(schedule.job, status=RunStatus.MISSED, scheduled_for=first, reason=reason)
    make_run(schedule.job, status=RunStatus.SUCCESS, scheduled_for=now)
    assert invariants.wrong_occurrences(now) == []
    odd = now - timedelta(seconds=3)
    make_run(schedule.job, status=RunStatus.SUCCESS, scheduled_for=odd)
    assert "has no occurrence at" in invariants.wrong_occurrences(now)[0]


def test_a_process_that_is_left_behind(job: WebJob) -> None:
    key, run = secrets.token_hex(16), make_run(job, status=RunStatus.RUNNING)
    environ = {
        "WEBSITE_INSTANCE_ID": key,
        "WEBJOBS_NAME": job.name,
        "WEBJOBS_RUN_ID": str(run.number),
    }
    process = subprocess.Popen(["/bin/sleep", "60"], env=environ)
    try:
        assert invariants.left_behind([key]) == []
        Run.objects.update(status=RunStatus.ABORTED, lane=None)
        assert "is left behind" in invariants.left_behind([key])[0]
    finally:
        process.kill()
        process.wait()


def test_a_singleton_that_ran_twice(load: Workload) -> None:
    load.singleton_file.write_text("a 1.0\na 2.0\nb 2.1\nb 3.0\n")
    assert invariants.two_at_once(load) == []
    load.singleton_file.write_text("a 1.0\nb 1.9\na 2.0\nb 3.0\n")
    assert invariants.two_at_once(load) == ["the singleton ran twice for 0.10 s"]


def test_a_copy_that_is_not_back(slot: Slot) -> None:
    job, instances = make_job(slot, SINGLETON.name, JobType.CONTINUOUS), []
    WebJob.objects.update(is_singleton=True)
    for name in ("one", "two"):
        instances.append(make_instance(name))
    assert invariants.copies_not_back() == ["singleton is missing, missing on one, two"]
    for instance in instances:
        make_copy(job, CopyStatus.RUNNING, instance)
    assert invariants.copies_not_back() == ["singleton is Running, Running on one, two"]
    instances[0].copies.update(status=CopyStatus.INACTIVE_INSTANCE)
    assert invariants.copies_not_back() == []
