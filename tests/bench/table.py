"""What a benchmark yields, and how the table shows it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.site import Bench

NOTHING = "-"


class NotMeasured(Exception):
    """Why a figure cannot be had here, in words."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. `other` is the raw limit or a peer, measured in the same run."""

    what: str
    ours: str
    other: str = NOTHING
    ratio: str = NOTHING
    aim: str = NOTHING


@dataclass(frozen=True)
class Row:
    """A measurement of one or more figures, which may take `seconds` at most."""

    what: str
    seconds: float
    measure: Callable[[Bench], Iterator[Figure]]


HEADINGS = Figure("figure", "ours", "raw limit or peer", "ratio", "aim")


def lines(figures: Sequence[Figure]) -> Iterator[str]:
    """The table as text, its columns as wide as what is in them."""
    cells = [astuple(figure) for figure in (HEADINGS, *figures)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(fields(Figure)))]
    for number, row in enumerate(cells):
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield " | ".join(padded).rstrip()
        if number == 0:
            yield "-|-".join("-" * width for width in widths)


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def spread(seconds: Sequence[float]) -> str:
    """Median and 95th percentile."""
    middle = milliseconds(statistics.median(seconds))
    return f"{middle}, p95 {milliseconds(percentile(seconds, 95))}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 10) // 1000) - 1)]


def times(ours: float, other: float) -> str:
    return f"{ours / other:.1f}x" if other else NOTHING
