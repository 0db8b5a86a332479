"""The triggered runs of this instance: claimed, each in a pool thread, and their wishes."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, close_old_connections, connection, transaction
from django.utils import timezone

from webjobs import housekeeping, outages
from webjobs.engine.execution import Execution, Running
from webjobs.engine.machine import Machine
from webjobs.logs import LogUnavailable, log_of_run
from webjobs.models import Instance, Log, Run
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.reasons import gettext_noop
from webjobs.runner.child import Cause

logger = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_PAUSE = 0.25
# A worker that shuts down waits this long for the database; then its runs are ended by the next
# worker in its place, or by others.
CLOSING_PATIENCE = 20.0
# Rows that say "executing here" are compared with what executes here this often.
COMPARE_EVERY = 10.0
# How long a thread goes on with runs that wait before it looks at the next message.
TURN_SECONDS = 1.0
# Of the runs that wait, so many are looked up at once.
LOOK_AHEAD = 20

_FORGOTTEN = gettext_noop(
    "The engine failed while it executed this run; the worker's own log tells how."
)


_READY = PreparedQuery(
    lambda: (
        Run.objects.ready()
        .filter(pk=Given("pk"))
        .select_related("job__slot__app", "job__package", "job__schedule")
        .defer(
            *("job__slot__publishing_password", "job__package__entries"),
            *("job__package__candidates", "job__package__settings_job"),
        )
    )
)


# Written as SQL because it is asked after every run, nearly always for nothing.
_OLDEST_READY = """
    SELECT id FROM webjobs_run WHERE status = 'Queued' AND lane IS NOT NULL
    ORDER BY queued_at LIMIT %s
"""


class Executor:
    """Executes the triggered runs of this instance; `execute` may be called by many threads."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._running: dict[int, Running] = {}
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._found: deque[int] = deque()
        self._closing = ""
        self._give_up_at = 0.0
        self._compare_at = 0.0

    def execute(self, run_pk: int) -> bool:
        """Execute a run to its end, if it is queued and nobody else has claimed it.

        False when this instance takes nothing new: another one should have it.
        """
        with self._lock:
            if self._closing:
                return False
            if run_pk in self._running:
                return True
            running = self._running[run_pk] = Running()
        try:
            self._execute(run_pk, running)
        except (Error, LogUnavailable) as error:
            outages.database.gone(error)
            logger.warning("Run %s was given up: the database stays away", run_pk)
        finally:
            with self._lock:
                del self._running[run_pk]
            running.close()
        return True

    def execute_with_others(self, run_pk: int) -> int | None:
        """Execute this run, then, for a moment, one after the other of those that wait.

        Returns a run that may still be queued and that another message should bring: this
        instance takes nothing new, or the thread is to look at other messages in between.
        """
        until = time.monotonic() + TURN_SECONDS
        while self.execute(run_pk):
            found = self._next_ready()
            if found is None:
                return None
            run_pk = found
            if time.monotonic() > until:
                break
        return run_pk

    def _next_ready(self) -> int | None:
        """A run that nobody has claimed when we looked: of the oldest, each thread gets another."""
        with self._looking:
            if not self._found:
                try:
                    self._found.extend(pk for pk in _oldest_ready() if pk not in self._running)
                except Error:
                    return None  # The heartbeat finds what is left.
            return self._found.popleft() if self._found else None

    def _execute(self, run_pk: int, running: Running) -> None:
        run = self._insist(lambda: _READY.first(pk=run_pk))
        if run is None:
            return
        while not self._machine.may_run and not self._closing:
            time.sleep(RETRY_PAUSE)  # The database is back, the next heartbeat is about to be.
        # One object for all that follows: a later epoch must not write what this one claimed.
        instance = self._machine.instance
        log = self._insist(lambda: _claim(run, instance))
        if log:
            Execution(self._machine, instance, run, log, running, self._insist).carry_out()

    def apply_wishes(self) -> None:
        """Pass on what people have asked of the runs that execute here."""
        if not self._running and time.monotonic() < self._compare_at:
            return
        self._compare_at = time.monotonic() + COMPARE_EVERY
        with self._lock:
            known = set(self._running)
        held = Run.objects.held_by(self._machine.instance)
        for pk, asked_at, reason in held.values_list("pk", "stop_requested_at", "stop_reason"):
            running = self._running.get(pk)
            # What has ended since the rows were read is not forgotten.
            if running is None and pk not in known:
                housekeeping.abort(pk, held, _FORGOTTEN, timezone.now())
            elif running is not None and asked_at is not None:
                running.ask_stop(Cause.STOPPED, reason)

    def close(self, reason: str, *, kill_now: bool = False) -> None:
        """Ask every run to end; new ones are refused. Returns at once."""
        with self._lock:
            self._closing = reason
            self._give_up_at = time.monotonic() + CLOSING_PATIENCE
            running = list(self._running.values())
        for one in running:
            one.ask_stop(Cause.SHUTDOWN, reason, kill_now=kill_now)

    @property
    def busy(self) -> int:
        """How many runs execute here."""
        return len(self._running)

    def _insist(self, action: Callable[[], T]) -> T:
        """Do it again for as long as the database is away."""
        while True:
            try:
                return action()
            except (Error, LogUnavailable):
                if self._closing and time.monotonic() > self._give_up_at:
                    raise
                if not connection.in_atomic_block:
                    close_old_connections()
            time.sleep(RETRY_PAUSE)


def _oldest_ready() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_READY, [LOOK_AHEAD])
        return [pk for (pk,) in cursor.fetchall()]


def _claim(run: Run, instance: Instance) -> Log | None:
    """Claim the run for this instance and give it a log; None when somebody else has it."""
    with transaction.atomic():
        return log_of_run(run, instance.key) if run.claim(instance, timezone.now()) else None


_current: Executor | None = None


def set_current_executor(executor: Executor | None) -> None:
    """Tell the tasks of this worker process who executes."""
    global _current
    _current = executor


def current_executor() -> Executor:
    """The executor of this worker process; raises RuntimeError outside a worker."""
    if _current is None:
        raise RuntimeError("Runs are executed by a worker; this process is none.")
    return _current
