"""Lines too long to be searched at once: parts of them that overlap."""

from __future__ import annotations

from typing import NamedTuple

from webjobs.logs.blocks import clean
from webjobs.logs.chunks import State, join, line_start, piece_at, pieces
from webjobs.logs.query import Finder

# Bytes on both sides of a part, so that `^`, `$` and `\b` know what stands there. A character
# has up to four, a line end two.
_AROUND = 8


class LongLine(NamedTuple):
    """A line by its number; `start` and `end` are where it and the next one begin."""

    number: int
    start: int
    end: int


class Window(NamedTuple):
    """A part of a line: text[start:stop], which begins at `offset` in the log."""

    offset: int
    text: bytes
    start: int
    stop: int


def long_line(state: State, number: int) -> LongLine:
    return LongLine(number, line_start(state, number), line_start(state, number + 1))


def line_around(state: State, position: int) -> LongLine | None:
    """The line in whose midst `position` is; None: a line begins there."""
    piece = piece_at(state.log_id, position)
    if piece is None or not piece.offset < position + 1 <= piece.end:
        return None
    if piece.begins_line(position):
        return None
    return long_line(state, piece.lines_until(position))


def window_starts(line: LongLine, finder: Finder) -> range:
    """The offsets of the parts of `line`; the rest of a line begins at one of them, too."""
    return range(line.start, line.end, finder.window - finder.overlap)


def window_at(log_id: int, at: int, line: LongLine, finder: Finder) -> Window | None:
    """The part that begins at about `at`, never inside a character; None: it is deleted."""
    first = max(line.start, at - _AROUND)
    last = min(line.end, at + finder.window + _AROUND)
    piece = join(pieces(log_id, first, last))
    if piece is None:
        return None
    data = piece.data
    if piece.end == line.end and data.endswith(b"\n"):
        data = data[: -2 if data.endswith(b"\r\n") else -1]
    start = _next_character(data, max(0, at - piece.offset))
    stop = max(start, _next_character(data, at + finder.window - piece.offset))
    before = clean(data[_next_character(data, 0) : start])
    here = clean(data[start:stop])
    text = before + here + clean(data[stop:])
    return Window(piece.offset + start, text, len(before), len(before) + len(here))


def _next_character(data: bytes, index: int) -> int:
    """`index`, or that of the character behind it where it lies inside one."""
    index = min(index, len(data))
    rest = data[index : index + 4]
    return index + next((i for i, byte in enumerate(rest) if byte & 0xC0 != 0x80), 0)
