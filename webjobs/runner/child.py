"""One supervised process, from its start to its end."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from webjobs.runner.ending import Cause, End, Limits, describe
from webjobs.runner.output import LARGE_PIPE_BYTES, Reader, Sink
from webjobs.runner.process import Exit, Process
from webjobs.states import Stream

__all__ = ["Cause", "Child", "End", "Limits"]

# When everything of a run has ended its pipes end too, unless a process without a trace holds
# them; what is in them by then is still read.
DRAIN_SECONDS = 2.0
# The CPU time of a silent process is looked at after this time, then less and less often.
FIRST_SAMPLE_SECONDS = 1.0
LONGEST_SAMPLE_SECONDS = 5.0
SAMPLES_PER_TIMEOUT = 20


class Child:
    """A state machine without a thread of its own: whoever drives it selects and calls `step`.

    Select on `fds` until `deadline()`, then call `step`; when `end` is set, everything of the
    process is gone, its whole output went to the sink and all descriptors are closed. Not
    thread-safe. The sink gets (stream, bytes, wall-clock time) in order; what it raises comes
    out of `step`.
    """

    def __init__(
        self,
        process: Process,
        *,
        sink: Sink,
        limits: Limits,
        shutdown_file: Path,
        secrets: Sequence[bytes] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.process = process
        self.end: End | None = None
        self._now = now
        self._limits = limits
        self._shutdown_file = shutdown_file
        self._started = now() - (time.monotonic() - process.started)
        self._readers = {
            fd: Reader(fd, stream, sink, secrets, self._started)
            for fd, stream in ((process.stdout, Stream.OUT), (process.stderr, Stream.ERR))
        }
        self._cause: Cause | None = None
        self._stop_at = self._started
        self._killed_after: float | None = None
        self._kill_at: float | None = None
        self._ended_at: float | None = None
        self._drained = 0
        self._active_at = self._started
        self._usage: str | None = None
        self._asked_at: float | None = None
        self._first_sample = min(
            FIRST_SAMPLE_SECONDS, (limits.idle_timeout or 0) / SAMPLES_PER_TIMEOUT
        )
        self._sample_at = self._started + self._first_sample if limits.idle_timeout else None
        self._max_at = self._started + limits.max_time if limits.max_time else None
        self._notice_exit(self._started)

    @property
    def fds(self) -> list[int]:
        """What to select on for reading; fewer and fewer, none after the end."""
        fds = list(self._readers)
        if self._ended_at is None:
            fds.append(self.process.status)
        return fds if self.end is None else []

    def deadline(self) -> float | None:
        """When `step` is to be called at the latest, on the clock given as `now`."""
        if self.end is not None:
            return None
        times = [reader.deadline for reader in self._readers.values()]
        if self._ended_at is not None:
            times.append(self._ended_at + DRAIN_SECONDS if self._readers else self._ended_at)
        else:
            times += (self._kill_at, self._max_at)
            if self._asked_at is None:
                times.append(self._sample_at)
        return min((at for at in times if at is not None), default=None)

    def step(self, ready: Collection[int] = ()) -> None:
        """Read a bounded part of what is ready and do what is due. Never blocks."""
        if self.end is not None:
            return
        now = self._now()
        for fd, reader in list(self._readers.items()):
            if fd in ready:
                self._read(reader, now)
            reader.release_due(now)
        if self._ended_at is None and self.process.status in ready:
            self._notice_exit(now)
        if self._ended_at is None:
            self._watch_limits(now)
        else:
            self._finish_when_drained(now)

    def request_stop(self, cause: Cause, *, kill_now: bool = False) -> None:
        """Create the shutdown file and begin the stop sequence; later calls change nothing.

        With `kill_now` everything is killed at once, whether a stop was requested before or not.
        """
        now = self._now()
        self._notice_exit(now)
        if self._ended_at is not None:
            return
        first = self._cause is None
        if first:
            self._cause = cause
            self._stop_at = now
            self._max_at = self._sample_at = None
        if kill_now or self._limits.grace <= 0:
            self._kill(now)
        elif first:
            self._kill_at = now + self._limits.grace
            if self._create_shutdown_file() and not self._limits.term_at_once:
                self.process.notify()
            else:
                self.process.terminate()

    def drive(self, wake_fd: int, on_tick: Callable[[], None], tick: float = 1.0) -> End:
        """Step until the end, for a thread that does nothing else.

        `on_tick` is called every `tick` seconds and at once when `wake_fd` (or -1) gets readable,
        which is emptied; it may call `request_stop`.
        """
        next_tick = self._now() + tick
        while self.end is None:
            now = self._now()
            until = min(at for at in (self.deadline(), next_tick) if at is not None)
            poll = select.poll()
            for fd in self.fds:
                poll.register(fd, select.POLLIN)
            if wake_fd >= 0:
                poll.register(wake_fd, select.POLLIN)
            ready = {fd for fd, _ in poll.poll(max(0.0, until - now) * 1000)}
            self.step(ready)
            woken = wake_fd in ready
            if woken:
                os.read(wake_fd, 4096)
            if woken or self._now() >= next_tick:
                on_tick()
                next_tick = self._now() + tick
        return self.end

    def _read(self, reader: Reader, now: float) -> int:
        count = reader.step(now)
        if count:
            self._active_at = now
        if not reader.open:
            self._close_reader(reader)
        return count

    def _close_reader(self, reader: Reader) -> None:
        del self._readers[reader.fd]
        self.process.close_output(reader.fd)

    def _notice_exit(self, now: float) -> None:
        asked = self._asked_at
        if self._ended_at is None and self.process.poll() is not None:
            self._ended_at = now
        elif asked is not None and self.process.usage is not None:
            self._judge_usage(self.process.usage, asked, now)

    def _finish_when_drained(self, now: float) -> None:
        ended_at = self._ended_at if self._ended_at is not None else now
        if self._readers and now < ended_at + DRAIN_SECONDS:
            return
        for reader in list(self._readers.values()):
            count = self._read(reader, now)
            self._drained += count
            if reader.open and (count == 0 or self._drained > 2 * LARGE_PIPE_BYTES):
                reader.finish()
                self._close_reader(reader)
        if not self._readers:
            self._finish(ended_at)

    def _finish(self, ended_at: float) -> None:
        exit = self.process.result
        assert exit is not None  # noqa: S101 - for the type checker: ended_at says so
        cause = self._cause or _cause_of(exit)
        reason = describe(cause, exit, self._limits, self._killed_after)
        self.process.close()
        if self._cause is not None:
            # The next start of a continuous job would take it for its own.
            with suppress(OSError):
                self._shutdown_file.unlink(missing_ok=True)
        self.end = End(cause, exit, ended_at - self._started, reason)

    def _watch_limits(self, now: float) -> None:
        if self._kill_at is not None and now >= self._kill_at:
            self._kill(now)
        elif self._max_at is not None and now >= self._max_at:
            self.request_stop(Cause.MAX_RUN_TIME)
        elif self._sample_at is not None and self._asked_at is None and now >= self._sample_at:
            if now - self._active_at < self._first_sample:
                self._sample_at = self._active_at + self._first_sample
            else:
                self._asked_at = now
                self.process.ask_usage()

    def _judge_usage(self, usage: str, asked: float, now: float) -> None:
        """Take the answer about the CPU time used up to `asked`."""
        timeout = self._limits.idle_timeout
        self._asked_at = None
        if timeout is None or self._cause is not None:
            return
        # A first answer that comes late tells nothing about the time before it.
        known = self._usage or (usage if asked < self._started + 2 * self._first_sample else "")
        if usage != known:
            self._active_at = max(self._active_at, asked)
        self._usage = usage
        if asked - self._active_at >= timeout:
            self.request_stop(Cause.IDLE_TIMEOUT)
            return
        runs_out = self._active_at + timeout
        silent = max(self._first_sample, now - self._active_at)
        later = now + min(silent, LONGEST_SAMPLE_SECONDS)
        self._sample_at = runs_out if now < runs_out < later else later

    def _create_shutdown_file(self) -> bool:
        text = datetime.now(UTC).strftime("%m/%d/%Y %H:%M:%S")
        try:
            self._shutdown_file.parent.mkdir(parents=True, exist_ok=True)
            self._shutdown_file.write_text(text, encoding="ascii")
        except OSError:
            return False
        return True

    def _kill(self, now: float) -> None:
        self._kill_at = None
        if self._killed_after is None:
            self._killed_after = now - self._stop_at
        self.process.kill()


def _cause_of(exit: Exit) -> Cause:
    """What ended a program that nobody asked to stop."""
    if exit.expired:
        return Cause.EXPIRED
    return Cause.LOST if exit.lost else Cause.EXITED
