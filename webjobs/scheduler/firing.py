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

from webjobs.models import App, Run, Schedule, Slot
from webjobs.models.lanes import lowest_free
from webjobs.models.prepared import Among, PreparedQuery, PreparedRows, PreparedUpdate
from webjobs.models.queueing import CannotQueue, LaneHeld, insert_run, insert_runs
from webjobs.models.run import run_number
from webjobs.models.webjob import lanes_of, queue_room_of
from webjobs.scheduler import words
from webjobs.scheduler.plan import Overdue, Plan, Row
from webjobs.states import RunStatus, SlotHold, Trigger

Enqueue = Callable[[Sequence[int]], None]
Insert = Callable[[Sequence["Fired"], datetime], list[int]]

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
    try:
        return _fire(dues, now, enqueue, _insert)
    except IntegrityError:
        # At least one has no place as it is, and nothing was written; find out which.
        return _fire(dues, now, enqueue, _insert_each)


def _fire(dues: Sequence[Due], now: datetime, enqueue: Enqueue, insert: Insert) -> list[Fired]:
    with transaction.atomic():
        rows, jobs = _lock(dues, now)
        won = [
            Fired(due, job, _entries(due, job, now))
            for due in dues
            if (job := jobs.get(due.plan.row.job_id)) and rows.get(due.plan.row.pk) == due.plan.row
        ]
        _move_on(won)
        queued = insert(won, now)
        if queued:
            transaction.on_commit(lambda: enqueue(queued))
    return won


_JOB = ("slot_id", "package_id", "script", "concurrency", "max_parallel", "queue_limit")
# Never waits for a lock while it holds others, so it cannot deadlock with anybody. Locks the rows
# of both tables.
_LOCKED = PreparedRows(
    lambda: (
        Schedule.objects.live()
        .filter(Among("pk", "pks"))
        .select_for_update(skip_locked=True, no_key=True)
        .values_list(*Row._fields, *(f"job__{name}" for name in _JOB))
    )
)
_ACTIVE = PreparedRows(
    lambda: (
        Run.objects.filter(Among("job_id", "jobs"), lane__isnull=False)
        .order_by()
        .values_list("job_id", "lane", "number")
    )
)
_SPECIAL = PreparedQuery(lambda: Slot.objects.special())
_MOVE_ON = PreparedUpdate(lambda: Schedule.objects.filter(Among("pk", "pks")), "last_occurrence")


def _lock(dues: Sequence[Due], now: datetime) -> tuple[dict[int, Row], dict[int, Job]]:
    """Schedules, and WebJobs by their keys, that exist and that nobody is changing or starting."""
    size = len(Row._fields)
    found = _LOCKED.all(pks=[due.plan.row.pk for due in dues])
    rows = {values[0]: Row._make(values[:size]) for values in found}
    jobs = {values[1]: values[size:] for values in found}
    # After the lock: now nobody can begin a run by hand.
    held: dict[int, dict[int | None, int]] = defaultdict(dict)
    for job, lane, number in _ACTIVE.all(jobs=jobs):
        held[job][lane] = number
    with_queue = [pk for pk, values in jobs.items() if queue_room_of(values[3], values[5])]
    waiting = _count_waiting(with_queue, now) if with_queue else {}
    special = {slot.pk: slot for slot in _SPECIAL.all()}
    return rows, {
        pk: _in_slot(special.get(values[0]), _job(pk, values, held[pk], waiting.get(pk, 0)))
        for pk, values in jobs.items()
    }


def _in_slot(slot: Slot | None, found: Job) -> Job:
    """While its slot is being swapped, what finds a place is queued without a lane."""
    if slot is None:
        return found
    found = found._replace(app=slot.app)
    if slot.hold == SlotHold.NONE:
        return found
    active = Run.objects.active().filter(job=found.pk).count()
    return found._replace(lane=None, may_wait=active < found.lanes + found.queue_room)


def _count_waiting(pks: Sequence[int], now: datetime) -> dict[int, int]:
    return Counter(Run.objects.waiting(now).filter(job__in=pks).values_list("job_id", flat=True))


def _job(pk: int, values: Sequence[Any], held: dict[int | None, int], waiting: int) -> Job:
    _, package, script, concurrency, max_parallel, queue_limit = values
    lanes = lanes_of(concurrency, max_parallel)
    return Job(
        pk=pk,
        package_id=package,
        script=script,
        # What waits already goes first.
        lane=None if waiting else lowest_free(set(held), lanes),
        oldest=min(held.values(), default=0),
        lanes=lanes,
        queue_room=queue_room_of(concurrency, queue_limit),
        waiting=waiting,
    )


def _move_on(won: Sequence[Fired]) -> None:
    by_moment: dict[datetime, list[int]] = defaultdict(list)
    for fired in won:
        by_moment[fired.due.overdue.latest].append(fired.due.plan.row.pk)
    for moment, pks in by_moment.items():
        _MOVE_ON(pks=pks, last_occurrence=moment)


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
_LANE = _COLUMNS.index("lane")


def _insert(won: Sequence[Fired], now: datetime) -> list[int]:
    """Write all entries; returns the keys of those that are queued. Raises IntegrityError."""
    rows = _all_rows(won, now)
    keys = insert_runs(_template(now), _COLUMNS, rows)
    return [key for key, row in zip(keys, rows, strict=True) if row[_LANE] is not None]


def _insert_each(won: Sequence[Fired], now: datetime) -> list[int]:
    """The same one after the other, for a batch in which one has no place as it is."""
    rows = _all_rows(won, now)
    keys = [_insert_one(_template(now), row) for row in rows]
    return [key for key, row in zip(keys, rows, strict=True) if key and row[_LANE] is not None]


def _template(now: datetime) -> Run:
    return Run(trigger=Trigger.SCHEDULE, queued_at=now)


def _all_rows(won: Sequence[Fired], now: datetime) -> list[tuple[Any, ...]]:
    first = run_number(now)
    return [row for fired in won for row in _rows(fired, now, first)]


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


def _insert_one(run: Run, row: tuple[Any, ...]) -> int | None:
    """Insert one entry: under another number, as skipped, or, when it is there, not at all."""
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
