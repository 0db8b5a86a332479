"""What one beat knows of all schedules, and the heap that says which comes due next."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Iterable
from datetime import datetime

from webjobs.models import EngineSettings
from webjobs.ncrontab import NcrontabError
from webjobs.scheduler import reading, words
from webjobs.scheduler.journal import Journal
from webjobs.scheduler.plan import Plan, Row, make_plan
from webjobs.scheduler.reading import Read
from webjobs.states import Stream
from webjobs.timezones import UnknownTimeZone

# Replaced plans that the heap may hold, beside as many as there are plans.
MAX_STALE = 1000

logger = logging.getLogger(__name__)


class Board:
    """Plans by schedule, and a heap of their next occurrences as seconds since 1970.

    A plan that was replaced stays in the heap until its time comes and is left out then.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[int, Row] = {}
        self._plans: dict[int, Plan] = {}
        self._heap: list[tuple[float, int, Plan]] = []
        self._serial = itertools.count()

    def __len__(self) -> int:
        return len(self._plans)

    def next_time(self) -> float | None:
        """When the next occurrence may come due, in seconds since 1970."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime, limit: int) -> list[Plan]:
        """Up to `limit` plans that are due, oldest first; put or retry every one of them then."""
        moment = now.timestamp()
        due: list[Plan] = []
        while self._heap and self._heap[0][0] <= moment and len(due) < limit:
            plan = heapq.heappop(self._heap)[2]
            if self._plans.get(plan.row.pk) is plan:
                due.append(plan)
        return due

    def put(self, plan: Plan) -> None:
        """Replace what is known of a schedule."""
        self._rows[plan.row.pk] = plan.row
        self._plans[plan.row.pk] = plan
        if plan.next is not None:
            self.retry(plan, plan.next.timestamp())

    def retry(self, plan: Plan, at: float) -> None:
        """Let a plan that was taken come due again at `at`."""
        heapq.heappush(self._heap, (at, next(self._serial), plan))

    def is_current(self, plan: Plan) -> bool:
        return self._plans.get(plan.row.pk) is plan

    def forget_others(self, first: int, last: int | None, pks: set[int]) -> None:
        """Of the keys in (first, last], or behind `first`, only `pks` still exist."""
        known = [pk for pk in self._rows if pk > first and (last is None or pk <= last)]
        for pk in known:
            if pk not in pks:
                self.forget(pk)
        if len(self._heap) > 2 * len(self._plans) + MAX_STALE:
            self._heap = [entry for entry in self._heap if self.is_current(entry[2])]
            heapq.heapify(self._heap)

    def forget(self, pk: int) -> None:
        """A schedule is no more."""
        self._rows.pop(pk, None)
        self._plans.pop(pk, None)

    def learn(self, reads: Iterable[Read], now: datetime) -> None:
        """Bring what is known up to date with rows of the database."""
        changed = [read for read in reads if self._is_news(read, now)]
        engines = {slot_pk: reading.engine_of(slot_pk) for slot_pk in {r.slot_pk for r in changed}}
        for read in changed:
            self._plan(read, engines[read.slot_pk], now)

    def _is_news(self, read: Read, now: datetime) -> bool:
        """Whether the schedule must be planned anew; follows what another beat has fired."""
        row = read.row
        known = self._rows.get(row.pk)
        if read.is_deleted:
            self.forget(row.pk)
            return False
        if known is None or known._replace(last_occurrence=row.last_occurrence) != row:
            return True
        plan = self._plans.get(row.pk)
        if plan is not None and known != row:
            self.put(plan.moved(row, now))
        return False

    def _plan(self, read: Read, engine: EngineSettings | None, now: datetime) -> None:
        row = read.row
        had_plan = self._plans.pop(row.pk, None) is not None
        self._rows[row.pk] = row
        if engine is None:
            logger.warning(
                "Schedule %s does not run: its app's settings cannot be decrypted. "
                "Put the old SECRET_KEY back, or enter the values again.", row.pk,
            )  # fmt: skip
            return
        try:
            plan = make_plan(row, read.slot_pk, engine, now)
        except (NcrontabError, UnknownTimeZone) as error:
            message = words.log_unreadable(row.expression, error)
            self._journal.note(row.pk, message, now, Stream.SYSTEM_ERR)
            plan = None
        if plan is not None:
            self.put(plan)
            self._journal.note(row.pk, _announcement(plan, now), now)
        elif had_plan:
            self._journal.note(row.pk, words.LOG_IDLE if engine.is_idle else words.LOG_REMOVED, now)


def _announcement(plan: Plan, now: datetime) -> str:
    if plan.next is None:
        return words.log_never(plan.crontab.canonical)
    return words.log_scheduling(plan.crontab.canonical, max(plan.next, now) - now)
