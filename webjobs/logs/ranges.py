"""Byte ranges of Azure's text of a log: how long it is, and any part of it.

The text exists only while it is rendered. Where its lines lie is remembered every few hundred
KiB, so that a client that follows a long log costs what is new of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime

from webjobs.logs.chunks import state_of
from webjobs.logs.render import azure_parts
from webjobs.models import Log

# Text bytes between two marks.
SPACING = 512 * 1024
MAX_LOGS = 256


class _Marks:
    """Where lines begin: offsets in the log and in its text, ascending."""

    def __init__(self, first: int) -> None:
        self.pairs = [(first, 0)]

    def before(self, text_offset: int) -> tuple[int, int]:
        """The last mark that is not behind `text_offset`."""
        return next(pair for pair in reversed(self.pairs) if pair[1] <= text_offset)

    def add(self, offset: int, text_offset: int) -> None:
        """Only behind the last one, which gives way while it is too near to the one before."""
        if text_offset <= self.pairs[-1][1]:
            return
        if len(self.pairs) > 1 and self.pairs[-1][1] - self.pairs[-2][1] < SPACING:
            self.pairs.pop()
        self.pairs.append((offset, text_offset))


_known: OrderedDict[tuple[int, datetime, int], _Marks] = OrderedDict()
_lock = threading.Lock()


def _marks_of(log: Log, first_kept: int) -> _Marks:
    """A rolling log begins anew when its oldest part goes: then no mark is right any more."""
    key = log.pk, log.created_at, first_kept
    marks = _known.setdefault(key, _Marks(first_kept))
    _known.move_to_end(key)
    if len(_known) > MAX_LOGS:
        _known.popitem(last=False)
    return marks


def _walk(log: Log, text_offset: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of the text with their offsets in it, from one not behind `text_offset` on."""
    state = state_of(log)
    with _lock:
        marks = _marks_of(log, state.first_kept)
        offset, position = marks.before(text_offset)
    for data, line_offset in azure_parts(log, offset, is_over=state.is_complete):
        yield position, data
        position += len(data)
        if line_offset is not None:
            with _lock:
                marks.add(line_offset, position)


def text_size(log: Log) -> int:
    """How many bytes of text there are. Raises Log.DoesNotExist when the log was deleted."""
    with _lock:
        known = _marks_of(log, state_of(log).first_kept).pairs[-1][1]
    size = known
    for position, data in _walk(log, known):
        size = position + len(data)
    return size


def text_range(log: Log, start: int, stop: int) -> Iterator[bytes]:
    """The text from byte `start` up to byte `stop`, a little at a time."""
    for position, data in _walk(log, start):
        if position >= stop:
            return
        part = data[max(0, start - position) : stop - position]
        if part:
            yield part
