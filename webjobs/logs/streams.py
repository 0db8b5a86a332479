"""Pages of some streams of a log only, wherever in it their lines are.

Chunks in which no such stream occurs are passed over by their indexes; their bytes are not read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from django.db import connection

from webjobs.logs.chunks import State, line_start, state_of
from webjobs.logs.frames import unpack
from webjobs.logs.reader import MAX_BYTES, Line, Page, clean_start, page_between
from webjobs.models import Log

# Seconds after which a page is handed out with what was found; its edge tells where to go on.
SECONDS = 0.4
# Chunks whose indexes one query brings.
_HEADS = 64

_FORWARD = """
    SELECT "offset", size, frames FROM webjobs_logchunk
    WHERE log_id = %s AND "offset" >= COALESCE(
        (SELECT MAX("offset") FROM webjobs_logchunk WHERE log_id = %s AND "offset" <= %s), 0)
    ORDER BY "offset" LIMIT %s
"""
_BACKWARD = """
    SELECT "offset", size, frames FROM webjobs_logchunk
    WHERE log_id = %s AND "offset" < %s ORDER BY "offset" DESC LIMIT %s
"""

Streams = frozenset[int]


def some_after(log: Log, offset: int, streams: Streams, count: int, max_bytes: int) -> Page:
    """About `count` lines of `streams` from `offset` on. `end` is where to go on."""
    state = state_of(log)
    return _forward(
        state, min(max(offset, state.first_kept), state.size), streams, count, max_bytes
    )


def some_lines(log: Log, line: int, streams: Streams, count: int, max_bytes: int) -> Page:
    """The same from a line on."""
    state = state_of(log)
    return _forward(state, line_start(state, line), streams, count, max_bytes)


def some_before(log: Log, offset: int, streams: Streams, count: int, max_bytes: int) -> Page:
    """About `count` lines of `streams` before `offset`. `start` is where to go on."""
    state = state_of(log)
    stop = min(max(offset, state.first_kept), state.size)
    deadline = time.monotonic() + SECONDS
    pages: list[Page] = []
    start = stop
    lines = room = 0
    for first, last in _chunks_back(state, stop, streams):
        at = min(last, stop)
        while at > first and lines < count and room < max_bytes:
            begin = clean_start(state, max(first, at - MAX_BYTES), at)
            page = _only(page_between(state, begin, at), streams)
            pages.insert(0, page)
            lines += len(page.lines)
            room += sum(len(line.text) for line in page.lines)
            start = at = begin
        if at > first or lines >= count or room >= max_bytes or time.monotonic() > deadline:
            break
        start = first
    else:
        start = state.first_kept
    return _joined(state, pages, start, stop)


def _forward(state: State, start: int, streams: Streams, count: int, max_bytes: int) -> Page:
    deadline = time.monotonic() + SECONDS
    pages: list[Page] = []
    end = start
    lines = room = 0
    for first, last in _chunks_from(state, start, streams):
        end = max(end, first)
        while end < last and lines < count and room < max_bytes:
            stop = min(last, end + max_bytes)
            page = page_between(state, end, stop)
            if page.end <= end and stop < state.size:
                # A character, or a line end, goes on in the next chunk.
                page = page_between(state, end, min(stop + 8, state.size))
            page = _only(page, streams)
            if page.end <= end:
                return _joined(state, pages, start, end)
            pages.append(page)
            lines += len(page.lines)
            room += sum(len(line.text) for line in page.lines)
            end = page.end
        if end < last or time.monotonic() > deadline:
            return _joined(state, pages, start, end)
    return _joined(state, pages, start, max(end, state.size))


def _only(page: Page, streams: Streams) -> Page:
    return replace(page, lines=[line for line in page.lines if line.stream in streams])


def _joined(state: State, pages: list[Page], start: int, end: int) -> Page:
    context = pages[0].context if pages else []
    first = pages[0].first_line if pages else 1
    lines: list[Line] = []
    for page in pages:
        for line in page.lines:
            if lines and line.is_rest and lines[-1].number == line.number:
                lines[-1].text += line.text
                lines[-1].is_partial = line.is_partial
            else:
                lines.append(line)
    return Page(
        lines,
        start,
        end,
        first,
        size=state.size,
        line_count=state.lines,
        first_kept=state.first_kept,
        is_complete=state.is_complete,
        context=context,
    )


def _chunks_from(state: State, start: int, streams: Streams) -> Iterator[tuple[int, int]]:
    """First and last offset of each chunk from `start` on that has some of `streams`."""
    while start < state.size:
        rows = _rows(_FORWARD, state.log_id, state.log_id, start, _HEADS)
        for offset, size, frames in rows:
            if offset + size > start and _has(frames, streams):
                yield max(offset, start), min(offset + size, state.size)
        if not rows or rows[-1][0] + rows[-1][1] <= start:
            return
        start = rows[-1][0] + rows[-1][1]


def _chunks_back(state: State, stop: int, streams: Streams) -> Iterator[tuple[int, int]]:
    while rows := _rows(_BACKWARD, state.log_id, stop, _HEADS):
        for offset, size, frames in rows:
            if _has(frames, streams):
                # What was put together meanwhile may reach behind where this has come to.
                yield offset, min(offset + size, stop)
        stop = rows[-1][0]


def _has(frames: bytes, streams: Streams) -> bool:
    return any(frame.stream in streams for frame in unpack(bytes(frames))[1])


def _rows(statement: str, *values: int) -> list[tuple[int, int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
