"""Real beat processes with a real broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import redis
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.support.database_door import Door, through
from tests.support.environment import database_url, portal_environ
from tests.support.poll import until
from tests.web.objects import make_slot
from tests.web.schedules import make_schedule
from webjobs.models import Beat, Run, Slot
from webjobs.states import RunStatus

# An address where no broker listens.
NOBODY = "redis+socket:///tmp/webjobs-no-broker.sock"
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def beats(
    count: int, folder: Path, broker: str = NOBODY
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many `celery beat` processes that have ticked; they end by TERM."""
    environ = portal_environ(REDIS_URL=broker)
    command = [sys.executable, "-m", "celery", "-A", "portal", "beat", "--pidfile="]
    processes = []
    for number in range(count):
        with (folder / f"beat-{number}.log").open("wb") as output:
            processes.append(subprocess.Popen(command, env=environ, stdout=output, stderr=output))
    try:
        until(lambda: Beat.objects.count() == count, seconds=60, what="a tick of every beat")
        yield processes
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(timeout=30) for process in processes]
    assert codes == [0] * count


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    return make_slot()


def messages(broker: str) -> list[dict[str, object]]:
    """What waits for a worker, as (task, arguments) documents."""
    client = redis.Redis(unix_socket_path=broker.removeprefix("redis+socket://"))
    return [json.loads(item) for item in client.lrange("webjobs", 0, -1)]


def sent(broker: str, task: str) -> list[dict[str, object]]:
    return [item for item in messages(broker) if item["headers"]["task"] == task]  # type: ignore[index]


def end_runs() -> None:
    Run.objects.active().update(status=RunStatus.SUCCESS, lane=None)


def test_two_beats_fire_every_occurrence_once(broker: str, slot: Slot, tmp_path: Path) -> None:
    with beats(2, tmp_path, broker):
        start = timezone.now()
        jobs = [make_schedule(slot, "*/2 * * * * *", start, f"job{n}").job for n in range(20)]
        give_up = start + timedelta(seconds=30)
        while not Run.objects.filter(scheduled_for__gt=start + timedelta(seconds=10)).exists():
            end_runs()
            time.sleep(0.05)
            assert timezone.now() < give_up
    first = start.replace(microsecond=0) + timedelta(seconds=2 - start.second % 2)
    expected = [first + timedelta(seconds=2 * number) for number in range(5)]
    for job in jobs:
        moments = list(job.runs.order_by("scheduled_for").values_list("scheduled_for", flat=True))
        assert moments[:5] == expected
        assert len(moments) == len(set(moments))
    assert set(Run.objects.values_list("status", flat=True)) <= {"Success", "Queued"}
    assert median(lateness()) < 1
    executed = [item["headers"]["argsrepr"] for item in sent(broker, "webjobs.execute_run")]  # type: ignore[index]
    assert len(executed) == len(set(executed)) == Run.objects.count()


def lateness() -> list[float]:
    """Seconds from each occurrence to its entry."""
    moments = Run.objects.exclude(scheduled_for=None).values_list("queued_at", "scheduled_for")
    return [(queued - wanted).total_seconds() for queued, wanted in moments if wanted]


def test_it_repeats_the_clean_up_that_operators_see(
    broker: str, slot: Slot, tmp_path: Path
) -> None:
    with beats(1, tmp_path, broker):
        until(lambda: sent(broker, "webjobs.clean_up"), seconds=20, what="the clean-up")
        task = PeriodicTask.objects.get(name="webjobs.clean_up")
        assert (task.enabled, str(task.interval)) == (True, "every 10 seconds")


def test_it_leaves_the_clean_up_as_operators_changed_it(slot: Slot, tmp_path: Path) -> None:
    with beats(1, tmp_path):
        until(lambda: PeriodicTask.objects.filter(name="webjobs.clean_up").exists())
    PeriodicTask.objects.update(enabled=False)
    Beat.objects.all().delete()
    with beats(1, tmp_path):
        assert not PeriodicTask.objects.get(name="webjobs.clean_up").enabled


