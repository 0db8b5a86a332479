"""One stream for the lines of many processes, each with its name in front."""

from __future__ import annotations

import os
import sys
from typing import TextIO

WIDTH = len("worker")
# ANSI colours that can be read on dark and on light ground.
COLOURS = {"up": 36, "web": 34, "worker": 32, "beat": 35, "broker": 33}
# A line without an end is shown after this many bytes.
LONGEST_LINE = 64 * 1024


class Output:
    """Writes `name | text` lines, coloured when `stream` is a terminal that wants it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """`stream` is standard output unless given."""
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._partial: dict[str, bytes] = {}
        self._noise: dict[str, tuple[str, ...]] = {}

    def leave_out(self, name: str, noise: tuple[str, ...]) -> None:
        """Do not show lines of `name` that contain one of these."""
        self._noise[name] = noise

    def write(self, name: str, data: bytes) -> None:
        """Show the complete lines of `data`; the rest waits for its end."""
        lines = (self._partial.pop(name, b"") + data).split(b"\n")
        rest = lines.pop()
        for line in lines:
            self.line(name, line.decode("utf-8", "replace").rstrip("\r"))
        if len(rest) > LONGEST_LINE:
            self.line(name, rest.decode("utf-8", "replace"))
        elif rest:
            self._partial[name] = rest

    def end(self, name: str) -> None:
        """Show what the process wrote last, though its line has no end."""
        rest = self._partial.pop(name, b"")
        if rest:
            self.line(name, rest.decode("utf-8", "replace"))

    def line(self, name: str, text: str) -> None:
        if any(noise in text for noise in self._noise.get(name, ())):
            return
        prefix = f"{name:<{WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self._emit(f"{prefix} {text}\n")

    def block(self, *lines: str) -> None:
        """Lines for the person who started it, set apart from the stream."""
        self._emit("\n" + "".join(f"  {line}\n" for line in lines) + "\n")

    def _emit(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads any more; the processes are kept all the same.
            return
