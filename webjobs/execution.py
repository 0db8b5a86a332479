"""The execution of one run: claim, prepare, process, log, end. One pool thread per run."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils import timezone

from webjobs.logs import LogUnavailable, LogWriter, log_of_run
from webjobs.machine import CannotStart, Machine, Prepared
from webjobs.models import Run
from webjobs.runner.child import Cause, Child, End, Limits
from webjobs.states import RunStatus, Stream

logger = logging.getLogger(__name__)
T = TypeVar("T")

# How long an execution goes on trying to reach the database before it gives its run up; the
# clean-up then ends the run in its place.
DATABASE_PATIENCE = 60.0
RETRY_PAUSE = 0.5


@dataclass
class _Running:
    """What other threads may do to an execution: leave a wish and wake it."""

    run: Run
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
        self._closing: str = ""

    def execute(self, run_pk: int) -> None:
        """Execute a run to its end, if it is queued and nobody else has claimed it."""
        run = _insist(
            lambda: (
                Run.objects.select_related("job__slot__app", "package")
                .filter(pk=run_pk, status=RunStatus.QUEUED)
                .first()
            )
        )
        if run is None or self._refuses():
            return
        instance = self._machine.instance
        if not _insist(lambda: run.claim(instance, timezone.now())):
            return
        running = _Running(run)
        with self._lock:
            self._running[run.pk] = running
        try:
            if self._refuses():
                running.ask_stop(Cause.SHUTDOWN, self._closing)
            _Execution(self._machine, running).carry_out()
        except DatabaseError:
            logger.exception("Run %s was given up: the database stays away", run_pk)
        finally:
            with self._lock:
                del self._running[run.pk]
            running.close()

    def apply_wishes(self) -> None:
        """Pass on what people have asked of the runs that execute here."""
        if not self._running:
            return
        wished = Run.objects.held_by(self._machine.instance).exclude(stop_requested_at=None)
        for pk, reason in wished.values_list("pk", "stop_reason"):
            running = self._running.get(pk)
            if running:
                running.ask_stop(Cause.STOPPED, reason)

    def close(self, reason: str, *, kill_now: bool = False) -> None:
        """Ask every run to end; new ones are refused. Returns at once."""
        self._closing = reason
        with self._lock:
            running = list(self._running.values())
        for one in running:
            one.ask_stop(Cause.SHUTDOWN, reason, kill_now=kill_now)

    @property
    def busy(self) -> int:
        """How many runs execute here."""
        return len(self._running)

    def _refuses(self) -> bool:
        return self._closing != ""


class _Execution:
    """The way of one claimed run to its final status."""

    def __init__(self, machine: Machine, running: _Running) -> None:
        self._machine = machine
        self._running = running
        self._run = running.run
        log = _insist(lambda: log_of_run(self._run, machine.instance.key))
        self._log = LogWriter(log, limit=settings.WEBJOBS_RUN_LOG_LIMIT)

    def carry_out(self) -> None:
        self._say("Status changed to Initializing")
        try:
            prepared = self._machine.prepare_run(self._run)
            if prepared.engine.stopped:
                self._finish(RunStatus.ABORTED, "WEBJOBS_STOPPED is set to 1. Nothing was started.")
                return
            child = self._start(prepared)
        except CannotStart as error:
            self._finish(RunStatus.FAILED, str(error), error_line=str(error))
            return
        with prepared:
            end = self._watch(child)
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
        )
        self._say("Status changed to Running")
        _insist(lambda: self._run.begin(self._machine.instance))
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
            if due is not None and time.monotonic() >= due:
                self._log.flush()
        return child.end

    def _conclude(self, end: End) -> None:
        code = end.exit.code
        if end.cause == Cause.EXITED and code == 0:
            self._finish(RunStatus.SUCCESS, "The process ended with exit code 0.", exit_code=0)
        elif end.cause in (Cause.STOPPED, Cause.SHUTDOWN):
            asked = self._running.stop[1] if self._running.stop else ""
            self._say("WebJob process was aborted")
            self._finish(RunStatus.ABORTED, f"{asked} {end.reason}".strip(), exit_code=code)
        else:
            line = f"Job failed due to exit code {code}" if end.cause == Cause.EXITED else ""
            self._finish(
                RunStatus.FAILED, end.reason, exit_code=code, error_line=line or end.reason
            )

    def _finish(
        self, status: RunStatus, reason: str, *, exit_code: int | None = None, error_line: str = ""
    ) -> None:
        """The last lines, then, once they are stored, the final status."""
        self._say(f"Status changed to {status}")
        if error_line:
            self._log.system(Stream.SYSTEM_ERR, error_line)
        instance, run = self._machine.instance, self._run

        def finish() -> None:
            run.finish(instance, status, timezone.now(), reason=reason, exit_code=exit_code)

        _insist(lambda: self._log.complete(also=finish))

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


def _insist(action: Callable[[], T]) -> T:
    """Do it again while the database is away, for as long as DATABASE_PATIENCE."""
    patience = time.monotonic() + DATABASE_PATIENCE
    while True:
        try:
            return action()
        except (DatabaseError, LogUnavailable):
            if time.monotonic() > patience:
                raise
            if not connection.in_atomic_block:
                close_old_connections()
        time.sleep(RETRY_PAUSE)


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
