"""Finding bytes and lines in a log's stored chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.db import connection

from webjobs.logs.frames import Frame, count_lines, find_line, unpack
from webjobs.models import Log

# Bytes that one query of a long read brings into memory, and one chunk more.
_STEP = 1024 * 1024

# SQL, because every open page asks for these once a second.
_STATE = """
    SELECT size, lines, is_complete,
        (SELECT MIN("offset") FROM webjobs_logchunk WHERE log_id = webjobs_log.id)
    FROM webjobs_log WHERE id = %s
"""
_AT = """
    SELECT "offset", lines_before, frames, data FROM webjobs_logchunk
    WHERE log_id = %s AND "offset" <= %s ORDER BY "offset" DESC LIMIT 1
"""
_FIRST = """
    SELECT "offset", lines_before, frames, data FROM webjobs_logchunk
    WHERE log_id = %s ORDER BY "offset" LIMIT 1
"""
_OF_LINE = """
    SELECT "offset", lines_before, frames, data FROM webjobs_logchunk
    WHERE log_id = %s AND lines_before < %s ORDER BY lines_before DESC, "offset" DESC LIMIT 1
"""
_BETWEEN = """
    SELECT "offset", lines_before, frames, data FROM webjobs_logchunk
    WHERE log_id = %s AND "offset" < %s AND "offset" >= COALESCE(
        (SELECT MAX("offset") FROM webjobs_logchunk WHERE log_id = %s AND "offset" <= %s), 0)
    ORDER BY "offset"
"""


@dataclass(frozen=True)
class Piece:
    """Bytes of a log from `offset` on, and what is known about them."""

    offset: int
    lines_before: int  # lines that begin before `offset`
    open_stream: int | None  # of the line that goes on here; None: a line begins here
    frames: list[Frame]
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    def lines_until(self, offset: int) -> int:
        """How many lines of the log begin before `offset`, which is in this piece or its end."""
        count, _ = count_lines(self.data, self.frames, self.open_stream, offset - self.offset)
        return self.lines_before + count

    def line_start(self, number: int) -> int | None:
        """The offset of the line `number` when it begins here."""
        nth = number - self.lines_before
        index = find_line(self.data, self.frames, self.open_stream, nth) if nth > 0 else None
        return None if index is None else self.offset + index

    def begins_line(self, offset: int) -> bool:
        return self.lines_until(offset + 1) > self.lines_until(offset)

    def cut(self, start: int, stop: int) -> Piece:
        """The part of it between two offsets; empty when they lie outside."""
        first, last = max(0, start - self.offset), min(len(self.data), stop - self.offset)
        if first == 0 and last == len(self.data):
            return self
        lines, open_stream = count_lines(self.data, self.frames, self.open_stream, first)
        return replace(
            self,
            offset=self.offset + first,
            lines_before=self.lines_before + lines,
            open_stream=open_stream,
            frames=list(_cut_frames(self.frames, first, last)),
            data=self.data[first:last],
        )


def _cut_frames(frames: list[Frame], first: int, last: int) -> Iterator[Frame]:
    position = 0
    for length, stream, at in frames:
        start, end = max(position, first), min(position + length, last)
        if start < end:
            yield Frame(end - start, stream, at)
        position += length


@dataclass(frozen=True)
class State:
    """A log as its row has it now."""

    log_id: int
    size: int
    lines: int
    is_complete: bool
    first_kept: int  # offset of the first byte that is still stored


def state_of(log: Log) -> State:
    """Raises Log.DoesNotExist when the log was deleted."""
    rows = _rows(_STATE, log.pk)
    if not rows:
        raise Log.DoesNotExist
    size, lines, is_complete, first_kept = rows[0]
    return State(log.pk, size, lines, bool(is_complete), first_kept or 0)


def piece_at(log_id: int, offset: int) -> Piece | None:
    """The chunk that holds `offset`, else the first one behind it."""
    return _only(_AT, log_id, offset) or _only(_FIRST, log_id)


def piece_of_line(log_id: int, number: int) -> Piece | None:
    """The chunk in which the line `number` begins; None when that is deleted."""
    return _only(_OF_LINE, log_id, number)


def pieces(log_id: int, start: int, stop: int) -> Iterator[Piece]:
    """What is stored of the bytes between two offsets, in order, cut to them.

    All of it comes into memory at once.
    """
    for piece in _chunks(log_id, start, stop):
        part = piece.cut(start, stop)
        if part.data:
            yield part


def join(found: Iterator[Piece]) -> Piece | None:
    """Pieces that follow each other as one; None: there are none."""
    all_pieces = list(found)
    if len(all_pieces) < 2:
        return all_pieces[0] if all_pieces else None
    return replace(
        all_pieces[0],
        frames=list(chain.from_iterable(piece.frames for piece in all_pieces)),
        data=b"".join(piece.data for piece in all_pieces),
    )


def line_start(state: State, number: int) -> int:
    """The offset of a line: the first kept one before what is kept, the size behind the last."""
    if number > state.lines:
        return state.size
    piece = piece_of_line(state.log_id, number)
    start = piece.line_start(number) if piece else None
    return state.first_kept if start is None else min(start, state.size)


def all_pieces(log_id: int, start: int, stop: int) -> Iterator[Piece]:
    """The same for any number of bytes: a few chunks are in memory at a time."""
    while start < stop:
        found = False
        for piece in _chunks(log_id, start, min(start + _STEP, stop)):
            if piece.end > start:
                found = True
                yield piece.cut(start, stop)
                start = piece.end
        if not found:
            # Rolling has removed what was to come next.
            first = _only(_FIRST, log_id)
            if first is None or first.offset <= start:
                return
            start = first.offset


def _chunks(log_id: int, start: int, stop: int) -> Iterator[Piece]:
    """Every chunk with a byte between the offsets, and perhaps one before."""
    for row in _rows(_BETWEEN, log_id, stop, log_id, start):
        yield _piece(*row)


def _only(statement: str, *values: int) -> Piece | None:
    rows = _rows(statement, *values)
    return _piece(*rows[0]) if rows else None


def _rows(statement: str, *values: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _piece(offset: int, lines_before: int, index: bytes, data: bytes) -> Piece:
    # PostgreSQL may hand out memoryviews.
    begins_line, frames = unpack(bytes(index))
    open_stream = None if begins_line else frames[0].stream
    return Piece(offset, lines_before, open_stream, frames, bytes(data))
