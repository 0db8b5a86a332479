"""One beat's work, step by step; the time is always handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import Error as DatabaseError

from webjobs.scheduler import reading, words
from webjobs.scheduler.board import Board
from webjobs.scheduler.firing import Due, Enqueue, Fired, fire
from webjobs.scheduler.journal import Journal
from webjobs.scheduler.plan import Plan, overdue
from webjobs.states import RunStatus, Stream

# Occurrences of one transaction: about 50 ms, so that other writers get their turn.
BATCH = 500
# Seconds between looks at what people changed.
POLL_EVERY = 1.0
# A change is stamped by the clock of the machine that makes it, before its commit. What is later or
# more wrong than this, and rows that are gone, are seen by the sweep.
POLL_OVERLAP = timedelta(seconds=30)
# Moments of change that one look leaves out because it knows them.
MAX_SEEN = 200
# Seconds between the pages of the sweep, which goes over all schedules again and again.
SWEEP_EVERY = 3.0
# A step comes at least this often, so that a clock that was put forward is noticed.
MAX_WAIT = 0.5
# Seconds until a row is tried again that somebody had locked.
RETRY_AFTER = 0.05
# With less time than this until the next occurrence nothing else is begun.
QUIET = 0.1
# Looks come that much sooner while it is quiet, so that none has to be made when something is due.
QUIET_POLL_EVERY = 0.75
# Occurrences that are counted in one batch when many schedules were missed for long (10 µs each),
# and those that are counted of one schedule in any case.
COUNT_BUDGET = 10_000
LEAST_COUNT = 100


class Scheduler:
    """Fires the occurrences of all schedules. Any number of them may work at the same time."""

    def __init__(self, enqueue: Enqueue) -> None:
        self._enqueue = enqueue
        self.journal = Journal()
        self.board = Board(self.journal)
        self._polled_at: datetime | None = None
        self._swept_at: datetime | None = None
        self._swept_to = 0
        # Moments of change, within the overlap, whose rows are known.
        self._seen: set[datetime] = set()

    def step(self, now: datetime) -> float:
        """See changes, fire one batch of what is due; returns seconds until the next step.

        Raises django.db.Error when the database refuses; nothing is lost, call it again.
        """
        self.poll(now)
        dues = self.collect(now)
        if dues:
            self.settle(dues, self.fire(dues, now), now)
        elif self._wait(now) >= QUIET:
            # Not after something was fired: its messages are being sent then.
            self.poll(now, QUIET_POLL_EVERY)
            self.journal.flush()
        return self._wait(now)

    def poll(self, now: datetime, every: float = POLL_EVERY) -> None:
        """Learn what was changed since the last look, if that is so many seconds ago."""
        if self._polled_at is None:
            self.board.learn(reading.everything(), now)
            self._polled_at = self._swept_at = now
        elif not _within(self._polled_at, now, every):
            self._read_changes(min(self._polled_at, now) - POLL_OVERLAP, now)
            if not _within(self._swept_at, now, SWEEP_EVERY):
                self._sweep(now)

    def _sweep(self, now: datetime) -> None:
        """Compare one page of what is known with the database."""
        first = self._swept_to
        reads = reading.page(first)
        last = reads[-1].row.pk if len(reads) == reading.MAX_PKS else None
        self.board.learn(reads, now)
        self.board.forget_others(first, last, {read.row.pk for read in reads})
        self._swept_to = last or 0
        self._swept_at = now

    def _read_changes(self, since: datetime, now: datetime) -> None:
        # All rows of one moment come from one statement, so one of them was not seen alone.
        seen = sorted(moment for moment in self._seen if moment >= since)[-MAX_SEEN:]
        reads = reading.changed_since(since, seen)
        self.board.learn(reads, now)
        self._seen = {*seen, *(read.row.changed_at for read in reads)}
        self._polled_at = now

    def collect(self, now: datetime) -> list[Due]:
        """Take the next batch of what is due from the heap; `settle` must follow."""
        plans = self.board.take_due(now, BATCH)
        limit = max(LEAST_COUNT, COUNT_BUDGET // max(1, len(plans)))
        return [
            Due(plan, overdue(plan.after, plan.next, now, limit))
            for plan in plans
            if plan.next is not None
        ]

    def fire(self, dues: Sequence[Due], now: datetime) -> list[Fired]:
        """Claim a batch and write its entries; puts it back when the database refuses."""
        try:
            return fire(dues, now, self._enqueue)
        except DatabaseError:
            for due in dues:
                self._retry(due.plan, now)
            raise

    def settle(self, dues: Sequence[Due], won: Sequence[Fired], now: datetime) -> None:
        """Plan what was won anew, and find out about the rest."""
        for fired in won:
            plan = replace(fired.due.plan, row=fired.row, next=fired.due.overdue.following)
            self.board.put(plan)
            self._note(fired, plan, now)
        settled = {fired.due.plan.row.pk for fired in won}
        lost = {due.plan.row.pk: due.plan for due in dues if due.plan.row.pk not in settled}
        if lost:
            self._look_again(lost, now)

    def _look_again(self, lost: dict[int, Plan], now: datetime) -> None:
        """Another beat has fired them, or somebody is changing them or has."""
        try:
            reads = reading.these(lost)
        except DatabaseError:
            for plan in lost.values():
                self._retry(plan, now)
            raise
        self.board.learn(reads, now)
        for pk in lost.keys() - {read.row.pk for read in reads}:
            self.board.forget(pk)
        for plan in lost.values():
            if self.board.is_current(plan):
                self._retry(plan, now)

    def _retry(self, plan: Plan, now: datetime) -> None:
        self.board.retry(plan, now.timestamp() + RETRY_AFTER)

    def _wait(self, now: datetime) -> float:
        following = self.board.next_time()
        if following is None:
            return MAX_WAIT
        return min(MAX_WAIT, max(0.0, following - now.timestamp()))

    def _note(self, fired: Fired, plan: Plan, now: datetime) -> None:
        pk = plan.row.pk
        for entry in fired.entries:
            if entry.status == RunStatus.QUEUED:
                message = words.LOG_QUEUED if entry.lane is None else words.LOG_INVOKED
                self.journal.note(pk, message, now)
            elif entry.status == RunStatus.SKIPPED:
                message = words.log_not_invoked(entry.reason)
                self.journal.note(pk, message, now, Stream.SYSTEM_WARN)
            else:
                message = words.log_missed(fired.due.overdue, plan.zone)
                self.journal.note(pk, message, now, Stream.SYSTEM_WARN)
        if plan.next is not None:
            self.journal.note(pk, words.log_next(plan.next - now), now)


def _within(moment: datetime | None, now: datetime, seconds: float) -> bool:
    """Whether `moment` is less than this long ago, by a clock that may jump."""
    return moment is not None and abs((now - moment).total_seconds()) < seconds
