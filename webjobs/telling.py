"""Refusals in the language of whoever asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from webjobs.ncrontab import NcrontabError
from webjobs.reasons import Param, Phrase, Reason

# Places whose content is a number that people read.
AMOUNTS = {"count", "most", "size"}
_AMOUNT = re.compile(rf"(%\((?:{'|'.join(sorted(AMOUNTS))})\))d")
_NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")


def told(error: Exception) -> str:
    """The sentence of `error` in the active language; English where there is no translation."""
    if isinstance(error, NcrontabError):
        return error.message(get_language() or "en")
    if isinstance(error, Reason):
        return sentence(error.text, error.params)
    return str(error)


def is_database_full(error: object) -> bool:
    """Whether the database refused because its disk is full."""
    cause = getattr(error, "__cause__", None)
    full = (getattr(cause, "sqlstate", ""), getattr(cause, "sqlite_errorname", ""))
    return "53100" in full or "SQLITE_FULL" in full


def sentence(text: str, params: Mapping[str, Param]) -> str:
    """`text`, a marked English sentence, translated, with its places filled."""
    shown = _AMOUNT.sub(r"\1s", gettext(text))
    filled = {name: _filled(name, value) for name, value in params.items()}
    return shown % filled if params else shown


def _filled(name: str, value: Param) -> str | int:
    if isinstance(value, Exception):
        return told(value)
    if isinstance(value, Phrase):
        return gettext(value)
    return number_words(str(value)) if name in AMOUNTS else value


def number_words(number: str) -> str:
    """`1,234.5` as the active language writes it; what is no such number stays as it is."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        return number
    decimals = len(match[1] or ".") - 1
    return number_format(Decimal(number.replace(",", "")), decimals, force_grouping=True)
