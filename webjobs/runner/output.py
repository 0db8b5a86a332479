"""Reading what a process prints, and masking secret values in it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Sequence

from webjobs.states import Stream

Sink = Callable[[Stream, bytes, float], None]

READ_BYTES = 65536
# One noisy process must not starve the hundreds that one thread may look after.
READS_PER_STEP = 4
# A process that fills the usual pipe gets a larger one: fewer switches between it and us.
LARGE_PIPE_BYTES = 512 * 1024
MASK = b"***"
# Shorter values would mask half of an ordinary text.
SHORTEST_SECRET = 4
# How long bytes that may begin a secret are held back from the live log.
HOLD_SECONDS = 0.2

_F_SETPIPE_SZ = 1031


class Masker:
    """Replaces secret values in a stream of bytes, wherever the pieces are cut.

    A value is found as if the stream were one piece, the longest first, unless `release` was
    called in its midst.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        usable = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(usable, key=len, reverse=True)
        self._held = b""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what can be passed on."""
        text = self._held + data
        text, self._held = self._mask(text, self._open_starts(text))
        return text

    def release(self) -> bytes:
        """Return what was held back."""
        text, self._held = self._held, b""
        return self._mask(text, [])[0]

    def _open_starts(self, text: bytes) -> list[int]:
        """Where a secret may begin of which only the first part has come, in order."""
        starts = set()
        for secret in self._secrets:
            at = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
            while at >= 0:
                if secret.startswith(text[at:]):
                    starts.add(at)
                at = text.find(secret[:1], at + 1)
        return sorted(starts)

    def _mask(self, text: bytes, starts: list[int]) -> tuple[bytes, bytes]:
        """The masked text, and its end that is to be held back."""
        parts = []
        done = 0
        present = [secret for secret in self._secrets if secret in text]
        while True:
            hold = next((start for start in starts if start >= done), len(text))
            found = [(at, secret) for secret in present if (at := text.find(secret, done)) >= 0]
            # At the same place the longest wins: min() keeps the first, and they are in order.
            at, secret = min(found, key=lambda pair: pair[0], default=(len(text), b""))
            if at >= hold:
                parts.append(text[done:hold])
                return b"".join(parts), text[hold:]
            parts += (text[done:at], MASK)
            done = at + len(secret)


class Reader:
    """One output pipe of a process, read without blocking and handed to the sink.

    Every byte reaches the sink once and in order, except secret values.
    """

    def __init__(
        self, fd: int, stream: Stream, sink: Sink, secrets: Sequence[bytes], now: float
    ) -> None:
        self.fd = fd
        self.open = True
        self.last_output = now
        self._stream = stream
        self._sink = sink
        self._masker = Masker(secrets) if secrets else None
        self._hold_until: float | None = None
        self._enlarged = False

    @property
    def deadline(self) -> float | None:
        """When bytes held back are to be released."""
        return self._hold_until

    def step(self, now: float) -> int:
        """Read some of what is there; 0 when nothing was. `open` tells the end of the pipe."""
        total = 0
        for _ in range(READS_PER_STEP):
            try:
                data = os.read(self.fd, READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                self.open = False
                self._release()
                break
            total += len(data)
            self._take(data, now)
            if len(data) < READ_BYTES:
                break
            self._enlarge()
        return total

    def release_due(self, now: float) -> None:
        """Hand over what was held back for long enough."""
        if self._hold_until is not None and now >= self._hold_until:
            self._release()

    def finish(self) -> None:
        """No more is read; hand over what was held back."""
        self.open = False
        self._release()

    def _take(self, data: bytes, now: float) -> None:
        self.last_output = now
        if self._masker is not None:
            data = self._masker.feed(data)
            self._hold_until = now + HOLD_SECONDS if self._masker.holds else None
        self._hand_over(data)

    def _release(self) -> None:
        self._hold_until = None
        if self._masker is not None:
            self._hand_over(self._masker.release())

    def _hand_over(self, data: bytes) -> None:
        if data:
            self._sink(self._stream, data, time.time())

    def _enlarge(self) -> None:
        if self._enlarged:
            return
        self._enlarged = True
        try:
            fcntl.fcntl(self.fd, _F_SETPIPE_SZ, LARGE_PIPE_BYTES)
        except OSError:
            # Not Linux, or beyond this user's share of pipe memory: it works as it is.
            return
