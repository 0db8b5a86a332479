"""The statements of the log store: chunks go behind the end of a log, once each.

Written as SQL because they are the hot path: a flush costs a tenth of what it costs through the
query compiler, and every open page asks for the end of a log each second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import Min

from webjobs.logs.buffer import Pending
from webjobs.logs.frames import count_lines, pack, unpack
from webjobs.models import Log, LogChunk

# Whoever wins holds the row until its transaction ends, so chunks never overlap.
_ADVANCE = """
    UPDATE webjobs_log SET size = %s, lines = %s, dropped = dropped + %s, is_complete = %s
    WHERE id = %s AND size = %s AND NOT is_complete
"""
_INSERT = """
    INSERT INTO webjobs_logchunk (log_id, "offset", size, lines_before, lines, frames, data)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


class End(NamedTuple):
    """Where the next byte of a log goes."""

    offset: int
    lines: int  # begun so far
    open_stream: int | None  # of the last line when it has no end yet


class Row(NamedTuple):
    """A chunk as the statement above takes it."""

    log_id: int
    offset: int
    size: int
    lines_before: int
    lines: int
    frames: bytes
    data: bytes


@dataclass(frozen=True)
class Batch:
    """Chunks that follow each other from `start` on, numbered for storing."""

    start: End
    end: End
    rows: Sequence[Row]
    dropped: int  # bytes that were dropped since the batch before


def number(log_id: int, start: End, pending: Sequence[Pending], dropped: int) -> Batch:
    """Give chunks their place behind `start`."""
    end, rows = start, []
    for chunk in pending:
        data = chunk.joined()
        lines, open_stream = count_lines(data, chunk.frames, end.open_stream)
        begins_line = end.open_stream != chunk.frames[0].stream
        index = pack(chunk.frames, begins_line=begins_line)
        rows.append(Row(log_id, end.offset, len(data), end.lines, lines, index, data))
        end = End(end.offset + len(data), end.lines + lines, open_stream)
    return Batch(start, end, rows, dropped)


def advance(log_id: int, batch: Batch, *, is_complete: bool) -> bool:
    """Move the log's end over `batch`; false when the end is elsewhere or the log is complete."""
    end = batch.end
    values = (end.offset, end.lines, batch.dropped, is_complete, log_id, batch.start.offset)
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, values)
        return bool(cursor.rowcount)


def insert(rows: Iterable[Row]) -> None:
    """Store chunks, in the transaction that has moved the ends of their logs."""
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, list(rows))


def is_stored(batch: Batch) -> bool:
    """Whether the log holds exactly the bytes of `batch` at its place."""
    if not batch.rows:
        return True
    first = batch.rows[0]
    stored = LogChunk.objects.filter(log_id=first.log_id, offset=first.offset)
    found = stored.values_list("frames", "data").first()
    return found is not None and (bytes(found[0]), bytes(found[1])) == (first.frames, first.data)


def end_of(log: Log) -> End:
    """The end of a log as its row and its last chunk say."""
    if not log.size:
        return End(0, log.lines, None)
    last = LogChunk.objects.filter(log=log, offset__lt=log.size).order_by("-offset")
    found = last.values_list("frames", "data").first()
    if found is None or bytes(found[1]).endswith(b"\n"):
        return End(log.size, log.lines, None)
    return End(log.size, log.lines, unpack(bytes(found[0]))[1][-1].stream)


def first_kept(log_id: int) -> int | None:
    """The offset of the first byte that is still there; None: there is no byte."""
    offset: int | None = LogChunk.objects.filter(log_id=log_id).aggregate(first=Min("offset"))[
        "first"
    ]
    return offset


def remove_before(log_id: int, offset: int) -> None:
    """Delete the chunks that begin before `offset`."""
    LogChunk.objects.filter(log_id=log_id, offset__lt=offset).delete()
