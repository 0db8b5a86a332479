"""Colours and attributes that programs ask a terminal for: SGR, as names of CSS classes.

256 and true colours become the nearest of the 16, which have a good contrast on light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# What xterm shows for the 16 colours.
_PALETTE = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
]
# Classes of attributes, by the code that turns each on.
_ON = {1: "bo", 2: "di", 3: "it", 4: "un", 7: "in", 9: "st", 21: "un"}
# Codes that turn attributes off again.
_OFF = {22: {"bo", "di"}, 23: {"it"}, 24: {"un"}, 27: {"in"}, 29: {"st"}}
# Parameters of one sequence that are read; nobody writes more.
_MAX_PARAMETERS = 64
_SEPARATOR = re.compile("[;:]")


class Style(NamedTuple):
    """How text looks: colours 0 to 15 or None for the page's own, and classes of attributes."""

    front: int | None = None
    back: int | None = None
    attributes: frozenset[str] = frozenset()


PLAIN = Style()


@lru_cache(maxsize=4096)
def classes(style: Style) -> str:
    """The CSS classes of a style: `f1` red text, `bg b4` on blue, `bx` on the text's colour."""
    front, back, attributes = style
    names = sorted(attributes - {"in"})
    if "in" in attributes:
        names += ["bg", "bx" if front is None else f"b{front}"]
        names += [] if back is None else [f"f{back}"]
    else:
        names += [] if back is None else ["bg", f"b{back}"]
        names += [] if front is None else [f"f{front}"]
    return " ".join(names)


@lru_cache(maxsize=1024)
def changed(style: Style, parameters: str) -> Style:
    """`style` after the sequence `ESC [ parameters m`; what it does not know it leaves out."""
    codes = iter(_codes(parameters))
    for code in codes:
        style = _after(style, code, codes)
    return style


def _codes(parameters: str) -> list[int]:
    # Underlines may have a form behind a colon, which says nothing here; 4:0 is none at all.
    parameters = re.sub("4:0(?=;|$)", "24", parameters)
    parameters = re.sub("4:[1-9](?=;|$)", "4", parameters)
    # An empty field between colons is the colour space.
    parameters = parameters.replace("2::", "2;")
    fields = _SEPARATOR.split(parameters, _MAX_PARAMETERS)[:_MAX_PARAMETERS]
    return [int(field) if field.isdecimal() and len(field) < 6 else 0 for field in fields]


def _after(style: Style, code: int, following: Iterator[int]) -> Style:
    if code == 0:
        return PLAIN
    if code in _ON:
        return style._replace(attributes=style.attributes | {_ON[code]})
    if code in _OFF:
        return style._replace(attributes=style.attributes - _OFF[code])
    if code in (38, 48):
        colour = _extended(following)
        return style._replace(front=colour) if code == 38 else style._replace(back=colour)
    if 30 <= code <= 37 or 90 <= code <= 97:
        return style._replace(front=code - 30 if code < 40 else code - 82)
    if 40 <= code <= 47 or 100 <= code <= 107:
        return style._replace(back=code - 40 if code < 50 else code - 92)
    if code == 39:
        return style._replace(front=None)
    return style._replace(back=None) if code == 49 else style


def _extended(following: Iterator[int]) -> int | None:
    """The colour of `38;5;number` or `38;2;red;green;blue`, from what stands behind the 38."""
    kind = next(following, 0)
    if kind == 5:
        return _of_256(min(next(following, 0), 255))
    if kind == 2:
        red, green, blue = (min(next(following, 0), 255) for _ in range(3))
        return _nearest(red, green, blue)
    return None


def _of_256(number: int) -> int:
    if number < 16:
        return number
    if number >= 232:
        grey = 8 + (number - 232) * 10
        return _nearest(grey, grey, grey)
    levels = (0, 95, 135, 175, 215, 255)
    number -= 16
    return _nearest(levels[number // 36], levels[number // 6 % 6], levels[number % 6])


@lru_cache(maxsize=4096)
def _nearest(red: int, green: int, blue: int) -> int:
    # The eye sees green best and blue least.
    def distance(index: int) -> int:
        r, g, b = _PALETTE[index]
        return 3 * (r - red) ** 2 + 4 * (g - green) ** 2 + 2 * (b - blue) ** 2

    return min(range(16), key=distance)
