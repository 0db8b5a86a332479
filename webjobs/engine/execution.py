"""The execution of one run: claim, prepare, process, log, end. One pool thread per run."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, close_old_connections, connection, transaction
from django.utils import timezone

from webjobs import housekeeping, outages
from webjobs.endings import RUN_AGAIN, conclude
from webjobs.engine.machine import CannotStart, Machine, NotAllowed, Prepared, lease_of_runs
from webjobs.logs import LogUnavailable, LogWriter, log_of_run
from webjobs.models import Instance, Log, Run
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.reasons import gettext_noop
from webjobs.runner.child import Cause, Child, End, Limits
from webjobs.states import RetryOn, RunStatus, Stream

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
_STOPPED = gettext_noop("WEBJOBS_STOPPED is set to 1. Nothing was started.")
_SUCCESS = gettext_noop("The process ended with exit code 0.")


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


@dataclass
class _Running:
    """What other threads may do to an execution: leave a wish and wake it."""

    wake_read: int = -1
    wake_write: int = -1
    stop: tuple[Cause, str] | None = None
    kill_now: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)

    def ask_stop(self, cause: Cause, reason: str, *, kill_now: bool = False) -> None:
        with self.lock:
            self.stop = self.stop or (cause, reason)
            self.kill_now = self.kill_now or kill_now
            if self.wake_write >= 0:
                with contextlib.suppress(BlockingIOError):  # Full: it will wake anyway.
                    os.write(self.wake_write, b"!")

    def close(self) -> None:
        with self.lock:
            os.close(self.wake_read)
            os.close(self.wake_write)
            self.wake_read = self.wake_write = -1


class Executor:
    """Executes the triggered runs of this instance; `execute` may be called by many threads."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._running: dict[int, _Running] = {}
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
            running = self._running[run_pk] = _Running()
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

    def _execute(self, run_pk: int, running: _Running) -> None:
        run = self._insist(lambda: _READY.first(pk=run_pk))
        if run is None:
            return
        while not self._machine.may_run and not self._closing:
            time.sleep(RETRY_PAUSE)  # The database is back, the next heartbeat is about to be.
        # One object for all that follows: a later epoch must not write what this one claimed.
        instance = self._machine.instance
        log = self._insist(lambda: _claim(run, instance))
        if log:
            _Execution(self._machine, instance, run, log, running, self._insist).carry_out()

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


class _Execution:
    """The way of one claimed run to its final status."""

    def __init__(
        self,
        machine: Machine,
        instance: Instance,
        run: Run,
        log: Log,
        running: _Running,
        insist: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self._machine = machine
        self._instance = instance
        self._run = run
        self._running = running
        self._insist = insist
        self._is_begun = False
        self._log = LogWriter(log, limit=settings.WEBJOBS_RUN_LOG_LIMIT)

    def carry_out(self) -> None:
        self._say("Status changed to Initializing")
        try:
            prepared = self._machine.prepare_run(self._run)
            if prepared.engine.stopped:
                self._finish(RunStatus.ABORTED, _STOPPED)
                return
            child = self._start(prepared)
        except NotAllowed as error:
            self._finish(RunStatus.ABORTED, str(error), RetryOn.LOST, hint=RUN_AGAIN)
            return
        except CannotStart as error:
            self._finish(RunStatus.FAILED, str(error), RetryOn.FAILURE, error_line=str(error))
            return
        with prepared:
            try:
                end = self._watch(child)
            finally:
                if child.end is None:  # An error of ours must not leave it behind.
                    child.process.kill()
                    child.process.close()
        self._conclude(end)

    def _start(self, prepared: Prepared) -> Child:
        for note in prepared.notes:
            self._say(note)
        self._say(f"Run script '{prepared.script_name}' with script host - '{prepared.host}'")
        engine = prepared.engine
        child = self._machine.launch(
            prepared,
            sink=self._log.append,
            limits=Limits(
                grace=self._run.job.grace,
                idle_timeout=engine.idle_timeout,
                max_time=engine.max_run_time,
                term_at_once=True,
            ),
            lease=lease_of_runs(self._instance),
        )
        self._say("Status changed to Running")
        return child

    def _watch(self, child: Child) -> End:
        """Drive the child to its end; a thread of its own, so it may block."""
        wake = self._running.wake_read
        while child.end is None:
            ready = _wait([*child.fds, wake], _earliest(child.deadline(), self._log.flush_due()))
            if wake in ready:
                os.read(wake, 4096)
            if self._running.stop:
                child.request_stop(self._running.stop[0], kill_now=self._running.kill_now)
            child.step(ready)
            due = self._log.flush_due()
            # What has ended meanwhile is stored together with its end.
            if child.end is None and due is not None and time.monotonic() >= due:
                self._begin(child)
                self._log.flush()
        return child.end

    def _begin(self, child: Child) -> None:
        """Record with the first lines that it runs; what ends before them goes without."""
        if not self._is_begun:
            self._is_begun = True
            if not self._insist(lambda: self._run.begin(self._instance, child.process.pid)):
                child.request_stop(Cause.EXPIRED, kill_now=True)

    def _conclude(self, end: End) -> None:
        code = end.exit.code
        if end.cause == Cause.EXITED and code == 0:
            self._finish(RunStatus.SUCCESS, _SUCCESS, exit_code=0)
        elif end.cause == Cause.EXPIRED:
            self._finish(RunStatus.ABORTED, end.reason, RetryOn.LOST, hint=RUN_AGAIN)
        elif end.cause in (Cause.STOPPED, Cause.SHUTDOWN):
            asked = self._running.stop[1] if self._running.stop else ""
            ending = RetryOn.LOST if end.cause == Cause.SHUTDOWN else None
            self._say("WebJob process was aborted")
            reason = f"{asked} {end.reason}".strip()
            self._finish(RunStatus.ABORTED, reason, ending, exit_code=code)
        else:
            line = (
                f"Job failed due to exit code {code}" if end.cause == Cause.EXITED else end.reason
            )
            self._finish(
                RunStatus.FAILED, end.reason, RetryOn.FAILURE, exit_code=code, error_line=line
            )

    def _finish(
        self,
        status: RunStatus,
        reason: str,
        ending: RetryOn | None = None,
        *,
        hint: str = "",
        exit_code: int | None = None,
        error_line: str = "",
    ) -> None:
        """The last lines, then, once they are stored, the final status and what follows from it.

        `ending` says when it may be tried again; `hint` ends the reason when it is not.
        """
        self._say(f"Status changed to {status}")
        if error_line:
            self._log.system(Stream.SYSTEM_ERR, error_line)

        def finish() -> None:
            now = timezone.now()

            def end(what_follows: str) -> bool:
                words = f"{reason} {what_follows or hint}".rstrip()
                return self._run.finish(
                    self._instance, status, now, reason=words, exit_code=exit_code
                )

            conclude(self._run, end, now, ending)

        self._insist(lambda: self._log.complete(also=finish))

    def _say(self, message: str) -> None:
        self._log.system(Stream.SYSTEM, message)


def _wait(fds: list[int], until: float | None) -> set[int]:
    """The descriptors that are ready before the monotonic time `until`."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN | select.POLLHUP)
    timeout = None if until is None else max(0.0, until - time.monotonic()) * 1000
    return {fd for fd, _ in poll.poll(timeout)}


def _earliest(*times: float | None) -> float | None:
    return min((at for at in times if at is not None), default=None)


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
