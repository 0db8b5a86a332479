"""A million lines: recorded, and served again byte for byte."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.bench.site import Bench, wait_final
from tests.bench.table import Figure, NotMeasured, Row
from webjobs.states import JobType

MIB = 1024 * 1024
SAMPLE_EVERY = 0.1


class _Peak:
    """The most memory that a process has held while it is watched, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stopping = threading.Event()
        self.before = self.most = process.memory_info().rss

    def _sample(self) -> None:
        while not self._stopping.wait(SAMPLE_EVERY):
            self.most = max(self.most, self._process.memory_info().rss)

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()


def million(bench: Bench) -> Iterator[Figure]:
    count = bench.count(1_000_000)
    # 100 bytes each, all different, so that a lost or doubled one changes the hash.
    script = f"seq -f '%099.0f' {count}\n"
    site = bench.site("million")
    job = site.upload(JobType.TRIGGERED, "lines", script)
    client, page = site.client(), bench.signed_in()
    bare, expected = _to_file(bench, script)
    peak = _Peak(bench.worker())
    with peak.watched():
        begun = time.perf_counter()
        run = site.run(client, job)
        wait_final([run])
        recorded = time.perf_counter() - begun
        log = f"/apps/{site.name}/history/triggered/{job.name}/runs/{run.number}/log.txt?raw=out"
        served = hashlib.sha256(page.get(log)).hexdigest()
        whole = time.perf_counter() - begun
    if served != expected:
        raise NotMeasured("what was served differs from what the job printed")
    limit = 2 * bare + 0.5
    yield Figure(
        f"{count:,} lines of 100 bytes recorded and wholly served",
        f"{whole:.2f} s ({recorded:.2f} s recorded), same SHA-256",
        f"job > file {bare:.2f} s",
        f"{whole / bare:.1f}x",
        f"<= 2x + 0.5 s = {limit:.2f} s",
    )
    more = (peak.most - peak.before) / MIB
    yield Figure("memory of the worker meanwhile", f"+{more:.0f} MiB", aim="< +40 MiB")


def _to_file(bench: Bench, script: str) -> tuple[float, str]:
    """Seconds and SHA-256 of `job > file`."""
    source, target = bench.folder / "lines.sh", bench.folder / "lines"
    source.write_text(script)
    with target.open("wb") as file:
        begun = time.perf_counter()
        subprocess.run(["bash", source], stdout=file, check=True)
        seconds = time.perf_counter() - begun
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target.unlink()
    return seconds, digest


ROWS = (Row("1,000,000 lines recorded and served", 90, million),)
