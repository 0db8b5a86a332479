"""What a search looks for: plain text, or a regular expression that takes linear time."""

from __future__ import annotations

import re
from typing import Protocol

import re2

from webjobs.reasons import Param, Reason, gettext_noop

MAX_LENGTH = 1000
# Instructions of a compiled expression. An expression that RE2 cannot run as an automaton costs
# about 9 ns for each of them and each byte of text.
MAX_PROGRAM = 5000
# Bytes times instructions that one call may cost: 0.3 s.
_MAX_COST = 32 * 1024 * 1024
_MIN_WINDOW = 4 * 1024
_MAX_WINDOW = 64 * 1024
_TEXT_WINDOW = 256 * 1024

# An escaped character, or what would tell the text of many lines from one line.
_UNSUITABLE = re.compile(r"\\[Az]|\(\?[a-zA-Z]*-[a-zA-Z]*m|\\.", re.DOTALL)

_ACROSS_LINES = gettext_noop(
    "%(sign)s cannot be used here: every line is searched by itself. Use ^ for the beginning of a "
    "line and $ for its end."
)
_TOO_LARGE = gettext_noop("This regular expression is too large. Use fewer or smaller repetitions.")
_UNSUPPORTED = gettext_noop(
    "This regular expression cannot be used: %(error)s. Look-around and back-references are not "
    "supported."
)
_NO_EXPRESSION = gettext_noop(
    "This is not a regular expression: %(error)s. Correct it, or search for plain text."
)


class BadQuery(Reason, ValueError):
    """It cannot be searched for; the message says why and what to do."""

    def __init__(self, text: str, **params: Param) -> None:
        super().__init__("query", text, **params)


class Finder(Protocol):
    """Looks for one thing in UTF-8 text whose lines are separated by newlines.

    No match goes over the end of a line. A single `find` takes well below a second.
    """

    window: int  # bytes that one call of `find` may be given
    overlap: int  # bytes that a longer line's parts share, so that no match is cut: its length

    def prepare(self, text: bytes) -> bytes:
        """What `find` takes for `text`; as long as it."""

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        """The first match that begins at `start` or later and ends before or at `stop`."""


def finder(text: str, *, is_regex: bool = False, match_case: bool = False) -> Finder:
    """Raises BadQuery, with words for the person who typed it."""
    if not text:
        raise BadQuery(gettext_noop("Enter what to search for."))
    if len(text) > MAX_LENGTH:
        raise BadQuery(gettext_noop("Enter at most %(most)d characters."), most=MAX_LENGTH)
    if is_regex:
        return _Expression(_compiled(text, match_case=match_case))
    if match_case or text.isascii():
        return _Text(text.encode(errors="replace"), match_case=match_case)
    return _Literal(text)


class _Text:
    """Plain text; without case, only the letters of ASCII are folded."""

    window = _TEXT_WINDOW

    def __init__(self, needle: bytes, *, match_case: bool) -> None:
        self._needle = needle if match_case else needle.lower()
        self._match_case = match_case
        self.overlap = len(needle)

    def prepare(self, text: bytes) -> bytes:
        return text if self._match_case else text.lower()

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        index = text.find(self._needle, start, stop)
        return None if index < 0 else (index, index + len(self._needle))


class _Expression:
    """A regular expression in the syntax of RE2; `^` and `$` are the ends of a line."""

    def __init__(self, expression: re2._Regexp) -> None:
        self._expression = expression
        affordable = _MAX_COST // max(1, expression.programsize)
        self.window = min(max(affordable, _MIN_WINDOW), _MAX_WINDOW)
        self.overlap = self.window // 4

    def prepare(self, text: bytes) -> bytes:
        return text

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        found = self._expression.search(text, start, stop)
        return None if found is None else found.span()


class _Literal(_Expression):
    """Plain text beyond ASCII without regard to case."""

    def __init__(self, text: str) -> None:
        super().__init__(_compile(text, literal=True, match_case=False))


def _compiled(text: str, *, match_case: bool) -> re2._Regexp:
    for found in _UNSUITABLE.finditer(text):
        if found[0] in (r"\A", r"\z") or found[0].startswith("("):
            raise BadQuery(_ACROSS_LINES, sign=found[0])
    expression = _compile("(?m)" + text, literal=False, match_case=match_case)
    if expression.programsize > MAX_PROGRAM:
        raise BadQuery(_TOO_LARGE)
    return expression


def _compile(text: str, *, literal: bool, match_case: bool) -> re2._Regexp:
    options = re2.Options()
    options.literal = literal
    options.case_sensitive = match_case
    options.never_nl = True
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(text.encode(errors="replace"), options)
    except re2.error as error:
        raise _bad(error) from error
    finally:
        # Each one kept may hold 8 MiB of automaton.
        re2.purge()


def _bad(error: re2.error) -> BadQuery:
    (reason,) = error.args
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    text = text.replace("(?m)", "", 1)
    if text.startswith(("invalid perl operator", "invalid escape sequence")):
        return BadQuery(_UNSUPPORTED, error=text)
    return BadQuery(_NO_EXPRESSION, error=text)
