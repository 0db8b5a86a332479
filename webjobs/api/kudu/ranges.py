"""The `Range` header: one range of bytes."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """No byte lies in the range."""


def range_of(text: str, length: int) -> tuple[int, int] | None:
    """First byte and the one behind the last; None for what is ignored: no or several ranges.

    Raises Unsatisfiable.
    """
    found = _RANGE.match(text)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(0, length - int(last)), length
    else:
        start, stop = int(first), min(length, int(last) + 1) if last else length
        if last and int(last) < start:
            return None
    if start >= stop:
        raise Unsatisfiable
    return start, stop
