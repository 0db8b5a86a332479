"""The files that Kudu has below `data/jobs/`, made from the log store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from webjobs.api.documents import status_of
from webjobs.dotnet import time_text
from webjobs.models import Copy, Log, Run, Slot, WebJob
from webjobs.states import CopyStatus, JobType

# Newest first; nobody pages through folders.
MAX_RUNS = 1000
_ROOT = "/home"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    """A log, or (`log` None) a small text."""

    path: str
    name: str
    at: datetime
    log: Log | None = None
    text: bytes = b""

    @property
    def size(self) -> int:
        return self.log.size if self.log else len(self.text)

    @property
    def is_complete(self) -> bool:
        return self.log is None or self.log.is_complete


@dataclass(frozen=True)
class Folder:
    """A folder whose content is looked up when it is wanted."""

    path: str
    name: str
    at: datetime = _LONG_AGO
    nodes: Callable[[], list[Node]] = field(default=list)
    # Finds one by its name, where there may be very many.
    child: Callable[[str], Node | None] | None = None


Node: TypeAlias = File | Folder


def find(slot: Slot, path: str) -> Node | None:
    """The file or folder at `path`, below the slot's root; case does not matter."""
    node: Node = Folder(_ROOT, "", nodes=lambda: _top(slot))
    for part in path.strip("/").split("/"):
        if not part:
            continue
        if not isinstance(node, Folder):
            return None
        found = _child(node, part)
        if found is None:
            return None
        node = found
    return node


def _child(folder: Folder, name: str) -> Node | None:
    if folder.child and (found := folder.child(name)):
        return found
    return next((node for node in folder.nodes() if node.name.lower() == name.lower()), None)


def _top(slot: Slot) -> list[Node]:
    jobs = Folder(f"{_ROOT}/data/jobs", "jobs", nodes=lambda: [_type(slot, t) for t in JobType])
    return [Folder(f"{_ROOT}/data", "data", nodes=lambda: [jobs])]


def _type(slot: Slot, type: JobType) -> Folder:
    path = f"{_ROOT}/data/jobs/{type}"
    jobs = WebJob.objects.living().filter(slot=slot, type=type)

    def nodes() -> list[Node]:
        return [_job(job, f"{path}/{job.name}") for job in jobs]

    def child(name: str) -> Node | None:
        job = None if "\0" in name else jobs.filter(name__iexact=name).first()
        return _job(job, f"{path}/{job.name}") if job else None

    return Folder(path, type, nodes=nodes, child=child)


def _job(job: WebJob, path: str) -> Folder:
    if job.is_continuous:
        return Folder(path, job.name, job.updated_at, lambda: _continuous(job, path))

    def child(name: str) -> Node | None:
        is_number = name.isascii() and name.isdecimal() and len(name) <= 18
        runs = Run.objects.filter(job=job).select_related("log")
        run = runs.filter(number=int(name)).first() if is_number else None
        return _run(run, f"{path}/{run.number}") if run else None

    return Folder(path, job.name, job.updated_at, lambda: _triggered(job, path), child)


def _triggered(job: WebJob, path: str) -> list[Node]:
    nodes: list[Node] = []
    log = Log.objects.filter(schedule__job=job).first()
    if log is not None:
        nodes.append(File(f"{path}/job_scheduler.log", "job_scheduler.log", log.created_at, log))
    runs = Run.objects.filter(job=job).select_related("log").order_by("-number")
    return nodes + [_run(run, f"{path}/{run.number}") for run in runs[:MAX_RUNS]]


def _run(run: Run, path: str) -> Folder:
    at = run.ended_at or run.started_at or run.queued_at

    def nodes() -> list[Node]:
        files: list[Node] = [File(f"{path}/status", "status", at, text=_status_text(run))]
        log = getattr(run, "log", None)
        if log is not None:
            files.insert(0, File(f"{path}/output_log.txt", "output_log.txt", at, log))
        return files

    return Folder(path, str(run.number), at, nodes)


def _status_text(run: Run) -> bytes:
    """Kudu's `status` file."""
    values = {
        "Trigger": run.trigger_text,
        "Status": status_of(run),
        "StartTime": time_text(run.started_at or run.queued_at),
        "EndTime": time_text(run.ended_at),
    }
    return json.dumps({name: value for name, value in values.items() if value}).encode()


def _continuous(job: WebJob, path: str) -> list[Node]:
    """`job_log.txt` is the log of one instance: of the first that does not stand by."""
    copies = Copy.objects.filter(job=job).select_related("instance", "log")
    with_log = [(copy, log) for copy in copies if (log := getattr(copy, "log", None))]
    nodes: list[Node] = [
        _copy_log(path, f"job_log_{copy.instance.short_key}.txt", copy, log)
        for copy, log in with_log
    ]
    if with_log:
        copy, log = min(with_log, key=lambda pair: _rank(pair[0]))
        nodes.insert(0, _copy_log(path, "job_log.txt", copy, log))
    return nodes


def _rank(copy: Copy) -> tuple[bool, bool, str]:
    is_gone = copy.instance.stopped_at is not None or copy.instance.lost_at is not None
    return is_gone, copy.status == CopyStatus.INACTIVE_INSTANCE, copy.instance.name


def _copy_log(path: str, name: str, copy: Copy, log: Log) -> File:
    return File(f"{path}/{name}", name, copy.changed_at, log)
