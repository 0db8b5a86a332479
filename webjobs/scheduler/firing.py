"""Turning due occurrences into history entries: one transaction for many schedules.

Whoever reads a schedule's row under lock as it knew it has won its occurrence; the row moves on in
the same transaction, and the unique constraint of (job, scheduled_for) stands behind that. So any
number of beats may do this at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from webjobs.models import Run, Schedule, WebJob
from webjobs.models.queueing import CannotQueue, LaneHeld, insert_run
from webjobs.models.run import run_number
from webjobs.scheduler import words
from webjobs.scheduler.plan import Overdue, Plan, Row
from webjobs.states import RunStatus, Trigger

Enqueue = Callable[[Sequence[int]], None]
LANE = 0


class Due(NamedTuple):
    """A schedule with overdue occurrences."""

    plan: Plan
    overdue: Overdue


class Fired(NamedTuple):
    """The occurrences of one schedule that this beat has won, and the history entries."""

    due: Due
    entries: list[Run]

    @property
    def row(self) -> Row:
        """The schedule as the database has it now."""
        return self.due.plan.row._replace(last_occurrence=self.due.overdue.latest)


class _Job(NamedTuple):
    package_id: int
    script: str
    active: int | None  # the number of the run that is active


def fire(dues: Sequence[Due], now: datetime, enqueue: Enqueue) -> list[Fired]:
    """Claim what is due and write its history entries; returns what was won.

    `enqueue` gets the keys of queued runs after the commit. What is missing in the answer was
    fired by another beat, has changed, or is being changed at this moment.
    """
    with transaction.atomic():
        jobs = _lock_jobs([due.plan.row.job_id for due in dues])
        rows = _lock_rows([due.plan.row.pk for due in dues])
        won = [
            Fired(due, _entries(due, jobs[due.plan.row.job_id], now))
            for due in dues
            if due.plan.row.job_id in jobs and rows.get(due.plan.row.pk) == due.plan.row
        ]
        _move_on(won)
        _insert([entry for fired in won for entry in fired.entries])
        queued = [entry.pk for fired in won for entry in fired.entries if entry.lane is not None]
        if queued:
            transaction.on_commit(lambda: enqueue(queued))
    return won


def _lock_jobs(pks: Sequence[int]) -> dict[int, _Job]:
    """The WebJobs that exist and that nobody is changing or starting right now."""
    # Never waits for a lock while it holds others, so it cannot deadlock with anybody.
    locked = WebJob.objects.living().select_for_update(skip_locked=True, no_key=True)
    jobs = list(locked.filter(pk__in=pks).values_list("pk", "package_id", "script"))
    # After the lock: now nobody can begin a run by hand.
    active = dict(Run.objects.filter(job__in=pks, lane=LANE).values_list("job_id", "number"))
    return {pk: _Job(package_id, script, active.get(pk)) for pk, package_id, script in jobs}


def _lock_rows(pks: Sequence[int]) -> dict[int, Row]:
    locked = Schedule.objects.select_for_update(skip_locked=True, no_key=True)
    found = locked.filter(pk__in=pks).values_list(*Row._fields)
    return {values[0]: Row._make(values) for values in found}


def _move_on(won: Sequence[Fired]) -> None:
    by_moment: dict[datetime, list[int]] = defaultdict(list)
    for fired in won:
        by_moment[fired.due.overdue.latest].append(fired.due.plan.row.pk)
    for moment, pks in by_moment.items():
        Schedule.objects.filter(pk__in=pks).update(last_occurrence=moment)


def _entries(due: Due, job: _Job, now: datetime) -> list[Run]:
    """The history entries that the overdue occurrences of one schedule become."""
    plan, overdue = due
    if now - overdue.first > plan.grace:
        return [_missed(due, job, now, words.missed(overdue, plan.zone))]
    entries = []
    if overdue.count > 1:
        entries.append(_missed(due, job, now, words.caught_up(overdue, plan.zone)))
    entry = _entry(plan, job, now, overdue.latest)
    entry.number += len(entries)
    if plan.engine.stopped:
        _skip(entry, now, words.STOPPED)
    elif job.active is not None:
        _skip(entry, now, words.still_running(job.active, overdue.latest, plan.zone))
    return [*entries, entry]


def _entry(plan: Plan, job: _Job, now: datetime, occurrence: datetime) -> Run:
    return Run(
        job_id=plan.row.job_id,
        number=run_number(now),
        status=RunStatus.QUEUED,
        trigger=Trigger.SCHEDULE,
        trigger_text=f"Schedule - {plan.crontab.canonical}"[:512],
        package_id=job.package_id,
        script=job.script,
        scheduled_for=occurrence,
        queued_at=now,
        lane=LANE,
    )


def _missed(due: Due, job: _Job, now: datetime, reason: str) -> Run:
    entry = _entry(due.plan, job, now, due.overdue.first)
    _end(entry, RunStatus.MISSED, now, reason)
    return entry


def _skip(entry: Run, now: datetime, reason: str) -> None:
    _end(entry, RunStatus.SKIPPED, now, reason)


def _end(entry: Run, status: RunStatus, now: datetime, reason: str) -> None:
    entry.status, entry.lane, entry.ended_at, entry.reason = status, None, now, reason


def _insert(entries: Sequence[Run]) -> None:
    try:
        with transaction.atomic():
            Run.objects.bulk_create(entries)
    except IntegrityError:
        # At least one has no place as it is; find out which.
        for entry in entries:
            _insert_one(entry)


def _insert_one(entry: Run) -> None:
    """Insert one entry; without a lane when it had none left, not at all when it is there."""
    entry.pk = None
    try:
        insert_run(entry)
    except LaneHeld:
        _skip(entry, entry.queued_at, words.LANE_TAKEN)
        insert_run(entry)
    except CannotQueue:
        entry.lane = None
