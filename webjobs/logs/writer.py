"""Writing a log: nothing that happens to the database stops a job or loses what it could keep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from django.db import Error, connection, transaction

from webjobs import outages
from webjobs.logs import store
from webjobs.logs.buffer import MAX_CHUNK, Buffer
from webjobs.models import Log
from webjobs.states import Stream

MIB = 1024 * 1024
# Seconds that output may wait for more output before it is written.
FLUSH_WITHIN = 0.1
# Seconds between attempts while the database refuses.
RETRY_EVERY = 1.0
# Bytes that one writer keeps while the database refuses.
MAX_WAITING = 8 * MIB
# Chunks in one transaction: 2 MiB, so that other writers get their turn.
MAX_BATCH = 8

_logger = logging.getLogger(__name__)


class LogUnavailable(Exception):
    """The end of a log could not be stored; what was written is kept, and may be tried again."""


class LogWriter:
    """One writer of one log, confined to one thread. Only flush and complete touch the database.

    Job output beyond `limit` bytes is dropped, counted and announced in the log; with `rolling`
    the oldest chunks are deleted instead. System lines are never dropped. Once the log is complete
    or deleted, by whomever, everything further is discarded.
    """

    def __init__(self, log: Log, *, limit: int, rolling: bool = False) -> None:
        self.log = log
        self._limit = limit
        self._rolling = rolling
        self._buffer = Buffer()
        # Unknown for a log that others have written to, until the first flush has looked.
        self._end = None if log.size else store.End(0, log.lines, None)
        self._attempt: store.Batch | None = None
        self._first_kept: int | None = None
        self._position = log.size
        self._is_over = not rolling and log.size >= limit and log.dropped > 0
        self._dropped = log.dropped
        self._dropped_stored = log.dropped
        self._refused = 0
        self._buffered_at = 0.0
        self._retry_at = 0.0
        self._is_closed = False
        self._is_summed_up = False
        self.failure = ""
        self._why = ""

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt to store something was refused; `failure` says how."""
        return bool(self.failure)

    def append(self, stream: Stream, data: bytes, at: float) -> None:
        """Buffer job output that arrived at `at`, seconds since 1970. Never blocks, never raises.

        While the database refuses and MAX_WAITING bytes wait, new output is dropped; a line says so
        where it would have been.
        """
        if not self._rolling and self._position + len(data) > self._limit:
            self._append_last(stream, data, at)
        elif self.failure and (self._refused or self._buffer.size + len(data) > MAX_WAITING):
            self._refused += len(data)
            self._dropped += len(data)
        elif data:
            self._put(stream, data, int(at * 1_000_000))

    def system(self, level: Stream, message: str) -> None:
        """Buffer a line of the engine's own, under the present time; it begins a new line."""
        now = time.time_ns() // 1000
        self._buffer.release(now)
        self._put(level, message.encode(errors="replace") + b"\n", now)

    def flush_due(self) -> float | None:
        """The monotonic time when flush() should be called; None: nothing is buffered."""
        if not self._buffer.size:
            return None
        if self.failure:
            return self._retry_at
        return self._buffered_at + (0 if self._buffer.size >= MAX_CHUNK else FLUSH_WITHIN)

    def flush(self) -> None:
        """Store what is buffered. Does not raise: on failure everything is kept for a retry."""
        flush_many([self])

    def complete(self, also: Callable[[], object] | None = None) -> None:
        """Store the rest and declare the log complete; after that it never changes.

        `also` runs in the transaction that completes the log: both happen, or neither. Raises
        LogUnavailable when the database refuses; call it again then, nothing is lost by it.
        """
        self._sum_up()
        try:
            while len(self._buffer.first(MAX_BATCH + 1)) > MAX_BATCH:
                _store([self])
            _store([self], also=also, is_complete=True)
        except Error as error:
            _refuse([self], error)
            raise LogUnavailable(
                f"The end of the log cannot be stored: {self.failure}. "
                "It is kept and tried again; make room or bring the database back."
            ) from error

    def _append_last(self, stream: Stream, data: bytes, at: float) -> None:
        """Keep what fits below the limit and say, once, that nothing more will be kept."""
        if not self._is_over:
            room = max(0, self._limit - self._position)
            self._is_over = True
            if room:
                self._put(stream, data[:room], int(at * 1_000_000))
            data = data[room:]
            self.system(
                Stream.SYSTEM_WARN,
                f"Output beyond {self._limit / MIB:g} MiB is not kept. The job goes on. "
                "Raise RUN_LOG_LIMIT_MB to keep more.",
            )
        self._dropped += len(data)

    def _put(self, stream: Stream, data: bytes, at: int) -> None:
        if self._is_closed:
            return
        if not self._buffer.size:
            self._buffered_at = time.monotonic()
        self._buffer.add(stream, data, at)
        self._position += len(data)

    def _sum_up(self) -> None:
        """The last words of a log that is about to be complete."""
        self._buffer.release(time.time_ns() // 1000)
        self._tell_refused()
        if self._is_over and not self._is_summed_up:
            self._is_summed_up = True
            self.system(
                Stream.SYSTEM_WARN, f"{self._dropped:,} bytes of output in all were not kept."
            )

    def _tell_refused(self) -> None:
        refused, self._refused = self._refused, 0
        if refused:
            self.system(
                Stream.SYSTEM_WARN,
                f"{refused:,} bytes of output were lost here, because the database could not "
                f"store them: {self._why}. The job was not stopped.",
            )

    def _advance(self, *, is_complete: bool) -> store.Batch | None:
        """Move the log's end over the next chunks; None: the log takes nothing any more."""
        while True:
            if self._end is None:
                self._end = self._find_end()
            if self._end is None:
                return None
            pending = self._buffer.first(MAX_BATCH)
            dropped = self._dropped - self._dropped_stored
            batch = store.number(self.log.pk, self._end, pending, dropped)
            if store.advance(self.log.pk, batch, is_complete=is_complete):
                self._attempt = batch
                return batch
            self._end = None

    def _find_end(self) -> store.End | None:
        """Where the log ends by the database; forgets chunks of which it turns out to have them.

        A lost connection can hide that a transaction was committed.
        """
        log = Log.objects.filter(pk=self.log.pk).first()
        if log and self._attempt and store.is_stored(self._attempt):
            self._forget(self._attempt)
        self._attempt = None
        if log is None or log.is_complete:
            self._is_closed = True
            self._buffer = Buffer()
            return None
        self._position = log.size + self._buffer.size
        return store.end_of(log)

    def _forget(self, batch: store.Batch) -> None:
        self._buffer.remove(len(batch.rows))
        self._dropped_stored += batch.dropped

    def _roll(self, batch: store.Batch) -> None:
        """Delete the oldest chunks beyond the limit, never the newest one."""
        if not self._rolling or not batch.rows:
            return
        if self._first_kept is None:
            self._first_kept = store.first_kept(self.log.pk) or 0
        oldest = min(batch.end.offset - self._limit, batch.rows[-1].offset)
        if oldest > self._first_kept:
            store.remove_before(self.log.pk, oldest)
            self._first_kept = None

    def _stored(self, batch: store.Batch | None) -> None:
        """The transaction with `batch` is committed."""
        if batch is not None:
            self._forget(batch)
            self._end = batch.end
        self._attempt = None
        self.failure = ""
        self._tell_refused()

    def _failed(self, error: Error) -> None:
        if isinstance(error, outages.DATABASE_ERRORS):
            outages.database.gone(error)
        elif not self.failure:
            _logger.warning("Log %s cannot be written, will retry: %s", self.log.pk, error)
        self.failure = self._why = str(error).strip() or type(error).__name__
        self._retry_at = time.monotonic() + RETRY_EVERY

    def _is_due(self) -> bool:
        return self._buffer.size > 0 and (not self.failure or time.monotonic() >= self._retry_at)


def flush_many(writers: Iterable[LogWriter]) -> None:
    """Store what all `writers` have buffered, in one transaction while it is little.

    Does not raise when the database refuses: every writer keeps its bytes, and is tried again by
    the first flush a second later.
    """
    due = [writer for writer in writers if writer._is_due()]
    while due:
        try:
            _store(due)
        except Error as error:
            _refuse(due, error)
            return
        due = [writer for writer in due if writer._buffer.size]


def _store(
    writers: list[LogWriter], *, also: Callable[[], object] | None = None, is_complete: bool = False
) -> None:
    with transaction.atomic(durable=True):
        batches = [writer._advance(is_complete=is_complete) for writer in writers]
        store.insert(row for batch in batches if batch for row in batch.rows)
        for writer, batch in zip(writers, batches, strict=True):
            if batch:
                writer._roll(batch)
        if also:
            also()
    for writer, batch in zip(writers, batches, strict=True):
        writer._stored(batch)


def _refuse(writers: list[LogWriter], error: Error) -> None:
    for writer in writers:
        writer._failed(error)
    # A connection that died is replaced by the next query.
    connection.close_if_unusable_or_obsolete()
