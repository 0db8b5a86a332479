"""Kudu's JSON documents of WebJobs and runs; fields that Kudu does not know come last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from webjobs.api.links import Links
from webjobs.dotnet import NEVER, duration_text, time_text
from webjobs.models import Copy, Instance, Log, Run, Slot, WebJob
from webjobs.models.setting import slot_engine_settings
from webjobs.scheduler.preview import next_run
from webjobs.states import COPY_ALIVE, CopyStatus, RunStatus

NO_INSTANCE = "No instance is running. Start a worker."


def status_of(run: Run) -> str:
    """Azure's word: there a run that was asked for is being initialized at once."""
    return RunStatus.INITIALIZING if run.status == RunStatus.QUEUED else run.status


@dataclass(frozen=True)
class Loaded:
    """A WebJob with all that its document tells."""

    job: WebJob
    run: Run | None
    copies: Sequence[Copy]  # on live instances, by name


def load(jobs: QuerySet[WebJob], slot: Slot) -> list[Loaded]:
    """The WebJobs of `slot` in the order of `jobs`, with a fixed number of queries."""
    latest = Run.objects.executed().filter(job=OuterRef("pk")).order_by("-number")
    found = list(jobs.select_related("schedule").annotate(latest=Subquery(latest.values("pk")[:1])))
    newest = {job.pk: getattr(job, "latest", None) for job in found}
    wanted = [pk for pk in newest.values() if pk]
    runs = {run.pk: run for run in runs_with_parts(Run.objects.filter(pk__in=wanted))}
    copies = _live_copies([job.pk for job in found if job.is_continuous])
    for job in found:
        job.slot = slot
    return [Loaded(job, runs.get(newest[job.pk] or 0), copies.get(job.pk, [])) for job in found]


def _live_copies(jobs: list[int]) -> dict[int, list[Copy]]:
    """By job, in the order of the instances' names."""
    if not jobs:
        return {}
    live = Instance.objects.live(timezone.now()).in_bulk()
    found: dict[int, list[Copy]] = {}
    for copy in Copy.objects.filter(job__in=jobs, instance__in=list(live)).order_by("pk"):
        copy.instance = live[copy.instance_id]
        found.setdefault(copy.job_id, []).append(copy)
    for copies in found.values():
        copies.sort(key=lambda copy: copy.instance.name)
    return found


# What the document of a run needs beside the run itself.
PARTS = ("has_log", "instance_name", "attempt_before", "attempt_after")


def runs_with_parts(runs: QuerySet[Run]) -> QuerySet[Run]:
    """With PARTS: the last two are the numbers of the attempts before and after it."""
    has_log = Exists(Log.objects.filter(run=OuterRef("pk")))
    return runs.annotate(
        has_log=has_log,
        instance_name=F("instance__name"),
        attempt_before=F("retry_of__number"),
        attempt_after=F("attempts_after__number"),
    )


def _number_text(number: int | None) -> str | None:
    return None if number is None else str(number)


