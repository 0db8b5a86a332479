"""Triggered runs: how soon they begin and end, and how many at once."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from tests.bench.site import Bench, Site, wait_final, wait_for
from tests.bench.table import NOTHING, Figure, NotMeasured, Row, milliseconds, times
from webjobs import logs
from webjobs.models import Log, Run, WebJob
from webjobs.states import JobType, RunStatus, Stream

# Bash fills it in without starting a program.
CLOCK = 'echo "$EPOCHREALTIME"\n'
CONNECTIONS = 16
SPAWNS = 300


def _first_line(run: Run) -> float:
    """The clock that the job printed."""
    text = b"".join(logs.raw(Log.objects.get(run=run), Stream.OUT))
    return float(text.split(b"\n")[0].replace(b",", b"."))


def _raw_seconds(script: Path, times: int) -> tuple[float, float]:
    """Median seconds from the start of the script, without a portal, to its first line and end."""
    first, ended = [], []
    for _ in range(times):
        asked = time.time()
        done = subprocess.run(["bash", script], capture_output=True, check=True)
        ended.append(time.time() - asked)
        first.append(float(done.stdout.replace(b",", b".")) - asked)
    return statistics.median(first), statistics.median(ended)


def latency(bench: Bench) -> Iterator[Figure]:
    site, count = bench.site("latency"), bench.count(30)
    job, client = site.upload(JobType.TRIGGERED, "clock", CLOCK), site.client()
    first, recorded = [], []
    for _ in range(count):
        asked = time.time()
        run = site.run(client, job)
        wait_final([run])
        recorded.append(time.time() - asked)
        first.append(_first_line(run) - asked)
    script = bench.folder / "clock.sh"
    script.write_text(CLOCK)
    raw = _raw_seconds(script, count)
    ours = statistics.median(first), statistics.median(recorded)
    names = "run now to the job's first line", "run now to recorded complete"
    for name, mine, bare, aim in zip(names, ours, raw, ("60 ms", "90 ms"), strict=True):
        yield Figure(
            f"{name} (median of {count})", milliseconds(mine), f"bash alone {milliseconds(bare)}",
            times(mine, bare), f"<= {aim}",
        )  # fmt: skip


def _spawns_a_second() -> float:
    """How often this machine starts a shell and waits for its end, one after the other."""
    begun = time.perf_counter()
    for _ in range(SPAWNS):
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "true"], {})
        os.waitpid(pid, 0)
    return SPAWNS / (time.perf_counter() - begun)


def _ask(site: Site, jobs: list[WebJob]) -> None:
    """Over one connection, with as little work of our own as it takes: we share the cores."""
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        answers = connection.makefile("rb")
        for job in jobs:
            path = site.path(JobType.TRIGGERED, job.name, "/run")
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n"
            connection.sendall(f"{head}Authorization: {site.authorization}\r\n\r\n".encode())
            status = answers.readline()
            assert b" 202 " in status, status
            while answers.readline().strip():
                pass  # Headers; there is no body.


def _burst_seconds(site: Site, jobs: list[WebJob]) -> float:
    """How long it takes to run each of `jobs`, all asked for at once, until all are recorded."""
    shares = [list(islice(jobs, start, None, CONNECTIONS)) for start in range(CONNECTIONS)]
    runs = Run.objects.filter(job__slot=site.slot)
    before = runs.count()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        begun = time.perf_counter()
        list(pool.map(_ask, [site] * CONNECTIONS, shares))
        wait_for(
            lambda: not runs.active().exists(), 60, lambda: f"{runs.active().count()} run", 0.01
        )
        seconds = time.perf_counter() - begun
    good = runs.filter(status=RunStatus.SUCCESS, log__is_complete=True).count() - before
    if good != len(jobs):
        raise NotMeasured(f"only {good} of {len(jobs)} runs were recorded with their logs")
    return seconds


def burst(bench: Bench) -> Iterator[Figure]:
    """Once with new WebJobs, whose files are unpacked meanwhile; then as all runs but the first."""
    site, count = bench.site("burst"), bench.count(200)
    jobs = site.copies_of(site.upload(JobType.TRIGGERED, "nothing", "true\n"), count)
    what, aim = f"{count} no-op shell runs at once over the API", ">= 100 runs/s, >= 12%"
    for which, often, aims in (("each WebJob's first", 1, NOTHING), ("median of 3", 3, aim)):
        measured = [(_burst_seconds(site, jobs), _spawns_a_second()) for _ in range(often)]
        rate = count / statistics.median(seconds for seconds, _ in measured)
        raw = statistics.median(spawns for _, spawns in measured)
        yield Figure(
            f"{what} ({which})", f"{rate:.0f} runs/s", f"fork+exec+wait {raw:.0f}/s",
            f"{rate / raw:.0%}", aims,
        )  # fmt: skip


ROWS = (
    Row("run now to first line and to complete", 40, latency),
    Row("200 runs at once", 40, burst),
)
