"""Which lines two texts do not share. The work is bounded, whatever the texts are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Sign: TypeAlias = Literal[" ", "-", "+"]
# Lines around a difference that are shown with it.
CONTEXT = 3


@dataclass(frozen=True)
class Line:
    """A line of either text or of both; its numbers count from 1, None where it is not."""

    sign: Sign
    old: int | None
    new: int | None
    text: str


def line_diff(old: Sequence[str], new: Sequence[str], most: int) -> list[Line] | None:
    """All lines, those of `old` before those of `new`; None beyond `most` differing lines.

    The shortest way from one text to the other (Myers, 1986): at most `most`² / 2 steps and
    `most` * 2 comparisons of each line.
    """
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    middle = _script(old[head : len(old) - tail], new[head : len(new) - tail], most)
    if middle is None:
        return None
    same: Sign = " "
    return list(_numbered([same] * head + middle + [same] * tail, old, new))


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    """How many lines both begin with."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _script(old: Sequence[str], new: Sequence[str], most: int) -> list[Sign] | None:
    """The signs of all lines in order; None when more than `most` of them differ."""
    # On the diagonal k = x - y, the furthest x that d differences reach.
    furthest = {1: 0}
    steps: list[dict[int, int]] = []
    for count in range(min(most, len(old) + len(new)) + 1):
        steps.append(dict(furthest))
        for k in range(-count, count + 1, 2):
            x = _step(furthest, k, count)
            while x < len(old) and 0 <= x - k < len(new) and old[x] == new[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(old) and x - k >= len(new):
                return _walked_back(steps, len(old), len(new))
    return None


def _step(furthest: dict[int, int], k: int, count: int) -> int:
    """Where one more difference leads on diagonal k: a line of the new text, or of the old one."""
    down = k == -count or (k != count and furthest[k - 1] < furthest[k + 1])
    return furthest[k + 1] if down else furthest[k - 1] + 1


def _walked_back(steps: list[dict[int, int]], x: int, y: int) -> list[Sign]:
    signs: list[Sign] = []
    for count in range(len(steps) - 1, -1, -1):
        furthest, k = steps[count], x - y
        down = k == -count or (k != count and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if down else k - 1
        from_x = furthest[before] if count else 0
        from_y = from_x - before if count else 0
        while x > from_x and y > from_y:
            signs.append(" ")
            x, y = x - 1, y - 1
        if count:
            signs.append("+" if down else "-")
            x, y = from_x, from_y
    return signs[::-1]


def _numbered(signs: Sequence[Sign], old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    x = y = 0
    for sign in signs:
        text = new[y] if sign == "+" else old[x]
        x, y = x + (sign != "+"), y + (sign != "-")
        yield Line(sign, x if sign != "+" else None, y if sign != "-" else None, text)


def hunks(lines: Sequence[Line], context: int = CONTEXT) -> list[list[Line]]:
    """The differing lines with `context` lines around them; what touches is one hunk."""
    near: set[int] = set()
    for index, line in enumerate(lines):
        if line.sign != " ":
            near.update(range(max(0, index - context), min(len(lines), index + context + 1)))
    found: list[list[Line]] = []
    last = -2
    for index in sorted(near):
        if index != last + 1:
            found.append([])
        found[-1].append(lines[index])
        last = index
    return found
