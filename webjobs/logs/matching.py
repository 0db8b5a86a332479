"""Lines with a match in a text, and where in them it is."""

from __future__ import annotations

from collections.abc import Iterator

from webjobs.logs.blocks import Part
from webjobs.logs.query import Finder

# Highlights of one line; a line with more shows the first ones.
MAX_SPANS = 200

Span = tuple[int, int]


def matching_lines(prepared: bytes, finder: Finder, part: Part) -> Iterator[Span]:
    """Where in the text each line of `part` with a match lies."""
    at = part.start
    while at <= part.stop and (found := finder.find(prepared, at, part.stop)):
        start = prepared.rfind(b"\n", at, found[0]) + 1 or at
        stop = prepared.find(b"\n", found[1], part.stop)
        stop = part.stop if stop < 0 else stop
        yield start, stop
        at = stop + 1


def spans(text: bytes, finder: Finder, start: int, stop: int) -> list[Span] | None:
    """What matches between two places in a line, counted from `start` in UTF-16 units.

    These are what scripts in a page count in. Empty matches have no span; None: no match at all.
    """
    prepared = finder.prepare(text)
    found = finder.find(prepared, start, stop)
    if found is None:
        return None
    units_of: list[Span] = []
    counted, units = start, 0
    while found and len(units_of) < MAX_SPANS:
        first, last = found
        if first < last:
            units += _units(text[counted:first])
            units_of.append((units, units + _units(text[first:last])))
            units, counted = units_of[-1][1], last
        found = finder.find(prepared, max(last, first + 1), stop) if last < stop else None
    return units_of


def _units(text: bytes) -> int:
    if text.isascii():
        return len(text)
    return len(text.decode(errors="replace").encode("utf-16-le")) // 2