def test_it_starts_after_two_that_began_at_once(slot: Slot, tmp_path: Path) -> None:
    """Each of them has made the interval of the clean-up, for which nothing is unique."""
    for _ in range(2):
        IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    with beats(1, tmp_path):
        assert PeriodicTask.objects.filter(name="webjobs.clean_up").exists()


def test_runs_are_written_while_the_broker_is_away(slot: Slot, tmp_path: Path) -> None:
    with beats(1, tmp_path):
        make_schedule(slot, "* * * * * *", start := timezone.now())
        until(lambda: _fired(start) >= 3, seconds=15, what="three runs")
    log = (tmp_path / "beat-0.log").read_text()
    assert "The broker cannot be reached" in log
    assert "Traceback" not in log


def _fired(start: datetime) -> int:
    end_runs()
    return Run.objects.filter(scheduled_for__gt=start).count()


def test_it_goes_on_where_the_last_one_stopped(slot: Slot, tmp_path: Path) -> None:
    schedule = make_schedule(slot, "* * * * * *", timezone.now())
    with beats(1, tmp_path) as [process]:
        until(lambda: _fired(schedule.since) >= 2, seconds=15)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.returncode = 0
    end_runs()
    schedule.refresh_from_db()
    stopped = schedule.last_occurrence
    assert stopped is not None
    until(lambda: timezone.now() > stopped + timedelta(seconds=3), seconds=10)
    Beat.objects.all().delete()
    with beats(1, tmp_path):
        until(lambda: _fired(stopped) >= 2, seconds=15)
    after = Run.objects.filter(scheduled_for__gt=stopped).order_by("number")
    missed, caught_up = after[:2]
    assert (missed.status, missed.scheduled_for) == ("Missed", stopped + timedelta(seconds=1))
    assert caught_up.status in ("Queued", "Success")
    assert "occurrences, from" in missed.reason


@pytest.fixture
def without_database(transactional_db: None, tmp_path: Path) -> Iterator[tuple[Door, Path]]:
    """A beat that was started before its database, which is behind the door, and its log."""
    if connection.vendor != "postgresql":
        pytest.skip("An SQLite file cannot be away for one process only")
    url, server = through(database_url(), tmp_path / "door")
    door = Door(tmp_path / "door", server)
    door.shut()
    log = tmp_path / "beat.log"
    command = [sys.executable, "-m", "celery", "-A", "portal", "beat", "--pidfile="]
    environ = portal_environ(REDIS_URL=NOBODY, DATABASE_URL=url)
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        until(
            lambda: "The database cannot be used" in log.read_text(),
            seconds=30,
            what=log.read_text(),
        )
        yield door, log
        process.terminate()
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
    assert "Traceback" not in log.read_text()


def test_it_waits_for_its_database_at_the_start(without_database: tuple[Door, Path]) -> None:
    door, log = without_database
    door.open()
    until(Beat.objects.exists, seconds=10, what=f"a tick; {log.read_text()}")
    until(lambda: "The database is back" in log.read_text())


def test_it_can_be_stopped_while_it_waits_for_its_database(
    without_database: tuple[Door, Path],
) -> None:
    _, log = without_database
    assert log.read_text().count("The database cannot be used") == 1


def test_it_survives_a_database_that_refuses(slot: Slot, tmp_path: Path) -> None:
    make_schedule(slot, "* * * * * *", timezone.now())
    with beats(1, tmp_path):
        log = tmp_path / "beat-0.log"
        rename("webjobs_schedule", "elsewhere")
        try:
            until(lambda: "The database cannot be used" in log.read_text(), what="the one line")
        finally:
            rename("elsewhere", "webjobs_schedule")
        until(lambda: "The database is back" in log.read_text())
        now = timezone.now()
        until(lambda: _fired(now) >= 2, what="two runs")
    assert log.read_text().count("The database cannot be used") == 1


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")  # noqa: S608
