"""What is not French among the texts of a French page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.support import catalogue

_FOLDER = Path(__file__).parents[2] / "webjobs" / "locale" / "fr" / "LC_MESSAGES"
_WRITTEN = catalogue.read_po(_FOLDER / "django.po") | catalogue.read_po(_FOLDER / "djangojs.po")
_PLACE = re.compile(r"%%?\((\w+)\)([ds])")
_COUNTS = {"count", "number", "n", "all", "total", "most", "busy", "threads", "percent"}
_COUNT, _WORDS = r"[\d\s,.]+", r".+?"

# "Continue" is English on a button and French as a type; the languages have their own names.
_SAME = {"Continue", "English", "Français"}
_ENGLISH = {text for text, forms in _WRITTEN.items() if text not in forms} - _SAME
# Words that French does not have, for what is in no catalogue at all; paths of a disk have them.
_TELLING = re.compile(
    r"\b(the|and|is|was|are|this|with|has|been|from|of|by|your|its|not|no such)\b", re.IGNORECASE
)
# A line could break at it: French has U+00A0 there.
_BREAKING = re.compile(r"\S [;:!?»%](\s|$)|« |\w'\w")
_AS_AZURE_HAS_IT = "Mettre à l'échelle"


def _pattern(text: str) -> str:
    """The text with anything, or any number, in its places."""
    pieces, at = [], 0
    for place in _PLACE.finditer(text):
        is_count = place[2] == "d" or place[1] in _COUNTS
        pieces += [re.escape(text[at : place.start()]), _COUNT if is_count else _WORDS]
        at = place.end()
    return "".join([*pieces, re.escape(text[at:])]).replace("%%", "%")


_FILLED = [
    re.compile(_pattern(text))
    for text in _ENGLISH
    if _PLACE.search(text) and re.search(r"[A-Za-z]{2}", _PLACE.sub("", text))
]


def _is_foreign(text: str) -> bool:
    return (
        text in _ENGLISH
        or any(pattern.fullmatch(text) for pattern in _FILLED)
        or (not text.startswith("/") and bool(_TELLING.search(text)))
    )


def english_among(texts: Iterable[str]) -> set[str]:
    """Texts of the catalogues, whole or filled in, and all that has an English word."""
    return {text for text in texts if _is_foreign(text)}


def breaking_among(texts: Iterable[str]) -> set[str]:
    """Texts with a sign that stands apart and could begin a line, or a typewriter's apostrophe."""
    return {text for text in texts if _BREAKING.search(text.replace(_AS_AZURE_HAS_IT, ""))}
