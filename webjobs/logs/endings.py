"""Where groups of lines end: a search by marks, in steps that take a moment each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from webjobs.logs.blocks import BLOCK
from webjobs.logs.chunks import Piece, join, line_start, pieces, state_of
from webjobs.logs.frames import last_boundary, split_lines
from webjobs.logs.groups import mark_of
from webjobs.models import Log
from webjobs.states import Stream

STEP_SECONDS = 0.4
# Bytes of a line that can hold marks.
_MARK_BYTES = 4096


class Ending(NamedTuple):
    """What one step has found, and where and how deep the next one goes on."""

    line: int | None  # of the end mark
    position: int
    depth: int  # groups of the same key that have begun inside and not ended
    is_done: bool


def group_end(
    log: Log, line: int, key: str, *, position: int | None = None, depth: int = 0
) -> Ending:
    """The end of the group `key` that begins on `line`; `position` is that of the step before.

    Raises Log.DoesNotExist when the log was deleted.
    """
    state = state_of(log)
    deadline = time.monotonic() + STEP_SECONDS
    at = line_start(state, line + 1) if position is None else max(position, state.first_kept)
    while at < state.size:
        piece = join(pieces(state.log_id, at, min(at + BLOCK, state.size)))
        if piece is None:
            break
        if piece.end < state.size and (last := last_boundary(piece.data, piece.frames)):
            piece = piece.cut(piece.offset, piece.offset + last)
        for number, ends, begins in _marks(piece, key):
            depth -= ends
            if depth < 0:
                return Ending(number, at, 0, is_done=True)
            depth += begins
        at = piece.end
        if time.monotonic() > deadline:
            return Ending(None, at, depth, is_done=at >= state.size)
    return Ending(None, at, depth, is_done=True)


def _marks(piece: Piece, key: str) -> Iterator[tuple[int, int, bool]]:
    """Of each line with a mark of `key`: its number, how many it ends, whether it begins one."""
    words = {"github": b"group::", "azure": b"group]"}
    needle = words.get(key) or b":" + key.partition(":")[2].encode()
    if needle not in piece.data:
        return
    number = piece.lines_before
    for start, end, stream, _, is_begun in split_lines(piece.data, piece.frames, piece.open_stream):
        number += is_begun
        if not is_begun or Stream(stream).is_system:
            continue
        if piece.data.find(needle, start, min(end, start + _MARK_BYTES)) < 0:
            continue
        text = piece.data[start : min(end, start + _MARK_BYTES)].decode(errors="replace")
        mark = mark_of(text.removesuffix("\n"))
        if mark:
            yield number, mark.ends.count(key), mark.begins == key
