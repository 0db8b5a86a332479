"""One continuous WebJob on this instance: its wish, its process, its facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings as portal_settings
from django.db import Error

from webjobs import idling
from webjobs.engine.attaching import DebugState
from webjobs.engine.leases import Leases
from webjobs.engine.machine import CannotStart, Machine, NotAllowed, Prepared, SlotSettings
from webjobs.engine.starting import NotWanted, Started, undo
from webjobs.engine.wishes import NO_LONGER, why_unwanted
from webjobs.logs import LogWriter, log_of_copy
from webjobs.models import Copy, DebugSession, WebJob
from webjobs.reasons import gettext_noop
from webjobs.runner.child import Cause, Child, End, Limits
from webjobs.runner.restart import restart_wait
from webjobs.states import CopyStatus, Stream

# Kudu says "still running" after an hour and then every twelve.
FIRST_SIGN = 3600.0
NEXT_SIGN = 12 * 3600.0
# How much of what a process printed last on stderr is kept as its last error.
TAIL_BYTES = 4096
TAIL_LINES = 20
_OUR_ERROR = gettext_noop("The engine failed; the worker's own log tells how. It is started again.")
_STANDS_BY = gettext_noop(
    "It is a singleton, and another instance runs it or is about to. This instance takes over "
    "when that one stops or is lost."
)


class Managed:
    """The state machine of one copy; only the supervisor's thread calls it. `submit` has a
    helper thread call what it is given and sets `starting`."""

    def __init__(
        self,
        machine: Machine,
        job: WebJob,
        copy: Copy,
        leases: Leases,
        submit: Callable[[Managed, Callable[[], Started]], None],
    ) -> None:
        self.job = job
        self.copy = copy
        self._leases = leases
        self._lease: str | None = None  # under which it was last started; None: no singleton
        self._was_singleton = job.runs_once
        limit = portal_settings.WEBJOBS_CONTINUOUS_LOG_LIMIT
        self.log = LogWriter(
            getattr(copy, "log", None) or log_of_copy(copy), limit=limit, rolling=True
        )
        self.starting: Future[Started] | None = None
        self.debug = DebugState()
        self.watched: frozenset[int] = frozenset()
        self.changed = False
        self.kill_now = False
        self._machine = machine
        self._submit = submit
        self._child: Child | None = None
        self._prepared: Prepared | None = None
        self._settings: SlotSettings | None = None
        self._vanished = False
        self._unwanted: str | None = gettext_noop("It has not been looked at yet.")
        self._running_revision = (0, 0, 0)
        self._seen_start = job.start_requested_at
        self._restart_at: float | None = None
        self._stop_reason = ""
        self._refresh = False
        self._sign_at = 0.0
        self._tail = bytearray()
        self._is_warned = False

    @property
    def is_alive(self) -> bool:
        """A process runs here or is about to."""
        return self._child is not None or self.starting is not None

    @property
    def wants_lease(self) -> bool:
        """It is a singleton that could start now, if no other instance runs it."""
        return bool(
            self.job.runs_once
            and self._unwanted is None
            and not self.is_alive
            and (self._restart_at is None or time.monotonic() >= self._restart_at)
        )

    @property
    def is_singleton(self) -> bool:
        """It is one, or was started as one."""
        return self.job.runs_once or self._lease is not None

    @property
    def is_gone(self) -> bool:
        """Its rows are, and no process of it is left; one that was deleted may be wanted back."""
        return self._vanished and not self.is_alive

    @property
    def is_unsaved(self) -> bool:
        """It has facts or output that are not stored."""
        return self.changed or self.log.flush_due() is not None

    @property
    def fds(self) -> list[int]:
        return self._child.fds if self._child else []

    def deadline(self) -> float | None:
        """Monotonic time at which `act` has something to do."""
        times: list[float | None] = []
        if self._child:
            times += [self._child.deadline(), self._sign_at]
        elif self._unwanted is None and not self.is_alive:
            times.append(self._restart_at)
        return min((at for at in times if at is not None), default=None)

    @property
    def unwanted(self) -> str | None:
        """Why it shall not run here, in words."""
        return self._unwanted

    def save_at(self) -> float:
        """Monotonic time at which its facts or its output want to be stored."""
        flush_at = self.log.flush_due()
        return 0.0 if self.changed or flush_at is None else flush_at

    def read(self, ready: set[int]) -> None:
        """Take in what the process printed or that it ended."""
        if self._child:
            self._child.step(ready)

    def set_wish(
        self, job: WebJob | None, settings: SlotSettings | None, closing: str | None
    ) -> None:
        """What people want now, None: the WebJob is no more; `act` does what follows."""
        if job is None or settings is None:
            self._vanished = True
            self._unwanted = NO_LONGER
            return
        self.job, self._settings = job, settings
        self._unwanted = why_unwanted(job, settings.engine, closing)
        if job.runs_once != self._was_singleton:
            was, self._was_singleton = self._was_singleton, job.runs_once
            changed = f"WebJob singleton setting changed from {was} to {not was}"
            self.log.system(Stream.SYSTEM, changed)
        if job.start_requested_at and job.start_requested_at != self._seen_start:
            self._seen_start = job.start_requested_at
            self._restart_at = None
            self._set(fast_failures=0, crash_looping_since=None, restarts=0)

    def set_debugging(self, session: DebugSession | None) -> bool:
        """Who wants it under a debugger here; false when that is as before."""
        if is_other := self.debug.set_wish(session):
            self._restart_at = None
        return is_other

    def act(self, now: datetime) -> None:
        """Bring the facts nearer to the wish."""
        if self._child is not None:
            self._act_on_process(now)
        elif self.starting is not None:
            self._act_on_start(now)
        elif self._unwanted is not None:
            self._restart_at = None
            self.give_back()
            if self.copy.status != CopyStatus.STOPPED:
                self._change(CopyStatus.STOPPED, now, self._unwanted)
            elif self.copy.reason != self._unwanted:
                self._set(reason=self._unwanted)
        elif self._restart_at is None or time.monotonic() >= self._restart_at:
            self._begin_or_stand_by(now)

    def ask_stop(self, cause: Cause, reason: str) -> None:
        """Begin the graceful stop of the process, or go on with it."""
        if self._child is not None:
            self._stop_reason = self._stop_reason or reason
            self._child.request_stop(cause, kill_now=self.kill_now)

    def give_back(self) -> None:
        """Let another instance run it, of which no process is left here."""
        self._lease = None
        try:
            released = self._leases.give_back(self.job.pk)
        except Error:
            return  # It runs out by itself.
        if released:
            self.log.system(Stream.SYSTEM, "WebJob singleton lock is released")

    def begin_anew(self, now: datetime) -> None:
        """After an error of ours: give up what there is, and start it when its wait is over."""
        if self._child is not None:
            self._child.process.kill()
            self._child.process.close()
            self._child = None
        if self.starting is not None:
            self.starting.add_done_callback(undo)
            self.starting = None
        self.debug.over()
        if self._prepared:
            self._prepared.release()
            self._prepared = None
        self.give_back()
        self._went_down(now, 0.0, failed=True, code=None, reason=_OUR_ERROR)

    def _begin_or_stand_by(self, now: datetime) -> None:
        self._restart_at = None
        if not self.job.runs_once:
            self.give_back()
            self._begin(now, None)
        elif lease := self._leases.name(self.job.pk):
            self._begin(now, lease)
        elif self.copy.status != CopyStatus.INACTIVE_INSTANCE:
            self.log.system(Stream.SYSTEM, "WebJob singleton setting is True")
            self._set(is_leased=False, restart_at=None)
            self._change(CopyStatus.INACTIVE_INSTANCE, now, _STANDS_BY)

    def _begin(self, now: datetime, lease: str | None) -> None:
        self._set(is_leased=lease is not None)
        self._change(CopyStatus.STARTING, now, "")
        self.log.system(Stream.SYSTEM, f"WebJob singleton setting is {lease is not None}")
        if lease != self._lease and lease is not None:
            self.log.system(Stream.SYSTEM, "WebJob singleton lock is acquired")
        self._lease = lease
        self._running_revision = self._revision()
        self._submit(self, partial(self._start, self.job, lease, self.debug.begin()))

    def _start(self, job: WebJob, lease: str | None, session: DebugSession | None) -> Started:
        """Prepare the files and start the program. A helper thread does this."""
        prepared = self._machine.prepare_copy(job)
        if self._unwanted is not None:
            prepared.release()
            raise NotWanted
        prepared, attached = self.debug.prepare(prepared, session)
        limits = Limits(grace=job.grace, idle_timeout=None, max_time=None, term_at_once=False)
        child = self._machine.launch(prepared, sink=self._take, limits=limits, lease=lease or "")
        return Started(prepared, child, attached)

    def _act_on_start(self, now: datetime) -> None:
        if self.starting is None or not self.starting.done():
            return
        future, self.starting = self.starting, None
        try:
            self._note_start(future.result(), now)
        except (NotWanted, NotAllowed):
            self.debug.over()
            self.act(now)
        except CannotStart as error:
            self.debug.over()
            # Another instance may be able to.
            self.give_back()
            self.log.system(Stream.SYSTEM_ERR, f"Failed to start job due to: {error}")
            self._went_down(now, 0.0, failed=True, code=None, reason=str(error))

    def _note_start(self, started: Started, now: datetime) -> None:
        self._child, self._prepared = started.child, started.prepared
        debugged = self.debug.started(started.attached)
        self._running_revision = (*self._running_revision[:2], debugged)
        for note in started.prepared.notes:
            self.log.system(Stream.SYSTEM, note)
        script, host = started.prepared.script_name, started.prepared.host
        self.log.system(Stream.SYSTEM, f"Run script '{script}' with script host - '{host}'")
        if started.attached:
            who = started.attached.session.by_name
            self.log.system(Stream.SYSTEM_WARN, f"It runs under a debugger for {who}")
        if not self._is_warned and not self.job.slot.app.is_always_on:
            self._is_warned = True
            self.log.system(Stream.SYSTEM_WARN, idling.NO_ALWAYS_ON)
        self._tail.clear()
        self._stop_reason, self._refresh = "", False
        self._sign_at = time.monotonic() + FIRST_SIGN
        port = int(started.prepared.environment["WEBJOBS_PORT"])
        pid = started.child.process.pid
        self._set(started_at=now, restart_at=None, exit_code=None, port=port, pid=pid)
        self._change(CopyStatus.RUNNING, now, "")
        self.act(now)

    def _act_on_process(self, now: datetime) -> None:
        child = self._child
        if child is None:
            return
        if self._lease and self._leases.name(self.job.pk) != self._lease:
            child.request_stop(Cause.EXPIRED, kill_now=True)
        elif self._unwanted is not None:
            self._begin_stop(now, self._unwanted)
        elif self.job.runs_once != (self._lease is not None):
            self._begin_stop(now, gettext_noop("Its singleton setting changed."))
        elif self._running_revision != self._revision() and not self._refresh:
            self._refresh = True
            self._begin_refresh(now)
        child.step()
        if child.end is not None:
            self._ended(child.end, now)
        elif time.monotonic() >= self._sign_at:
            self._sign_at = time.monotonic() + NEXT_SIGN
            self.log.system(Stream.SYSTEM, "WebJob is still running")

    def _begin_refresh(self, now: datetime) -> None:
        if self._running_revision[:2] != self._revision()[:2]:
            self.log.system(Stream.SYSTEM, "Detected WebJob file/s were updated, refreshing WebJob")
            self._begin_stop(now, gettext_noop("Its package or its settings changed."))
        elif self.debug.wish is not None:
            text = gettext_noop("%(name)s debugs it.")
            self._begin_stop(now, text % {"name": self.debug.wish.by_name})
        else:
            self._begin_stop(now, gettext_noop("Debugging has ended."))

    def _begin_stop(self, now: datetime, reason: str) -> None:
        if self.copy.status != CopyStatus.STOPPING:
            self._change(CopyStatus.STOPPING, now, reason)
        self.ask_stop(Cause.STOPPED, reason)

    def _ended(self, end: End, now: datetime) -> None:
        self._child = None
        self.debug.over()
        if self._prepared:
            self._prepared.release()
            self._prepared = None
        code = end.exit.code
        if end.cause == Cause.EXPIRED:
            self._set(exit_code=code)
            self.log.system(Stream.SYSTEM_ERR, end.reason)
            self._lease = None
            self.act(now)
            return
        if self._stop_reason:
            self._set(exit_code=code)
            if self._unwanted is None:
                self._begin_or_stand_by(now)
            else:
                self._change(CopyStatus.STOPPED, now, self._unwanted)
                self.give_back()
            return
        failed = code != 0
        if failed and code is not None:
            self.log.system(Stream.SYSTEM_ERR, f"Job failed due to exit code {code}")
        elif failed:
            self.log.system(Stream.SYSTEM_ERR, end.reason)
        self._went_down(now, end.lived, failed=failed, code=code, reason=end.reason)

    def _went_down(
        self, now: datetime, lived: float, *, failed: bool, code: int | None, reason: str
    ) -> None:
        restart_time = self._settings.engine.restart_time if self._settings else 0
        restart = restart_wait(lived, failed, self.copy.fast_failures, restart_time)
        since = self.copy.crash_looping_since if restart.crash_looping else None
        self._restart_at = time.monotonic() + restart.wait
        self._set(
            exit_code=code,
            restarts=self.copy.restarts + 1,
            fast_failures=restart.fast_failures,
            crash_looping_since=since or (now if restart.crash_looping else None),
            restart_at=now + timedelta(seconds=restart.wait),
        )
        if failed:
            self._set(last_error=self._last_lines() or reason)
        waiting = f"Process went down, waiting for {restart.wait:.0f} seconds"
        self.log.system(Stream.SYSTEM, waiting)
        self._change(CopyStatus.PENDING_RESTART, now, reason)

    def _revision(self) -> tuple[int, int, int]:
        return self.job.revision, self.job.slot.environment_revision, self.debug.revision

    def _take(self, stream: Stream, data: bytes, at: float) -> None:
        self.log.append(stream, data, at)
        if stream == Stream.ERR:
            self._tail += data[-TAIL_BYTES:]
            del self._tail[:-TAIL_BYTES]

    def _last_lines(self) -> str:
        lines = self._tail.decode(errors="replace").replace("\0", "\ufffd").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def _change(self, status: CopyStatus, now: datetime, reason: str) -> None:
        self._set(status=status, changed_at=now, reason=reason)
        self.log.system(Stream.SYSTEM, f"Status changed to {status}")

    def _set(self, **facts: object) -> None:
        for name, value in facts.items():
            setattr(self.copy, name, value)
        self.changed = True
