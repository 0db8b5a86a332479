"""Marks of groups in the output, in the words of three well-known services.

`::group::Title` and `::endgroup::`, `##[group]Title` and `##[endgroup]`, and
`section_start:TIME:NAME[collapsed=true]\\r` before a title and `section_end:TIME:NAME\\r`.
A group ends at the next end mark of its own key, when no group of that key began in between.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KEYS = {"::": "github", "##": "azure"}
_WORD = re.compile(r"(::|##\[)(end)?group(?:::|\])")
_SECTION = re.compile(
    r"(?:\x1b\[[0-2]?K)?section_(start|end):[0-9]{1,12}:([A-Za-z0-9_.-]{1,128})"
    r"(?:\[([^\]\r\n]{0,200})\])?(?=\r|$)\r?(?:\x1b\[[0-2]?K)?"
)
_WORD_BYTES = re.compile(rb"(?m)^(?:::(?:end)?group::|##\[(?:end)?group\])")
# Sections that one line may end before it begins one.
_MAX_MARKS = 16


class Mark(NamedTuple):
    """What one line says about groups: `ends`, then perhaps one that `begins`; keys of both."""

    ends: tuple[str, ...]
    begins: str
    is_folded: bool  # the one that begins is to be closed at first


def mark_of(text: str) -> Mark | None:
    """The mark in a whole line, which stands at its beginning; None: it has none."""
    if word := _WORD.match(text):
        key = _KEYS[word[1][:2]]
        return Mark((key,), "", False) if word[2] else Mark((), key, False)
    if "section_" not in text[:16]:
        return None
    return _sections(text)


def without_mark(text: str) -> str:
    """What is left to be shown. A terminal hides the marks of sections by itself."""
    word = _WORD.match(text)
    return text[word.end() :] if word else text


def without_marks(text: bytes) -> bytes:
    """The same for many lines of UTF-8."""
    return _WORD_BYTES.sub(b"", text) if b"group" in text else text


def _sections(text: str) -> Mark | None:
    ends: list[str] = []
    position = 0
    while len(ends) < _MAX_MARKS and (found := _SECTION.match(text, position)):
        key = f"section:{found[2]}"
        if found[1] == "start":
            return Mark(tuple(ends), key, "collapsed=true" in (found[3] or ""))
        ends.append(key)
        position = found.end()
    return Mark(tuple(ends), "", False) if ends else None