class Documents:
    """Makes the documents of one slot for one request; reads what they share once."""

    def __init__(self, request: HttpRequest, slot: Slot) -> None:
        self.links = Links(request, slot)
        self.now = timezone.now()
        self._engine = slot_engine_settings(slot)
        logs = Log.objects.filter(schedule__job__slot=slot)
        self._scheduler_logs = set(logs.values_list("schedule_id", flat=True))
        self._has_instance = Instance.objects.live(self.now).exists()
        self._positions: dict[int, dict[int, int]] = {}

    def job(self, loaded: Loaded) -> dict[str, Any]:
        """The document of a WebJob of either type."""
        job = loaded.job
        own = self._continuous(loaded) if job.is_continuous else self._triggered(loaded)
        return own | {
            "name": job.name,
            "run_command": job.script,
            "url": self.links.job(job),
            "extra_info_url": self.links.page(job),
            "type": job.type,
            "error": self._error(loaded),
            "using_sdk": False,
            "settings": job.settings_job,
            "next_run": self._next_run(job),
            "reason": self._reason(loaded),
        }

    def jobs(self, loaded: Iterable[Loaded]) -> list[dict[str, Any]]:
        return [self.job(one) for one in loaded]

    def run(self, job: WebJob, run: Run) -> dict[str, Any]:
        """The document of a run; `end_time` is NEVER until it has ended."""
        number = str(run.number)
        ended = run.ended_at if run.is_final else None
        return {
            "id": number,
            "name": number,
            "status": status_of(run),
            "start_time": time_text(run.started_at or run.queued_at),
            "end_time": time_text(ended) or NEVER,
            "duration": duration_text(run.duration(self.now)),
            "output_url": self.links.file(job, number, "output_log.txt")
            if getattr(run, "has_log", False)
            else None,
            "error_url": None,
            "url": self.links.run(job, number),
            "job_name": job.name,
            "trigger": run.trigger_text,
            "exit_code": run.exit_code,
            "arguments": run.arguments,
            "instance": getattr(run, "instance_name", None),
            "reason": run.reason or None,
            "scheduled_for": time_text(run.scheduled_for),
            "attempt": run.attempt,
            "attempts": max(run.attempt, 1 + (job.retry_attempts or 0)),
            "previous_attempt": _number_text(getattr(run, "attempt_before", None)),
            "next_attempt": _number_text(getattr(run, "attempt_after", None)),
            "queue_position": self._position(job, run),
        }

    def _position(self, job: WebJob, run: Run) -> int | None:
        """1 for the run that is next; None when it waits for nobody. One query for each WebJob."""
        if run.status != RunStatus.QUEUED or run.lane is not None:
            return None
        if job.pk not in self._positions:
            waiting = Run.objects.waiting(self.now).filter(job=job).order_by("number")
            keys = waiting.values_list("pk", flat=True)
            self._positions[job.pk] = {pk: place for place, pk in enumerate(keys, 1)}
        return self._positions[job.pk].get(run.pk)

    def _triggered(self, loaded: Loaded) -> dict[str, Any]:
        job, run = loaded.job, loaded.run
        schedule = getattr(job, "schedule", None)
        has_log = schedule is not None and schedule.pk in self._scheduler_logs
        return {
            "latest_run": self.run(job, run) if run else None,
            "history_url": f"{self.links.job(job)}/history",
            "scheduler_logs_url": self.links.file(job, "job_scheduler.log") if has_log else None,
        }

    def _continuous(self, loaded: Loaded) -> dict[str, Any]:
        lines = [f"{copy.instance.short_key} - {copy.status}\r\n" for copy in loaded.copies]
        status = self._status(loaded)
        return {
            "status": status,
            "detailed_status": "".join(lines) or f"none - {status}\r\n",
            "log_url": self.links.file(loaded.job, "job_log.txt"),
        }

    def _status(self, loaded: Loaded) -> str:
        """One status of all copies: of the last one that does not wait for another instance."""
        if loaded.job.is_stopped or self._engine.stopped:
            is_alive = any(copy.status in COPY_ALIVE for copy in loaded.copies)
            return CopyStatus.STOPPING if is_alive else CopyStatus.STOPPED
        active = [c for c in loaded.copies if c.status != CopyStatus.INACTIVE_INSTANCE]
        if active:
            return active[-1].status
        return CopyStatus.INACTIVE_INSTANCE if loaded.copies else CopyStatus.INITIALIZING

    def _error(self, loaded: Loaded) -> str | None:
        """What keeps a continuous WebJob from running."""
        if not loaded.job.is_continuous or loaded.job.is_stopped or self._engine.stopped:
            return None
        if not loaded.copies:
            return None if self._has_instance else NO_INSTANCE
        failing = [c for c in loaded.copies if c.last_error and c.fast_failures]
        return failing[0].last_error if failing else None

    def _reason(self, loaded: Loaded) -> str | None:
        """Why it is in its status: of the last run, or of the copy that `status` shows."""
        if not loaded.job.is_continuous:
            return (loaded.run.reason or None) if loaded.run else None
        active = [c for c in loaded.copies if c.status == self._status(loaded)]
        return (active[-1].reason or None) if active else None

    def _next_run(self, job: WebJob) -> str | None:
        schedule = getattr(job, "schedule", None)
        if schedule is None:
            return None
        return time_text(next_run(schedule, self._engine, self.now))
