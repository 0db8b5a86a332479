"""Reading a log by pages. A page never costs more than its own bytes, wherever it lies.

Reading needs no lock: a reader sees the chunks of committed transactions, in order, without gap,
while the writer goes on in another process. All functions raise Log.DoesNotExist when the log was
deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from webjobs.logs.chunks import Piece, State, join, line_start, piece_at, pieces, state_of
from webjobs.logs.frames import split_lines, unfinished
from webjobs.models import Log
from webjobs.states import Stream

# Bytes of a page.
MAX_BYTES = 256 * 1024
# Smaller pages could not hold one character and a line end.
MIN_BYTES = 16
# What a page is told of the bytes before it: colours may have been set there.
CONTEXT_BYTES = 16 * 1024

_STREAMS = tuple(Stream)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Line:
    """A line, or the part of one that a page holds. Numbers count from 1, offsets from 0.

    Two parts of a line carry the same number: their texts, put together, are the line's text.
    """

    number: int
    offset: int  # of its first byte on this page
    at: datetime  # when that byte arrived
    stream: Stream
    text: str  # without line end; bytes that are not UTF-8 are U+FFFD
    is_partial: bool  # goes on, or may go on, behind this page
    is_rest: bool = False  # began before this page


@dataclass(frozen=True, slots=True)
class Page:
    """Lines that follow each other; `start` and `end` are offsets, and `end` is where to go on."""

    lines: list[Line]
    start: int
    end: int
    first_line: int  # number of the first line here, or of the one that would be
    size: int  # of the whole log, so that `end == size` means: nothing more yet
    line_count: int  # of the whole log
    first_kept: int  # offset of the first byte that is still stored
    is_complete: bool  # nothing will be added any more
    # The last lines, or parts of them, before `start`: up to CONTEXT_BYTES, if they can matter.
    context: list[Line] = field(default_factory=list)


def read_after(log: Log, offset: int, max_bytes: int = MAX_BYTES) -> Page:
    """What begins at `offset`, which is 0 or the `end` of a page before: live following.

    Stops at `max_bytes`, wherever in a line, but never between the bytes of a character or of a
    line end; those wait for the next page. From any other offset inside a character its remaining
    bytes show as U+FFFD. Below `first_kept` it starts there.
    """
    state = state_of(log)
    start = min(max(offset, state.first_kept), state.size)
    return page_between(state, start, min(state.size, start + max(max_bytes, MIN_BYTES)))


def read_lines(log: Log, first_line: int, count: int, max_bytes: int = MAX_BYTES) -> Page:
    """Up to `count` lines from the line `first_line` on, at most `max_bytes`.

    Lines that are no longer kept are left out: it starts at the first one that is, which may be
    the rest of a line.
    """
    state = state_of(log)
    first_line = max(first_line, _first_kept_line(state))
    start = line_start(state, first_line)
    stop = line_start(state, first_line + count)
    return page_between(state, start, min(stop, start + max(max_bytes, MIN_BYTES)))


def read_before(log: Log, offset: int, count: int, max_bytes: int = MAX_BYTES) -> Page:
    """Up to `count` lines that begin before `offset`, to that offset, at most `max_bytes`.

    Where a single line is longer, its end alone is the page.
    """
    return _before(state_of(log), offset, count, max_bytes)


def tail(log: Log, count: int, max_bytes: int = MAX_BYTES) -> Page:
    """The last `count` lines."""
    state = state_of(log)
    return _before(state, state.size, count, max_bytes)


def _before(state: State, offset: int, count: int, max_bytes: int) -> Page:
    stop = min(max(offset, state.first_kept), state.size)
    start = line_start(state, max(1, _lines_until(state, stop) - count + 1))
    room = max(max_bytes, MIN_BYTES)
    if stop - start > room:
        start = clean_start(state, stop - room, stop)
    return page_between(state, start, stop)


def _first_kept_line(state: State) -> int:
    """The number of the line that the first kept byte belongs to."""
    piece = piece_at(state.log_id, state.first_kept) if state.first_kept else None
    return piece.lines_before + piece.begins_line(piece.offset) if piece else 1


def _lines_until(state: State, offset: int) -> int:
    if offset >= state.size:
        return state.lines
    piece = piece_at(state.log_id, offset)
    return piece.lines_until(max(offset, piece.offset)) if piece else state.lines


def clean_start(state: State, start: int, stop: int) -> int:
    """The first line that begins in these bytes, or else the first character."""
    piece = join(pieces(state.log_id, start, stop))
    if piece is None:
        return start
    found = piece.line_start(piece.lines_before + 1)
    if found is not None:
        return found
    broken = next((i for i, byte in enumerate(piece.data[:4]) if byte & 0xC0 != 0x80), 0)
    return piece.offset + broken


def page_between(state: State, start: int, stop: int) -> Page:
    """The lines between two offsets; `end` is a little before `stop` when that cuts a character."""
    if start >= state.size:
        return _made(state, [], start, start, state.lines + 1)
    # One byte more, where there is one, tells whether a line begins behind the page.
    first, last = max(state.first_kept, start - CONTEXT_BYTES), min(stop + 1, state.size)
    around = join(pieces(state.log_id, first, last))
    if around is None or around.offset >= stop or around.end <= start:
        return _made(state, [], start, start, _lines_until(state, start) + 1)
    whole = around.cut(start, around.end)
    context = _context(around.cut(0, start), whole) if around.offset < start else []
    is_boundary = whole.begins_line(stop) if stop < whole.end else state.is_complete
    piece = whole.cut(start, stop)
    lines = list(_lines(piece, is_boundary=is_boundary))
    if lines[-1].is_partial:
        left = unfinished(piece.data[lines[-1].offset - piece.offset :])
        if left:
            piece = piece.cut(start, piece.end - left)
            lines = list(_lines(piece, is_boundary=False))
    first_line = piece.lines_before + whole.begins_line(piece.offset)
    return _made(state, lines, piece.offset, piece.end, first_line, context)


def _context(before: Piece, page: Piece) -> list[Line]:
    """The lines of `before`, when they can matter to how those of `page` look."""
    if b"\x1b" in before.data or b"\xc2\x9b" in before.data or not page.begins_line(page.offset):
        return list(_lines(before, is_boundary=False))
    return []


def _lines(piece: Piece, *, is_boundary: bool) -> Iterator[Line]:
    """Its lines; `is_boundary`: the last one ends with it, even without a newline."""
    number = piece.lines_before
    last = len(piece.data)
    moment, when = 0, _EPOCH
    for start, end, stream, at, is_begun in split_lines(
        piece.data, piece.frames, piece.open_stream
    ):
        number += is_begun
        if at != moment:
            moment, when = at, _EPOCH + timedelta(microseconds=at)
        content = piece.data[start:end]
        is_ended = content.endswith(b"\n")
        if is_ended:
            content = content[: -2 if content.endswith(b"\r\n") else -1]
        yield Line(
            number,
            piece.offset + start,
            when,
            _STREAMS[stream],
            content.decode(errors="replace"),
            is_partial=end == last and not is_ended and not is_boundary,
            is_rest=not is_begun,
        )


def _made(
    state: State,
    lines: list[Line],
    start: int,
    end: int,
    first_line: int,
    context: list[Line] | None = None,
) -> Page:
    return Page(
        lines,
        start,
        end,
        first_line,
        size=state.size,
        line_count=state.lines,
        first_kept=state.first_kept,
        is_complete=state.is_complete,
        context=context or [],
    )
