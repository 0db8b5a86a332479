"""Finding bytes and lines in a log's stored chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from webjobs.logs.frames import Frame, count_lines, find_line, unpack
from webjobs.models import LogChunk

# Bytes that one query of a long read brings into memory, and one chunk more.
_STEP = 1024 * 1024
_COLUMNS = ("offset", "lines_before", "frames", "data")


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


def piece_at(log_id: int, offset: int) -> Piece | None:
    """The chunk that holds `offset`, else the first one behind it."""
    chunks = LogChunk.objects.filter(log_id=log_id)
    row = chunks.filter(offset__lte=offset).order_by("-offset").values_list(*_COLUMNS).first()
    if row is None:
        row = chunks.order_by("offset").values_list(*_COLUMNS).first()
    return None if row is None else _piece(*row)


def piece_of_line(log_id: int, number: int) -> Piece | None:
    """The chunk in which the line `number` begins; None when that is deleted."""
    chunks = LogChunk.objects.filter(log_id=log_id, lines_before__lt=number)
    row = chunks.order_by("-lines_before", "-offset").values_list(*_COLUMNS).first()
    return None if row is None else _piece(*row)


def pieces(log_id: int, start: int, stop: int) -> Iterator[Piece]:
    """What is stored of the bytes between two offsets, in order, cut to them.

    All of it comes into memory at once.
    """
    for piece in _chunks(log_id, start, stop):
        part = piece.cut(start, stop)
        if part.data:
            yield part


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
            kept = first_offset(log_id)
            if kept <= start:
                return
            start = kept


def _chunks(log_id: int, start: int, stop: int) -> Iterator[Piece]:
    """Every chunk with a byte between the offsets, and perhaps one before."""
    chunks = LogChunk.objects.filter(log_id=log_id, offset__lt=stop).order_by("offset")
    before = chunks.filter(offset__lte=start).order_by("-offset").values("offset").first()
    if before is not None:
        chunks = chunks.filter(offset__gte=before["offset"])
    for row in chunks.values_list(*_COLUMNS):
        yield _piece(*row)


def first_offset(log_id: int) -> int:
    """Of the first byte that is still stored; 0 for a log without any."""
    chunks = LogChunk.objects.filter(log_id=log_id).order_by("offset")
    return chunks.values_list("offset", flat=True).first() or 0


def _piece(offset: int, lines_before: int, index: bytes, data: bytes) -> Piece:
    # PostgreSQL hands out memoryviews.
    begins_line, frames = unpack(bytes(index))
    open_stream = None if begins_line else frames[0].stream
    return Piece(offset, lines_before, open_stream, frames, bytes(data))
