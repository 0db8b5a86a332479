"""Refusals in the language of whoever asked."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language, gettext

from webjobs.ncrontab import NcrontabError
from webjobs.reasons import Param, Phrase, Reason


def told(error: Exception) -> str:
    """The sentence of `error` in the active language; English where there is no translation."""
    if isinstance(error, NcrontabError):
        return error.message(get_language() or "en")
    if isinstance(error, Reason):
        return sentence(error.text, error.params)
    return str(error)


def sentence(text: str, params: Mapping[str, Param]) -> str:
    """`text`, a marked English sentence, translated, with its places filled."""
    shown = gettext(text)
    return shown % {key: _filled(value) for key, value in params.items()} if params else shown


def _filled(value: Param) -> str | int:
    if isinstance(value, Exception):
        return told(value)
    return gettext(value) if isinstance(value, Phrase) else value
