"""Output as a terminal would show it, line by line: colours, progress lines, nothing else.

`\\r`, backspace and the sequences that erase or move within a line act as they do there. Every
other control character or escape sequence is swallowed, finished or not. Nothing is ever
interpreted as markup. Time and memory are linear in the text, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from webjobs.logs.colours import PLAIN, Style, changed

# Text and the style it has.
Segment = tuple[str, Style]

# What a program may ask for that the page cannot show with one element for each change.
MAX_SEGMENTS = 1000
# Columns that the cursor may be moved beyond as many as there are characters.
_MAX_JUMP = 512
# How often, on average, every place of a line may be blanked.
_MAX_BLANKS = 16

# A sequence may be unfinished: then nothing of it is shown either.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
_TOKEN = re.compile(_SEQUENCE)
_SGR = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]*)m")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
# What makes a line other than its text without sequences.
_MOVES = re.compile(r"[\r\b]|(?:\x1b\[|\x9b)[0-9;]*[CDGKX]")
_MOVE = re.compile(r"(?:\x1b\[|\x9b)([0-9]*)[0-9;]*([CDGKX])")

# The same in bytes of UTF-8, for searching.
_BYTES = re.compile(
    rb"(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*[@-~]?"
    rb"|\x1b[\]PX^_](?:[^\n\x07\x1b\xc2]|\xc2[^\x9c])*(?:\x07|\xc2\x9c|\x1b\\)?"
    rb"|\x1b[ -/]*[0-~]?"
    rb"|[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]"
)
_CONTROL_BYTES = bytes({*range(32), 0x7F} - {0x09, 0x0A})
_SGR_BYTES = re.compile(rb"\x1b\[[0-9;]*m")
_MOVE_BYTES = re.compile(rb"[\r\x08]|(?:\x1b\[|\xc2\x9b)[0-9;]*[CDGKX]")


def style_after(style: Style, text: str) -> Style:
    """The style at the end of `text` when it begins in `style`."""
    for found in _SGR.finditer(text):
        style = changed(style, found[1])
    return style


def segments(text: str, style: Style = PLAIN) -> list[Segment]:
    """What a line shows that begins in `style`; neighbours differ in their styles."""
    if not _CONTROL.search(text):
        return [(text, style)] if text else []
    runs = _Row(text, style).runs() if _MOVES.search(text) else _runs(text, style)
    return _limited(runs)


def visible(text: bytes) -> bytes:
    """UTF-8 lines as the page shows them, without their styles; the number of lines stays."""
    if not _has_controls(text):
        return text
    # Most coloured output has nothing else in it.
    coloured = _SGR_BYTES.sub(b"", text)
    if not _has_controls(coloured):
        return coloured
    parts: list[bytes] = []
    position = 0
    while found := _MOVE_BYTES.search(text, position):
        start = max(position, text.rfind(b"\n", position, found.start()) + 1)
        end = text.find(b"\n", found.end())
        end = len(text) if end < 0 else end
        parts += [_BYTES.sub(b"", text[position:start]), _shown_line(text[start:end])]
        position = end
    parts.append(_BYTES.sub(b"", text[position:]))
    return b"".join(parts)


def _has_controls(text: bytes) -> bool:
    # Faster by far than looking for them with an expression.
    return len(text.translate(None, _CONTROL_BYTES)) < len(text) or b"\xc2" in text


def _shown_line(line: bytes) -> bytes:
    return "".join(text for text, _ in segments(line.decode(errors="replace"))).encode()


def _limited(runs: Iterator[Segment]) -> list[Segment]:
    found: list[Segment] = []
    rest: list[str] = []
    for style, group in groupby(runs, key=lambda run: run[1]):
        text = "".join(run[0] for run in group)
        if not text:
            continue
        if len(found) < MAX_SEGMENTS:
            found.append((text, style))
        else:
            rest.append(text)
    if rest:
        found.append(("".join(rest), PLAIN))
    return found


def _runs(text: str, style: Style) -> Iterator[Segment]:
    """The text between the sequences; only colours act."""
    position = 0
    for token in _TOKEN.finditer(text):
        if token.start() > position:
            yield text[position : token.start()], style
        position = token.end()
        if text[position - 1] == "m":
            style = style_after(style, token[0])
    yield text[position:], style


class _Row:
    """One line of a terminal: characters that may be written over."""

    def __init__(self, text: str, style: Style) -> None:
        self._characters: list[str] = []
        self._styles: list[Style] = []
        self._column = 0
        # However far it jumps, and however often it erases what is there.
        self._furthest = len(text) + _MAX_JUMP
        self._blanks = _MAX_BLANKS * self._furthest
        position = 0
        for token in _TOKEN.finditer(text):
            start, end = token.span()
            if position < start:
                self._write(text[position:start], style)
            position = end
            if text[end - 1] == "m":
                style = style_after(style, token[0])
            else:
                self._move(token[0])
        self._write(text[position:], style)

    def runs(self) -> Iterator[Segment]:
        return zip(self._characters, self._styles, strict=True)

    def _write(self, text: str, style: Style) -> None:
        self._reach(self._column)
        end = self._column + len(text)
        self._characters[self._column : end] = text
        self._styles[self._column : end] = [style] * len(text)
        self._column = end

    def _reach(self, column: int) -> None:
        missing = column - len(self._characters)
        if missing > 0:
            self._characters += " " * missing
            self._styles += [PLAIN] * missing

    def _move(self, sequence: str) -> None:
        if sequence == "\r":
            self._column = 0
        elif sequence == "\b":
            self._column = max(0, self._column - 1)
        elif len(sequence) > 1 and (found := _MOVE.fullmatch(sequence)):
            digits = found[1]
            self._act(found[2], int(digits) if digits and len(digits) < 6 else 0)

    def _act(self, what: str, count: int) -> None:
        if what == "C":
            self._column += max(1, count)
        elif what == "D":
            self._column -= max(1, count)
        elif what == "G":
            self._column = count - 1
        elif what == "K":
            self._erase(count)
        else:
            self._blank(self._column, self._column + max(1, count))
        self._column = min(max(0, self._column), self._furthest)

    def _erase(self, part: int) -> None:
        if part != 1:
            del self._characters[self._column :]
            del self._styles[self._column :]
        if part != 0:
            self._blank(0, self._column + 1)

    def _blank(self, start: int, stop: int) -> None:
        stop = min(stop, len(self._characters))
        self._blanks -= stop - start
        if start < stop and self._blanks > 0:
            self._characters[start:stop] = " " * (stop - start)
            self._styles[start:stop] = [PLAIN] * (stop - start)
