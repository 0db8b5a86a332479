"""What is stored in English, told in the language of whoever reads it.

The database keeps the reasons of runs, copies, swaps and deployments as the API gives them: one or
more marked English sentences with their places filled. A page recognises those sentences by the
catalogue of translations, so that nothing else needs to be stored, and what was stored earlier is
told as well. What is not recognised as a whole stays as it is.
"""

from __future__ import annotations

import gettext as catalogues
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import get_language, ngettext

from webjobs.ncrontab.messages import ERRORS, FIELD_NAMES, pick
from webjobs.telling import AMOUNTS, number_words

_LOCALE = Path(__file__).parent / "locale"
_PLACE = re.compile(r"%\((\w+)\)([ds])")
# Of what a text says itself, in characters, so that no name is taken for it.
SHORTEST = 8
# What is longer was not written by the engine alone.
MOST_SENTENCES = 24
# Where one sentence may end and the next one begin.
_BREAK = re.compile(r"(?<=[.?!]) ")
_LETTER = re.compile("[a-z]")
_COUNTED = re.compile(r"(\d+(?:\.\d+)?) (second|setting|WebJob)s?")


@dataclass(frozen=True)
class _Template:
    """A marked English text and its translation."""

    text: str
    translation: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """A place that nothing follows may hold whole sentences: what git or the system said."""
        parts = _PLACE.split(self.text)
        names, kinds = parts[1::3], parts[2::3]
        found = re.escape(_unescaped(parts[0]))
        for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
            inner = r"\d+" if kind == "d" else r"(?:(?![.?!] ).)+?"
            if kind == "s" and not _LETTER.search("".join(parts[3 * index + 3 :])):
                inner = ".+"
            is_again = name in names[:index]
            found += f"(?P={name})" if is_again else f"(?P<{name}>{inner})"
            found += re.escape(_unescaped(parts[3 * index + 3]))
        return re.compile(found, re.DOTALL)

    @cached_property
    def weight(self) -> int:
        """How many characters it says itself."""
        return len(_PLACE.sub("", self.text))

    @property
    def first_word(self) -> str:
        """Empty when a place is in it."""
        word = self.text.partition(" ")[0]
        return "" if "%" in word else word


class _Found(NamedTuple):
    """A sentence that was recognised."""

    template: _Template
    match: re.Match[str]

    def told(self) -> str:
        translation = _unescaped(self.template.translation)
        return _PLACE.sub(lambda place: _told_place(place[1], self.match[place[1]]), translation)


def _unescaped(text: str) -> str:
    return text.replace("%%", "%")


def _told_place(name: str, value: str) -> str:
    """Counts and errors are told too; everything else is a name, or what others said."""
    if counted := _COUNTED.fullmatch(value):
        return _counted(counted[1], counted[2])
    if name in AMOUNTS:
        return number_words(value)
    return shown(value) if name == "error" else value


def _counted(number: str, what: str) -> str:
    count = int(float(number))
    text = {
        "second": ngettext("%(count)s second", "%(count)s seconds", count),
        "setting": ngettext("%(count)s setting", "%(count)s settings", count),
        "WebJob": ngettext("%(count)s WebJob", "%(count)s WebJobs", count),
    }[what]
    return text % {"count": number_words(number)}


@lru_cache
def _templates(language: str) -> dict[str, list[_Template]]:
    """The texts that can be a sentence, by their first word."""
    found: dict[str, list[_Template]] = defaultdict(list)
    for template in dict.fromkeys([*_of_catalogue(language), *_of_schedules(language)]):
        found[template.first_word].append(template)
    return found


def _of_catalogue(language: str) -> Iterator[_Template]:
    catalogue = catalogues.translation("django", _LOCALE, [language], fallback=True)
    # Without a public way to list what is in it.
    entries: dict[object, str] = getattr(catalogue, "_catalog", {})
    for text, translation in entries.items():
        if isinstance(text, str) and len(_PLACE.sub("", text)) >= SHORTEST and " " in text:
            yield _Template(text, translation)


class _Places(dict[str, str]):
    """Lets places that it does not know be places, in the form of the catalogue."""

    def __missing__(self, name: str) -> str:
        return f"%({name})s"


def _of_schedules(language: str) -> Iterator[_Template]:
    """Why an expression was refused; these sentences have a catalogue of their own."""
    for text in ERRORS.values():
        for name in FIELD_NAMES.values():
            english, told = (
                pick(text, one).replace("%", "%%").format_map(_Places(field=pick(name, one)))
                for one in ("en", language)
            )
            yield _Template(english, told)


def retold(text: str) -> str | None:
    """`text`, as it is stored, in the active language; None when it is not recognised."""
    language = get_language() or "en"
    if language.startswith("en"):
        return text
    return _retold(text, language.partition("-")[0])


def shown(text: str) -> str:
    """As `retold`; what is not recognised stays English."""
    return retold(text) or text


@lru_cache(maxsize=2048)
def _retold(text: str, language: str) -> str | None:
    """Of all ways to take `text` for a chain of sentences, the one with the most words known."""
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    if len(starts) > MOST_SENTENCES:
        return None
    ends = [*(start - 1 for start in starts[1:]), len(text)]
    # By where it begins: how much is known from there on, and the first sentence of that.
    best: dict[int, tuple[int, _Found | None]] = {len(text) + 1: (0, None)}
    for start in reversed(starts):
        ways = [
            (best[end + 1][0] + found.template.weight, found)
            for end in ends
            if end > start and end + 1 in best
            for found in _find(text, start, end, language)
        ]
        if ways:
            best[start] = max(ways, key=itemgetter(0))
    return " ".join(found.told() for found in _chain(best)) if 0 in best else None


def _chain(best: dict[int, tuple[int, _Found | None]]) -> Iterator[_Found]:
    start = 0
    while found := best[start][1]:
        yield found
        start = found.match.end() + 1


def _find(text: str, start: int, end: int, language: str) -> Iterator[_Found]:
    templates = _templates(language)
    word = text[start:end].partition(" ")[0]
    for template in (*templates.get(word, ()), *templates.get("", ())):
        if match := template.pattern.fullmatch(text, start, end):
            yield _Found(template, match)
