"""The way of one claimed run: prepare, process, log, end. One thread per run."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from webjobs.endings import RUN_AGAIN, conclude
from webjobs.engine.machine import CannotStart, Machine, NotAllowed, Prepared, lease_of_runs
from webjobs.logs import LogWriter
from webjobs.models import Instance, Log, Run
from webjobs.reasons import gettext_noop
from webjobs.runner.child import Cause, Child, End, Limits
from webjobs.states import RetryOn, RunStatus, Stream

_STOPPED = gettext_noop("WEBJOBS_STOPPED is set to 1. Nothing was started.")
_SUCCESS = gettext_noop("The process ended with exit code 0.")


@dataclass
class Running:
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


class Execution:
    """The way of one claimed run to its final status."""

    def __init__(
        self,
        machine: Machine,
        instance: Instance,
        run: Run,
        log: Log,
        running: Running,
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
