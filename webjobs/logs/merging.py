"""Putting many small chunks of a log together, in the background.

A program that prints a line a second leaves a chunk a second. What was stored a while ago is put
into few chunks: the bytes, their offsets, streams and times stay what they were, so a reader who
follows by offset notices nothing. One transaction replaces one group of chunks, on the condition
that they are still there as they were read; of two who try, one gives up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import connection, transaction

from webjobs.logs.buffer import MAX_FRAMES
from webjobs.logs.frames import MAX_TIME_SPAN, Frame, pack, unpack
from webjobs.logs.writer import MAX_BATCH
from webjobs.models import Log, LogChunk

# Chunks below the first are put together up to the second, in bytes. Rolling deletes whole chunks.
SMALL = 16 * 1024
FULL = 64 * 1024
# Fewer are not worth it: every byte is written again a few times at most.
FEWEST = 8
# A writer whose commit got no answer looks for the chunks of its last transaction.
UNTOUCHED = MAX_BATCH
# Logs of one look for those with many chunks, and chunks of one look into a log.
LOGS_AT_ONCE = 1000
CHUNKS_AT_ONCE = 1000
# Whoever waits for SQLite's lock looks at it this often.
_PAUSE = 0.01

_CROWDED = """
    SELECT log_id FROM webjobs_logchunk WHERE log_id BETWEEN %s AND %s
    GROUP BY log_id HAVING COUNT(*) >= %s ORDER BY log_id
"""


class _Head(NamedTuple):
    """A chunk without its bytes."""

    pk: int
    offset: int
    size: int
    lines: int
    begins_line: bool
    frames: list[Frame]

    @property
    def end(self) -> int:
        return self.offset + self.size


class Merger:
    """Goes through all logs, a part of them in each call; remembers where it was. Several of
    them, in any processes, do not disturb each other."""

    def __init__(self) -> None:
        self._position = 0  # the log after which to go on

    def work(self, seconds: float) -> int:
        """Put small chunks together for about so long, or to the last log; how many chunks fewer
        there are."""
        deadline = time.monotonic() + seconds
        removed = 0
        while some := _logs_after(self._position):
            for log_id in _crowded(some[0], some[-1]):
                fewer = merge(log_id, deadline)
                removed += fewer
                is_late = time.monotonic() >= deadline
                if not (is_late and fewer):  # There may be more to do in it.
                    self._position = log_id
                if is_late:
                    return removed
            self._position = some[-1]
            if time.monotonic() >= deadline:
                return removed
        self._position = 0
        return removed


def merge(log_id: int, deadline: float | None = None) -> int:
    """Put the small chunks of a log together, one group at least, until the monotonic time
    `deadline`; how many chunks fewer there are."""
    removed = 0
    for group in _groups(_heads(log_id)):
        begun = time.monotonic()
        if _replace(log_id, group):
            removed += len(group) - 1
        # Others get their turn.
        time.sleep(max(_PAUSE, time.monotonic() - begun))
        if deadline is not None and time.monotonic() >= deadline:
            break
    return removed


def _logs_after(log_id: int) -> list[int]:
    logs = Log.objects.filter(pk__gt=log_id).order_by("pk")
    return list(logs.values_list("pk", flat=True)[:LOGS_AT_ONCE])


def _crowded(first: int, last: int) -> list[int]:
    """The logs from `first` to `last` that have many chunks, by an index alone."""
    with connection.cursor() as cursor:
        cursor.execute(_CROWDED, [first, last, FEWEST + UNTOUCHED])
        return [log_id for (log_id,) in cursor.fetchall()]


def _heads(log_id: int) -> Iterator[_Head]:
    """The small chunks of a log in order, without the newest: its writer may ask for them."""
    chunks = LogChunk.objects.filter(log=log_id)
    newest = chunks.order_by("-offset").values_list("offset", flat=True)[:UNTOUCHED]
    stop = min(newest, default=0)
    small = chunks.filter(size__lt=SMALL, offset__lt=stop).order_by("offset")
    fields = small.values_list("pk", "offset", "size", "lines", "frames")
    position = -1
    while rows := list(fields.filter(offset__gt=position)[:CHUNKS_AT_ONCE]):
        for pk, offset, size, lines, index in rows:
            begins_line, frames = unpack(bytes(index))
            yield _Head(pk, offset, size, lines, begins_line, frames)
        position = rows[-1][1]


def _groups(heads: Iterable[_Head]) -> Iterator[list[_Head]]:
    """Chunks that follow each other and fit into one, where they are enough."""
    group: list[_Head] = []
    size = count = 0
    for head in heads:
        size, count = size + head.size, count + len(head.frames)
        if group and not (
            head.offset == group[-1].end
            and size <= FULL
            and count <= MAX_FRAMES
            and _span(group[0], head) <= MAX_TIME_SPAN
        ):
            if len(group) >= FEWEST:
                yield group
            group, size, count = [], head.size, len(head.frames)
        group.append(head)
    if len(group) >= FEWEST:
        yield group


def _span(first: _Head, head: _Head) -> int:
    base = first.frames[0].at
    return max(abs(frame.at - base) for frame in head.frames)


def _replace(log_id: int, group: Sequence[_Head]) -> bool:
    """Make one chunk of `group`; false when somebody has touched it since it was read."""
    first = group[0]
    with transaction.atomic(durable=True):
        chunks = LogChunk.objects.filter(log=log_id, pk__in=[head.pk for head in group])
        locked = chunks.select_for_update().order_by("offset")
        rows = list(locked.values_list("pk", "offset", "size", "data"))
        if [row[:3] for row in rows] != [(head.pk, head.offset, head.size) for head in group]:
            return False
        data = b"".join(bytes(row[3]) for row in rows)
        frames = [frame for head in group for frame in head.frames]
        index = pack(frames, begins_line=first.begins_line)
        lines = sum(head.lines for head in group)
        chunks.exclude(pk=first.pk).delete()
        chunks.update(size=len(data), lines=lines, frames=index, data=data)
    return True
