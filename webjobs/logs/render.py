"""Whole logs as bytes for downloads: as the job wrote them, or as Azure shows them.

Both read a log up to the end that it has when they begin, a little at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from webjobs.logs.chunks import Piece, all_pieces, state_of
from webjobs.logs.frames import incomplete_character
from webjobs.models import Log
from webjobs.states import Stream

_LEVELS = {
    Stream.OUT: "INFO",
    Stream.ERR: "ERR ",
    Stream.SYSTEM: "SYS INFO",
    Stream.SYSTEM_WARN: "SYS WARN",
    Stream.SYSTEM_ERR: "SYS ERR ",
}
_SECOND = 1_000_000


def raw(log: Log, stream: Stream | None = None) -> Iterator[bytes]:
    """The bytes of one stream exactly as they were written; None: of all, in order of arrival."""
    for piece in all_pieces(log.pk, 0, state_of(log).size):
        if stream is None or all(frame.stream == stream for frame in piece.frames):
            yield piece.data
        elif data := b"".join(part for part, of, _ in _parts(piece) if of == stream):
            yield data


def gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes as a gzip file, a little at a time."""
    packer = zlib.compressobj(level=5, wbits=zlib.MAX_WBITS | 16)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def azure_text(log: Log, start: int = 0) -> Iterator[bytes]:
    """The log as Azure's `output_log.txt` has it: UTF-8, CRLF, a prefix on every line.

    Newline, CRLF and a lone carriage return end a line. From a `start` inside a line the rest of
    it is shown as a line.
    """
    for data, _ in azure_parts(log, start, is_over=True):
        yield data


def azure_parts(log: Log, start: int = 0, *, is_over: bool) -> Iterator[tuple[bytes, int | None]]:
    """Pieces of Azure's text, each with the offset at which it ends if a line begins there.

    The line that is open at the end of the log is closed only when it `is_over`: what was read
    of a log that grows stays true.
    """
    text = _AzureText(log.instance_key[:6])
    for piece in all_pieces(log.pk, start, state_of(log).size):
        data = b"".join(text.render(*part) for part in _parts(piece))
        yield data, piece.end if text.is_between_lines else None
    if is_over and (rest := text.end_line()):
        yield rest, None


def _parts(piece: Piece) -> Iterator[tuple[bytes, int, int]]:
    """Bytes, stream and second; as long as both stay the same, and no longer."""
    start = position = 0
    stream, second = piece.frames[0].stream, piece.frames[0].at // _SECOND
    for length, next_stream, at in piece.frames:
        if next_stream != stream or at // _SECOND != second:
            yield piece.data[start:position], stream, second
            start, stream, second = position, next_stream, at // _SECOND
        position += length
    yield piece.data[start:position], stream, second


class _AzureText:
    """Turns the parts of a log into prefixed lines; carries what is unfinished between them."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._open_stream: int | None = None
        # Of the open line: a character whose last bytes have not come.
        self._character = b""
        # Streams that ended with a carriage return: a newline that comes next belongs to it.
        self._returned: set[int] = set()

    @property
    def is_between_lines(self) -> bool:
        """Nothing of what was rendered matters for what comes next."""
        return self._open_stream is None and not self._returned

    def render(self, data: bytes, stream: int, second: int) -> bytes:
        head = b"" if self._open_stream in (None, stream) else self.end_line()
        data = self._character + self._newlines_only(data, stream)
        if not data:
            return head
        prefix = self._prefix(stream, second)
        if self._open_stream is None:
            head += prefix
        is_ended = data.endswith(b"\n")
        self._open_stream = None if is_ended else stream
        body = self._whole_characters(data[:-1] if is_ended else data, is_last=is_ended)
        return head + body.replace(b"\n", b"\r\n" + prefix) + (b"\r\n" if is_ended else b"")

    def end_line(self) -> bytes:
        """What closes the line that is open; nothing when none is."""
        if self._open_stream is None:
            return b""
        self._open_stream = None
        return self._whole_characters(self._character, is_last=True) + b"\r\n"

    def _prefix(self, stream: int, second: int) -> bytes:
        time = datetime.fromtimestamp(second, UTC).strftime("%m/%d/%Y %H:%M:%S")
        return f"[{time} > {self._instance}: {_LEVELS[Stream(stream)]}] ".encode()

    def _newlines_only(self, data: bytes, stream: int) -> bytes:
        """With every line end as a newline, across calls too."""
        if stream in self._returned:
            self._returned.discard(stream)
            data = data.removeprefix(b"\n")
        if b"\r" not in data:
            return data
        if data.endswith(b"\r"):
            self._returned.add(stream)
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _whole_characters(self, data: bytes, *, is_last: bool) -> bytes:
        """Valid UTF-8; keeps back what only the next bytes of the line can tell."""
        self._character = b""
        if not is_last and (missing := incomplete_character(data)):
            self._character = data[-missing:]
            data = data[:-missing]
        return data if data.isascii() else data.decode(errors="replace").encode()
