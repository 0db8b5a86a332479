"""What a writer has been given and the database has not: chunks under construction."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from webjobs.logs.frames import MAX_TIME_SPAN, Frame, incomplete_character

MAX_CHUNK = 256 * 1024
# Beyond this the index of a chunk would outgrow its bytes.
MAX_FRAMES = 4096
# Microseconds within which bytes of one stream share a frame: a line's time is this exact.
SAME_TIME = 1000


@dataclass(slots=True)
class Pending:
    """A chunk that is not stored yet."""

    parts: list[bytes] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    size: int = 0

    def takes(self, at: int) -> bool:
        return len(self.frames) < MAX_FRAMES and (
            not self.frames or abs(at - self.frames[0].at) <= MAX_TIME_SPAN
        )

    def add(self, stream: int, data: bytes, at: int) -> None:
        self.parts.append(data)
        self.size += len(data)
        if self.frames:
            length, last_stream, last_at = self.frames[-1]
            if last_stream == stream and 0 <= at - last_at < SAME_TIME:
                self.frames[-1] = Frame(length + len(data), stream, last_at)
                return
        self.frames.append(Frame(len(data), stream, at))

    def joined(self) -> bytes:
        """All bytes; joined once, because a failed write asks again."""
        if len(self.parts) > 1:
            self.parts = [b"".join(self.parts)]
        return self.parts[0]


class Buffer:
    """Bytes in the order they arrived, cut into chunks of at most MAX_CHUNK bytes.

    The beginning of a character at the end of `data` is held back until its rest arrives, so that
    no other stream's bytes get between them. `size` does not count what is held.
    """

    def __init__(self) -> None:
        self.size = 0
        self._sealed: deque[Pending] = deque()
        self._open = Pending()
        self._held: dict[int, bytes] = {}

    def add(self, stream: int, data: bytes, at: int) -> None:
        """`at` is in microseconds since 1970."""
        if self._held:
            data = self._held.pop(stream, b"") + data
        if missing := incomplete_character(data):
            self._held[stream] = data[-missing:]
            data = data[:-missing]
        if data:
            self._put(stream, data, at)

    def release(self, at: int) -> None:
        """Give up waiting for the rest of characters."""
        held, self._held = self._held, {}
        for stream, data in held.items():
            self._put(stream, data, at)

    def first(self, count: int) -> list[Pending]:
        """Up to `count` chunks from the front; they no longer grow."""
        if self._open.size and len(self._sealed) < count:
            self._seal()
        return [self._sealed[index] for index in range(min(count, len(self._sealed)))]

    def remove(self, count: int) -> None:
        """The first `count` chunks are stored."""
        for _ in range(count):
            self.size -= self._sealed.popleft().size

    def _put(self, stream: int, data: bytes, at: int) -> None:
        self.size += len(data)
        if self._open.size and (
            self._open.size + len(data) > MAX_CHUNK or not self._open.takes(at)
        ):
            self._seal()
        while len(data) > MAX_CHUNK:
            self._open.add(stream, data[:MAX_CHUNK], at)
            data = data[MAX_CHUNK:]
            self._seal()
        self._open.add(stream, data, at)

    def _seal(self) -> None:
        self._sealed.append(self._open)
        self._open = Pending()
