"""10,000 schedules: a real beat and a real broker, on a database of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import redis
from django.conf import settings
from django.db import connections
from django.utils import timezone

from tests.bench.site import Bench, wait_for
from tests.bench.table import Figure, NotMeasured, Row, milliseconds, percentile
from tests.support import broker
from tests.support.portal import environ
from webjobs.messages import EXECUTE_RUN
from webjobs.models import App, Beat, Package, Run, Schedule, Slot, WebJob
from webjobs.states import Concurrency, JobType

# The name of the other database for Django.
ALIAS = "schedules"
BATCH = 1000
# After its first tick a beat has all schedules in its heap; the start is not what is measured.
WARM_UP = 3
# Seconds between a change of schedules and their first occurrence; and until its messages are sent.
LEAD, SETTLE = 4, 3


def _make_database(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=settings.BASE_DIR, env=environ(folder), stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    name = str(folder / "db.sqlite3")
    connections.databases[ALIAS] = {**connections.databases["default"], "NAME": name}


def _fill(count: int) -> None:
    """So many schedules, spread over the seconds of a minute."""
    app = App.objects.using(ALIAS).create(name="bench")
    slot = Slot.objects.using(ALIAS).create(app=app)
    package = Package.objects.using(ALIAS).create(
        sha256="a" * 64, size=3, kind="file", file_name="run.sh", script="run.sh"
    )
    jobs = WebJob.objects.using(ALIAS).bulk_create(
        [
            WebJob(
                slot=slot,
                name=f"job-{number}",
                type=JobType.TRIGGERED,
                package=package,
                script="run.sh",
                # Nothing executes these runs, so none of them ends.
                concurrency=Concurrency.PARALLEL,
                max_parallel=100,
            )
            for number in range(count)
        ],
        batch_size=BATCH,
    )
    since = timezone.now() + timedelta(seconds=1)
    Schedule.objects.using(ALIAS).bulk_create(
        [
            Schedule(job=job, expression=f"{number % 60} * * * * *", since=since, changed_at=since)
            for number, job in enumerate(jobs)
        ],
        batch_size=BATCH,
    )


class _Messages(threading.Thread):
    """A worker that only notes when it was told of each run, and reads what it was told later: it
    shall not take the time of the beat that is measured."""

    def __init__(self, socket: Path) -> None:
        super().__init__(daemon=True)
        self._client = redis.Redis(unix_socket_path=str(socket))
        self._noted: list[tuple[Any, float]] = []

    def run(self) -> None:
        while True:
            try:
                found = self._client.blmpop(
                    1, 1, settings.CELERY_TASK_DEFAULT_QUEUE, direction="LEFT", count=BATCH
                )
            except redis.RedisError:
                return
            if isinstance(found, list):
                self._noted.append((found[1], time.time()))

    def arrived(self) -> Iterator[tuple[int, float]]:
        """Key and clock of every message about a run so far."""
        for items, at in self._noted:
            for item in items:
                headers = json.loads(item)["headers"]
                if headers["task"] == EXECUTE_RUN:
                    yield int(headers["argsrepr"].strip("(),[]")), at


@contextmanager
def _beat(folder: Path, socket: Path) -> Iterator[psutil.Process]:
    count = Beat.objects.using(ALIAS).count()
    address = f"redis+socket://{socket}"
    with (folder / "beat.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-q", "-A", "portal", "beat", "--pidfile="],
            cwd=settings.BASE_DIR, env=environ(folder, REDIS_URL=address),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        beats = Beat.objects.using(ALIAS)
        wait_for(lambda: beats.count() > count, 40, lambda: "the beat has not ticked")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _lateness(messages: _Messages, since: float, until: float) -> list[float]:
    """Of the messages for occurrences of this span."""
    wanted = dict(Run.objects.using(ALIAS).values_list("pk", "scheduled_for"))
    late = []
    for pk, arrived in messages.arrived():
        moment = wanted.get(pk)
        if moment is not None and since <= moment.timestamp() < until:
            late.append(arrived - moment.timestamp())
    return late


def one_a_minute(bench: Bench) -> Iterator[Figure]:
    folder = bench.folder / "schedules"
    socket, count = folder / "run" / "broker.sock", bench.count(10_000)
    seconds = bench.seconds(60)
    folder.mkdir()
    _make_database(folder)
    with broker.running(socket):
        messages = _Messages(socket)
        messages.start()
        _fill(count)
        with _beat(folder, socket) as first:
            time.sleep(WARM_UP)
            used, since = _cpu(first), time.time()
            time.sleep(seconds)
            cpu = (_cpu(first) - used) / (time.time() - since)
            until = time.time() - 1
            late = _lateness(messages, since, until)
            yield _punctual(count, late, cpu, until - since)
            with _beat(folder, socket):
                time.sleep(bench.seconds(12))
            yield _at_once(messages, bench.count(1000))
        yield _doubled(messages)
    connections[ALIAS].close()


def _punctual(count: int, late: list[float], cpu: float, seconds: float) -> Figure:
    expected = count * seconds / 60
    if len(late) < expected * 0.95:
        raise NotMeasured(f"only {len(late)} of about {expected:.0f} occurrences were sent")
    ninety_nine = milliseconds(percentile(late, 99))
    return Figure(
        f"{count:,} schedules, one per minute each: lateness of the message",
        f"p99 {ninety_nine}, last {milliseconds(max(late))}; beat {cpu:.0%} of a core",
        aim="p99 <= 500 ms; <= 30% of a core",
    )


def _at_once(messages: _Messages, count: int) -> Figure:
    """Beside the others, so many more in one second."""
    moment = timezone.now().replace(microsecond=0) + timedelta(seconds=LEAD)
    wanted = Schedule.objects.using(ALIAS).filter(pk__in=_first(count))
    wanted.update(
        expression=f"{moment:%-S %-M %-H} * * *", since=timezone.now(), changed_at=timezone.now()
    )
    runs = Run.objects.using(ALIAS).filter(job__schedule__in=wanted, scheduled_for=moment)
    # Nobody looks meanwhile, which would take the time of the beat.
    time.sleep(moment.timestamp() - time.time() + SETTLE)
    wait_for(lambda: runs.count() == count, 20, lambda: f"{runs.count()} of {count} were fired")
    pks = set(runs.values_list("pk", flat=True))
    late = [at - moment.timestamp() for pk, at in messages.arrived() if pk in pks]
    if len(late) != count:
        raise NotMeasured(f"{len(late)} of {count} messages were sent")
    return Figure(
        f"{count:,} in the same second: lateness of the message",
        f"median {milliseconds(percentile(late, 50))}, last {milliseconds(max(late))}",
    )


def _first(count: int) -> list[int]:
    return list(Schedule.objects.using(ALIAS).order_by("pk").values_list("pk", flat=True)[:count])


def _doubled(messages: _Messages) -> Figure:
    runs = Run.objects.using(ALIAS).exclude(scheduled_for=None)
    occurrences = runs.values_list("job", "scheduled_for")
    rows = occurrences.count() - occurrences.distinct().count()
    sent = Counter(pk for pk, _ in messages.arrived())
    doubled = sum(1 for times in sent.values() if times > 1)
    return Figure(
        "the same with a second beat", f"{rows} occurrences and {doubled} messages twice", aim="0"
    )


ROWS = (Row("10,000 schedules, one per minute each", 140, one_a_minute),)
