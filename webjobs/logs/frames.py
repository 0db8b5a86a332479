"""What the index of a chunk says about its bytes: which stream, when, and where lines begin.

A line ends at a newline, or where the stream changes in the middle of a line (a soft break, which
adds no byte). A carriage return alone ends no line. Pure functions; no database.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

# Whether the first byte begins a line; the first frame's time in microseconds since 1970.
_HEAD = struct.Struct("<?q")
# Length and, in the low three bits, the stream; time after the first frame's in microseconds.
_FRAME = struct.Struct("<Ii")
_STREAM_BITS = 3
# Times further than this from a chunk's first one do not fit into its index.
MAX_TIME_SPAN = 2**31 - 1


class Frame(NamedTuple):
    """Bytes that arrived together: their number, their stream, when (microseconds since 1970)."""

    length: int
    stream: int
    at: int


class RawLine(NamedTuple):
    """Where a line, or the part of it that is in these bytes, lies: data[start:end]."""

    start: int
    end: int
    stream: int
    at: int
    is_begun: bool  # its first byte is here


def pack(frames: Sequence[Frame], *, begins_line: bool) -> bytes:
    """The index of a chunk; 9 bytes and 8 for each frame."""
    base = frames[0].at
    return _HEAD.pack(begins_line, base) + b"".join(
        _FRAME.pack(length << _STREAM_BITS | stream, at - base) for length, stream, at in frames
    )


def unpack(index: bytes) -> tuple[bool, list[Frame]]:
    """What `pack` was given: whether the first byte begins a line, and the frames."""
    begins_line, base = _HEAD.unpack_from(index)
    mask = (1 << _STREAM_BITS) - 1
    return begins_line, [
        Frame(packed >> _STREAM_BITS, packed & mask, base + delta)
        for packed, delta in _FRAME.iter_unpack(index[_HEAD.size :])
    ]


def count_lines(
    data: bytes, frames: Iterable[Frame], open_stream: int | None, stop: int | None = None
) -> tuple[int, int | None]:
    """How many lines begin in data[:stop], and the stream of the line that is open after it.

    `open_stream` is the stream of the unfinished line before `data`, None when there is none.
    """
    stop = len(data) if stop is None else stop
    lines = position = 0
    for length, stream, _ in frames:
        end = min(position + length, stop)
        if end == position:
            break
        if stream != open_stream:
            lines += 1
        open_stream = stream
        lines += data.count(b"\n", position, end)
        if data[end - 1] == 0x0A:
            lines -= 1
            open_stream = None
        position = end
    return lines, open_stream


def find_line(
    data: bytes, frames: Iterable[Frame], open_stream: int | None, nth: int
) -> int | None:
    """The index in `data` of the `nth` (from 1) line that begins there; None: there are fewer."""
    position = 0
    for length, stream, _ in frames:
        end = position + length
        if stream != open_stream:
            nth -= 1
            if nth == 0:
                return position
        begun = data.count(b"\n", position, end - 1)
        if begun >= nth:
            for _ in range(nth):
                position = data.index(b"\n", position) + 1
            return position
        nth -= begun
        open_stream = None if data[end - 1] == 0x0A else stream
        position = end
    return None


def split_lines(data: bytes, frames: Iterable[Frame], open_stream: int | None) -> Iterator[RawLine]:
    """The lines of `data` in order, line ends included; `at` is when the first byte here came."""
    start = position = began = 0
    stream_of_line = open_stream
    is_begun = False
    for length, stream, at in frames:
        if position == start:
            began = at
        if stream != stream_of_line:
            if position > start and stream_of_line is not None:
                yield RawLine(start, position, stream_of_line, began, is_begun)
            start, began, stream_of_line, is_begun = position, at, stream, True
        searched, position = position, position + length
        while (newline := data.find(b"\n", max(start, searched), position)) >= 0:
            yield RawLine(start, newline + 1, stream, began, is_begun)
            start, began, is_begun = newline + 1, at, True
        if start == position:
            stream_of_line = None
    if start < position and stream_of_line is not None:
        yield RawLine(start, position, stream_of_line, began, is_begun)


def last_boundary(data: bytes, frames: Sequence[Frame]) -> int:
    """The end of `data` when a line ends there by its newline, else where its last line begins.

    0 when no line begins behind the first byte.
    """
    line = data.rfind(b"\n") + 1
    position = len(data)
    for index in range(len(frames) - 1, 0, -1):
        position -= frames[index].length
        if position <= line:
            break
        if frames[index].stream != frames[index - 1].stream:
            return position
    return line


def incomplete_character(data: bytes) -> int:
    """How many bytes at the end are the beginning of a UTF-8 character whose rest is missing."""
    if not data or data[-1] < 0x80:
        return 0
    tail = data[-3:]
    return len(tail) - codecs.utf_8_decode(tail, "replace", False)[1]


def unfinished(data: bytes) -> int:
    """The same, or 1 for a carriage return at the end, which a newline may follow."""
    return 1 if data.endswith(b"\r") else incomplete_character(data)
