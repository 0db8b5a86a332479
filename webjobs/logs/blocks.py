"""The lines of a piece of a log as one text to search in, and positions in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from webjobs.logs.chunks import Piece, State, join, pieces
from webjobs.logs.frames import last_boundary, split_lines
from webjobs.logs.groups import without_marks
from webjobs.logs.terminal import visible

# Bytes that are read at once; more than any finder's window.
BLOCK = 1024 * 1024


class Part(NamedTuple):
    """Whole lines: text[start:stop]. One `is_long` line is more than can be searched at once."""

    start: int
    stop: int
    is_long: bool


class Block:
    """Whole lines of a log, or a part of one that is longer than a block."""

    def __init__(self, piece: Piece) -> None:
        self.text, self._is_exact = text_of(piece)
        self._piece = piece
        self._first = piece.lines_before + piece.begins_line(piece.offset)
        self._starts: list[tuple[int, int]] | None = None
        self._counted = (0, 0)

    @property
    def end(self) -> int:
        return self._piece.end

    def parts(self, window: int) -> Iterator[Part]:
        """Cut between lines into parts of at most `window` bytes; a longer line is a part."""
        start, size = 0, len(self.text)
        while start <= size:
            stop = size
            if size - start > window:
                stop = self.text.rfind(b"\n", start, start + window + 1)
            is_long = stop < 0
            if is_long:
                stop = self.text.find(b"\n", start)
                stop = size if stop < 0 else stop
            yield Part(start, stop, is_long)
            start = stop + 1

    def number(self, at: int) -> int:
        """The number in the log of the line that begins at `at` in the text, or behind it."""
        if at > len(self.text):
            return self.number(len(self.text)) + 1
        known, lines = self._counted if self._counted[0] <= at else (0, 0)
        lines += self.text.count(b"\n", known, at)
        self._counted = (at, lines)
        return self._first + lines

    def offset(self, at: int) -> int:
        """Where that line begins in the log; where the block ends for the one behind it."""
        if at > len(self.text):
            return self._piece.end
        if self._is_exact:
            return self._piece.offset + at
        return self._line(at)[0]

    def stream(self, at: int) -> int:
        """The stream of the line that begins at `at` in the text, or behind it."""
        return self._piece.frames[0].stream if self._is_exact else self._line(at)[1]

    def _line(self, at: int) -> tuple[int, int]:
        """Where that line begins in the log, and its stream."""
        if self._starts is None:
            piece = self._piece
            lines = split_lines(piece.data, piece.frames, piece.open_stream)
            self._starts = [(piece.offset + line.start, line.stream) for line in lines]
        return self._starts[self.number(at) - self._first]


def block_from(log_id: int, position: int, stop: int) -> Block | None:
    """The lines from `position` on; the end of the last one is there, or at `stop`.

    None: they are deleted.
    """
    piece = join(pieces(log_id, position, min(position + BLOCK, stop)))
    if piece is None:
        return None
    if piece.end < stop and (last := last_boundary(piece.data, piece.frames)):
        piece = piece.cut(piece.offset, piece.offset + last)
    return Block(piece)


def block_before(state: State, position: int) -> Block | None:
    """The lines that end at `position`; None: they are deleted."""
    first = max(state.first_kept, position - BLOCK)
    piece = join(pieces(state.log_id, first, position))
    if piece is None:
        return None
    line = piece.line_start(piece.lines_before + 1)
    if first > state.first_kept and line is not None:
        piece = piece.cut(line, position)
    return Block(piece)


def clean(data: bytes) -> bytes:
    """Bytes of one stream as readers see them: UTF-8, a newline at the end of a line."""
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.isascii():
        data = data.decode(errors="replace").encode()
    return visible(without_marks(data))


def text_of(piece: Piece) -> tuple[bytes, bool]:
    """The lines of `piece`, clean, with a newline between each two of them.

    And whether these are the very bytes of the piece.
    """
    frames = piece.frames
    parts: list[bytes] = []
    start = position = 0
    for index, (length, stream, _) in enumerate(frames, 1):
        position += length
        if index < len(frames) and frames[index].stream == stream:
            continue
        if start and piece.data[start - 1] != 0x0A:
            # Another stream has ended this line.
            parts.append(b"\n")
        parts.append(clean(piece.data[start:position]))
        start = position
    is_exact = len(parts) == 1 and parts[0] == piece.data
    text = b"".join(parts)
    return text[:-1] if piece.data.endswith(b"\n") else text, is_exact
