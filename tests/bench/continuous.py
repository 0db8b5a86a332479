"""Many continuous WebJobs, beside supervisor and PM2 with the same scripts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.bench import peers
from tests.bench.many import Jobs, cpu_of, is_job, killed_to_back
from tests.bench.memory import pss
from tests.bench.peers import Measured
from tests.bench.site import Bench, Site, wait_for
from tests.bench.table import NOTHING, Figure, NotMeasured, Row, milliseconds
from webjobs.models import Copy, WebJob
from webjobs.states import CopyStatus, JobType

RESTART_SECONDS = 1
PEERS = {"supervisor": peers.supervisor, "PM2": peers.pm2}


def _stopped_jobs(site: Site, jobs: Jobs) -> list[WebJob]:
    """WebJobs that wait for their app to be started."""
    site.set(WEBJOBS_STOPPED="1", WEBJOBS_RESTART_TIME=str(RESTART_SECONDS))
    found = site.copies_of(site.upload(JobType.CONTINUOUS, "idle", jobs.script), jobs.count)
    _wait_copies(found, CopyStatus.STOPPED)
    return found


def _wait_copies(jobs: list[WebJob], status: CopyStatus) -> float:
    """Until all have this status in the database; the clock of that moment."""
    copies = Copy.objects.filter(job__in=[job.pk for job in jobs], status=status)
    return wait_for(
        lambda: copies.count() == len(jobs), 40, lambda: f"{copies.count()} jobs are {status}", 0.01
    )


def _engine(worker: psutil.Process) -> list[psutil.Process]:
    """The worker and its helpers, without the jobs."""
    return [worker, *(one for one in worker.children(recursive=True) if not is_job(one))]


def _ours(bench: Bench, count: int, idle: int, seconds: float) -> Measured:
    folder, worker = bench.folder / "ours", bench.worker()
    site, other = bench.site("continuous"), bench.site("continuous-rest")
    first, rest = Jobs(folder / "first", count), Jobs(folder / "rest", idle - count)
    empty = pss(_engine(worker))
    jobs = _stopped_jobs(site, first)
    begun = time.time()
    site.set(WEBJOBS_STOPPED="0")
    started = _wait_copies(jobs, CopyStatus.RUNNING) - begun
    first.wait_all(1)
    back = [seconds - RESTART_SECONDS for seconds in killed_to_back(first)]
    more = _stopped_jobs(other, rest)
    other.set(WEBJOBS_STOPPED="0")
    _wait_copies(jobs + more, CopyStatus.RUNNING)
    rest.wait_all(1)
    time.sleep(1)
    cpu = cpu_of(_engine(worker), seconds)
    memory = (pss(_engine(worker)) - empty) / idle
    for one in (site, other):
        one.set(WEBJOBS_STOPPED="1")
    _wait_copies(jobs + more, CopyStatus.STOPPED)
    return Measured(started, back, cpu, memory)


def _peer(
    name: str, measure: Callable[[Path, int, int, float], Measured], bench: Bench,
    count: int, idle: int, seconds: float,
) -> Measured | str:  # fmt: skip
    """What it needs; or why that is not known."""
    folder = bench.folder / name
    folder.mkdir()
    try:
        return measure(folder, count, idle, seconds)
    except NotMeasured as error:
        return str(error)
    except (AssertionError, OSError, ImportError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__} {error}"[:60]


def _figure(
    what: str, ours: Measured, others: dict[str, Measured | str], aim: str,
    value: Callable[[Measured], float], show: Callable[[float], str],
) -> Figure:  # fmt: skip
    cells, ratios = [], []
    for name, other in others.items():
        if isinstance(other, str):
            cells.append(f"{name} not measured: {other}")
            continue
        theirs = value(other)
        cells.append(f"{name} {show(theirs)}")
        ratios.append(f"{value(ours) / theirs:.1f}x" if theirs > 0 else NOTHING)
    return Figure(what, show(value(ours)), ", ".join(cells), ", ".join(ratios) or NOTHING, aim)


def many(bench: Bench) -> Iterator[Figure]:
    count, idle, seconds = bench.count(100), bench.count(200), bench.seconds(15)
    ours = _ours(bench, count, idle, seconds)
    others: dict[str, Measured | str] = {
        name: _peer(name, measure, bench, count, idle, seconds) for name, measure in PEERS.items()
    }
    yield _figure(
        f"{count} continuous jobs from stopped to running", ours, others, "<= 900 ms",
        lambda one: one.started, milliseconds,
    )  # fmt: skip
    yield _figure(
        f"{count} killed at once: the last is back, later than due", ours, others, "<= 300 ms",
        lambda one: max(one.back), milliseconds,
    )  # fmt: skip
    yield _figure(
        f"{idle} idle: CPU of the engine", ours, others, "<= 3% of a core",
        lambda one: one.cpu, lambda share: f"{share:.1%}",
    )  # fmt: skip
    yield _figure(
        f"{idle} idle: memory for each beside the job (PSS)", ours, others, "<= 1024 KiB",
        lambda one: one.memory, lambda size: f"{size / 1024:.0f} KiB",
    )  # fmt: skip


ROWS = (Row("100 continuous jobs start and restart, 200 idle", 170, many),)
