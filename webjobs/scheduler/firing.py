"""Turning due occurrences into history entries: one transaction for many schedules.

Whoever reads a schedule's row under lock as it knew it has won its occurrence; the row moves on in
the same transaction, and the unique constraint of (job, scheduled_for) stands behind that. So any
number of beats may do this at once.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from webjobs.models import App, Run, Schedule, Slot, WebJob
from webjobs.models.lanes import lowest_free
from webjobs.models.queueing import CannotQueue, LaneHeld, insert_run, insert_runs
from webjobs.models.run import run_number
from webjobs.scheduler import words
from webjobs.scheduler.plan import Overdue, Plan, Row
from webjobs.states import RunStatus, SlotHold, Trigger

Enqueue = Callable[[Sequence[int]], None]

logger = logging.getLogger(__name__)


class Due(NamedTuple):
    """A schedule with overdue occurrences."""

    plan: Plan
    overdue: Overdue


class Job(NamedTuple):
    """What a run takes over from its WebJob, and what place there is for it."""

    pk: int
    package_id: int
    script: str
    lane: int | None  # the free one
    oldest: int  # the number of the oldest run that is in progress; 0: there is none
    lanes: int
    queue_room: int  # how many may wait
    waiting: int
    may_wait: bool = False  # for the end of a swap, with what could start at once without it
    app: App | None = None  # when it has idled

    def was_idle(self, moment: datetime) -> bool:
        """Whether nobody could start it then because its app was idle."""
        return self.app is not None and self.app.slept_through(moment)


class Entry(NamedTuple):
    """What becomes of an occurrence in the history of its WebJob."""

    status: RunStatus
    scheduled_for: datetime
    reason: str = ""
    lane: int | None = None


class Fired(NamedTuple):
    """The occurrences of one schedule that this beat has won, and their history entries."""

    due: Due
    job: Job
    entries: list[Entry]

    @property
    def row(self) -> Row:
        """The schedule as the database has it now."""
        return self.due.plan.row._replace(last_occurrence=self.due.overdue.latest)


def fire(dues: Sequence[Due], now: datetime, enqueue: Enqueue) -> list[Fired]:
    """Claim what is due and write its history entries; returns what was won.

    `enqueue` gets the keys of queued runs after the commit. What is missing in the answer was
    fired by another beat, has changed, or is being changed at this moment.
    """
    with transaction.atomic():
        jobs = _lock_jobs([due.plan.row.job_id for due in dues], now)
        rows = _lock_rows([due.plan.row.pk for due in dues])
        won = [
            Fired(due, job, _entries(due, job, now))
            for due in dues
            if (job := jobs.get(due.plan.row.job_id)) and rows.get(due.plan.row.pk) == due.plan.row
        ]
        _move_on(won)
        queued = _insert(won, now)
        if queued:
            transaction.on_commit(lambda: enqueue(queued))
    return won


def _lock_jobs(pks: Sequence[int], now: datetime) -> dict[int, Job]:
    """The WebJobs that exist and that nobody is changing or starting right now."""
    # Never waits for a lock while it holds others, so it cannot deadlock with anybody.
    locked = WebJob.objects.living().select_for_update(skip_locked=True, no_key=True)
    columns = ("slot_id", "package_id", "script", "concurrency", "max_parallel", "queue_limit")
    jobs = list(locked.filter(pk__in=pks).only(*columns))
    # After the lock: now nobody can begin a run by hand.
    held: dict[int, dict[int | None, int]] = defaultdict(dict)
    active = Run.objects.filter(job__in=pks, lane__isnull=False)
    for job_pk, lane, number in active.values_list("job_id", "lane", "number"):
        held[job_pk][lane] = number
    special = {slot.pk: slot for slot in Slot.objects.special()}
    with_queue = [job.pk for job in jobs if job.queue_room]
    waiting = _count_waiting(with_queue, now) if with_queue else {}
    found = {job.pk: _job(job, held[job.pk], waiting.get(job.pk, 0)) for job in jobs}
    for job in jobs:
        if slot := special.get(job.slot_id):
            found[job.pk] = _in_special_slot(job, found[job.pk], slot)
    return found


def _in_special_slot(job: WebJob, found: Job, slot: Slot) -> Job:
    """While its slot is being swapped, what finds a place is queued without a lane."""
    found = found._replace(app=slot.app)
    if slot.hold == SlotHold.NONE:
        return found
    active = Run.objects.active().filter(job=job).count()
    return found._replace(lane=None, may_wait=active < found.lanes + found.queue_room)


def _count_waiting(pks: Sequence[int], now: datetime) -> dict[int, int]:
    return Counter(Run.objects.waiting(now).filter(job__in=pks).values_list("job_id", flat=True))


def _job(job: WebJob, held: dict[int | None, int], waiting: int) -> Job:
    return Job(
        pk=job.pk,
        package_id=job.package_id,
        script=job.script,
        # What waits already goes first.
        lane=None if waiting else lowest_free(set(held), job.lanes),
        oldest=min(held.values(), default=0),
        lanes=job.lanes,
        queue_room=job.queue_room,
        waiting=waiting,
    )


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


def _entries(due: Due, job: Job, now: datetime) -> list[Entry]:
    """The history entries that the overdue occurrences of one schedule become."""
    plan, overdue = due
    if now - overdue.first > plan.grace:
        reason = words.missed(overdue, plan.zone, was_idle=job.was_idle(overdue.first))
        return [Entry(RunStatus.MISSED, overdue.first, reason)]
    entries = []
    if overdue.count > 1:
        reason = words.caught_up(overdue, plan.zone, was_idle=job.was_idle(overdue.first))
        entries.append(Entry(RunStatus.MISSED, overdue.first, reason))
    if plan.engine.stopped:
        entries.append(Entry(RunStatus.SKIPPED, overdue.latest, words.STOPPED))
    elif job.lane is not None or job.may_wait or job.waiting < job.queue_room:
        entries.append(Entry(RunStatus.QUEUED, overdue.latest, lane=job.lane))
    else:
        reason = _why_no_place(job, overdue.latest, plan.zone)
        entries.append(Entry(RunStatus.SKIPPED, overdue.latest, reason))
    return entries


def _why_no_place(job: Job, moment: datetime, zone: ZoneInfo) -> str:
    if job.queue_room:
        return words.queue_full(job.waiting, moment, zone)
    if job.lanes > 1:
        return words.all_busy(job.lanes, moment, zone)
    return words.still_running(job.oldest, moment, zone)


_COLUMNS = (
    "job_id", "package_id", "script", "trigger_text", "number",
    "status", "scheduled_for", "lane", "ended_at", "reason",
)  # fmt: skip


def _insert(won: Sequence[Fired], now: datetime) -> list[int]:
    """Write all entries; returns the keys of those that are queued."""
    first = run_number(now)
    rows = [row for fired in won for row in _rows(fired, now, first)]
    template = Run(trigger=Trigger.SCHEDULE, queued_at=now)
    try:
        keys: list[int | None] = [*insert_runs(template, _COLUMNS, rows)]
    except IntegrityError:
        # At least one has no place as it is; find out which.
        keys = [_insert_one(template, row) for row in rows]
    lane = _COLUMNS.index("lane")
    return [key for key, row in zip(keys, rows, strict=True) if key and row[lane] is not None]


def _rows(fired: Fired, now: datetime, first: int) -> Iterator[tuple[Any, ...]]:
    """The entries of one schedule as values of _COLUMNS."""
    job, text = fired.job, f"Schedule - {fired.due.plan.crontab.canonical}"[:512]
    for number, entry in enumerate(fired.entries, first):
        is_queued = entry.status == RunStatus.QUEUED
        yield (
            job.pk, job.package_id, job.script, text, number,
            entry.status, entry.scheduled_for, entry.lane,
            None if is_queued else now, entry.reason,
        )  # fmt: skip


def _insert_one(template: Run, row: tuple[Any, ...]) -> int | None:
    """Insert one entry: under another number, as skipped, or, when it is there, not at all."""
    run = Run(trigger=template.trigger, queued_at=template.queued_at)
    for name, value in zip(_COLUMNS, row, strict=True):
        setattr(run, name, value)
    try:
        return insert_run(run).pk
    except LaneHeld:
        run.status, run.lane, run.ended_at = RunStatus.SKIPPED, None, run.queued_at
        run.reason = words.LANE_TAKEN
        insert_run(run)
    except CannotQueue:
        logger.warning("Occurrence %s of WebJob %s has its entry", run.scheduled_for, run.job_id)
    return None
