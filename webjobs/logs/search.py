"""Searching a log for lines, in steps that take a moment each.

A line matches when its text, as readers show it, does; what is found is counted by lines. A line
of a running log that has no end yet is searched as it is, and again when it may have grown.
Lines of up to 64 KiB are searched whole, longer ones in parts that overlap by as much as a
plain text is long; of a regular expression only matches up to 16 KiB are certain to be found there
(less for one with more than 500 instructions).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from webjobs.logs.blocks import Block, Part, block_before, block_from
from webjobs.logs.chunks import State, line_start, piece_at, state_of
from webjobs.logs.long_lines import LongLine, line_around, long_line, window_at, window_starts
from webjobs.logs.matching import Span, matching_lines, spans
from webjobs.logs.query import Finder
from webjobs.models import Log

# Seconds after which a step ends at the next occasion.
STEP_SECONDS = 0.4
# Matches with their positions that one step returns.
MAX_MATCHES = 1000


@dataclass(frozen=True, slots=True)
class Match:
    """A line with a match. Positions count from `offset`, in UTF-16 units, without line end.

    `offset` is where the line begins, or near the match where a line is very long.
    """

    line: int
    offset: int
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Found:
    """What one step has found, and where the next one goes on."""

    matches: list[Match]  # in the order of the log
    count: int  # lines with a match
    position: int  # offset up to which it has searched; going back, down to which
    line: int  # number of the line there
    is_done: bool


def search(
    log: Log,
    finder: Finder,
    *,
    line: int = 1,
    until: int | None = None,
    position: int | None = None,
    limit: int = MAX_MATCHES,
    count_on: bool = True,
    seconds: float = STEP_SECONDS,
    streams: frozenset[int] | None = None,
) -> Found:
    """Lines with a match from `line` on, to the one before `until`; the first `limit` in full.

    Behind those it only counts, or, without `count_on`, ends. `position` is that of the step
    before, and decides instead of `line`. Only lines of `streams` count; None: of all. When it is
    done, its `line` is the first one that may bring more: that without an end, or the one that is
    not there yet. Raises Log.DoesNotExist when the log was deleted.
    """
    step = _Step(state_of(log), finder, limit, seconds, streams)
    return step.forward(line, until, position, count_on=count_on)


def search_back(
    log: Log,
    finder: Finder,
    *,
    before: int | None = None,
    position: int | None = None,
    limit: int = MAX_MATCHES,
    seconds: float = STEP_SECONDS,
    streams: frozenset[int] | None = None,
) -> Found:
    """The nearest `limit` lines with a match before the line `before`; None: before the end."""
    return _Step(state_of(log), finder, limit, seconds, streams).back(before, position)


class _Step:
    def __init__(
        self,
        state: State,
        finder: Finder,
        limit: int,
        seconds: float,
        streams: frozenset[int] | None,
    ) -> None:
        self._state = state
        self._finder = finder
        self._streams = streams
        self._limit = max(1, min(limit, MAX_MATCHES))
        self._deadline = time.monotonic() + seconds
        self._matches: list[Match] = []
        self._count = 0

    def forward(
        self, line: int, until: int | None, position: int | None, *, count_on: bool
    ) -> Found:
        state = self._state
        stop = state.size if until is None else line_start(state, until)
        if position is None:
            at, around = line_start(state, line), None
        else:
            at = max(position, state.first_kept)
            around = line_around(state, at) if at < stop else None
            if around and (at := self._long(around, at)) < around.end:
                return self._found(at, around.number)
        while at < stop and (block := block_from(state.log_id, at, stop)):
            at = block.end
            prepared = self._finder.prepare(block.text)
            for part in block.parts(self._finder.window):
                if part.is_long:
                    around = long_line(state, block.number(part.start))
                    at = max(at, around.end)
                    if (reached := self._long(around, around.start)) < around.end:
                        return self._found(reached, around.number)
                following = self._lines(block, prepared, part, count_on=count_on)
                if self._is_late() or (self._has_enough() and not count_on):
                    place = around.end if part.is_long and around else block.offset(following)
                    if place < stop:
                        return self._found(place, block.number(following))
        return self._done(stop, until)

    def back(self, before: int | None, position: int | None) -> Found:
        state = self._state
        at = state.size if before is None else line_start(state, before)
        if position is not None:
            at = min(position, at)
            if around := line_around(state, at):
                at = self._long_back(around, at)
                if at > around.start or self._is_late() or self._has_enough():
                    return self._found_back(at, around.number)
        # The part nearest to the end may be tiny; a step should get further than that.
        enough = at - self._finder.window // 2
        while at > state.first_kept and (block := block_before(state, at)):
            prepared = self._finder.prepare(block.text)
            for part in reversed(list(block.parts(self._finder.window))):
                at, number = block.offset(part.start), block.number(part.start)
                if part.is_long:
                    around = long_line(state, number)
                    at = self._long_back(around, around.end)
                    if at > around.start:
                        return self._found_back(at, number)
                else:
                    self._lines_back(block, prepared, part)
                if self._has_enough() or (at < enough and self._is_late()):
                    return self._found_back(at, number)
        return self._found_back(state.first_kept, 1)

    def _found_back(self, at: int, line: int) -> Found:
        self._matches.reverse()
        if self._has_enough():
            line = self._matches[0].line
            at = line_start(self._state, line)
        is_done = at <= self._state.first_kept
        return Found(self._matches, self._count, at, line, is_done)

    def _lines(self, block: Block, prepared: bytes, part: Part, *, count_on: bool) -> int:
        """Search forward; where in the text the line behind the last searched one begins."""
        if not part.is_long:
            for start, stop in self._matching(block, prepared, part):
                self._count += 1
                if self._has_enough():
                    continue
                self._add_line(block, start, stop)
                if self._has_enough() and not count_on:
                    return stop + 1
        return part.stop + 1

    def _lines_back(self, block: Block, prepared: bytes, part: Part) -> None:
        room = self._limit - len(self._matches)
        for start, stop in list(self._matching(block, prepared, part))[: -room - 1 : -1]:
            self._count += 1
            self._add_line(block, start, stop)

    def _matching(self, block: Block, prepared: bytes, part: Part) -> Iterator[Span]:
        for start, stop in matching_lines(prepared, self._finder, part):
            if self._streams is None or block.stream(start) in self._streams:
                yield start, stop

    def _is_wanted(self, at: int) -> bool:
        if self._streams is None:
            return True
        piece = piece_at(self._state.log_id, at)
        return piece is not None and piece.cut(at, at + 1).frames[0].stream in self._streams

    def _long(self, line: LongLine, at: int) -> int:
        """Search its parts from `at` on; where the line ends, or the part to go on with."""
        for start in window_starts(line._replace(start=at), self._finder):
            if start > at and self._is_late():
                return start
            if self._is_in_part(line, start):
                break
        return line.end

    def _long_back(self, line: LongLine, at: int) -> int:
        """Search its parts before `at`; where the line begins, or the part to go on before."""
        for start in reversed(window_starts(line._replace(end=at), self._finder)):
            if self._is_in_part(line, start):
                break
            if self._is_late():
                return start
        return line.start

    def _is_in_part(self, line: LongLine, at: int) -> bool:
        window = window_at(self._state.log_id, at, line, self._finder)
        found = spans(window.text, self._finder, window.start, window.stop) if window else None
        if window is None or found is None or not self._is_wanted(window.offset):
            return False
        self._count += 1
        if not self._has_enough():
            self._matches.append(Match(line.number, window.offset, found))
        return True

    def _add_line(self, block: Block, start: int, stop: int) -> None:
        found = spans(block.text[start:stop], self._finder, 0, stop - start) or []
        self._matches.append(Match(block.number(start), block.offset(start), found))

    def _has_enough(self) -> bool:
        return len(self._matches) >= self._limit

    def _is_late(self) -> bool:
        return time.monotonic() >= self._deadline

    def _found(self, position: int, line: int) -> Found:
        return Found(self._matches, self._count, position, line, is_done=False)

    def _done(self, stop: int, until: int | None) -> Found:
        state = self._state
        line = state.lines + 1 if until is None or until > state.lines else until
        if stop >= state.size > 0 and not state.is_complete:
            last = piece_at(state.log_id, state.size - 1)
            if last and not last.data.endswith(b"\n"):
                line, stop = state.lines, line_start(state, state.lines)
        return Found(self._matches, self._count, stop, line, is_done=True)
