"""Why an expression was refused, in words and as data."""

from __future__ import annotations

from webjobs.ncrontab.messages import ERRORS, field_name, pick

Param = str | int


# A message quotes no more of what was written.
LONGEST_QUOTE = 120


def _shortened(value: Param) -> Param:
    if isinstance(value, int) or len(value) <= LONGEST_QUOTE:
        return value
    return value[:LONGEST_QUOTE] + "…"


class NcrontabError(ValueError):
    """An expression that is not NCRONTAB.

    `str(error)` is the English sentence. `code` and `params` are stable; `field` is "second",
    "minute", "hour", "day", "month" or "day_of_week", or None when the whole text is at fault.
    """

    def __init__(self, code: str, field: str | None = None, **params: Param) -> None:
        self.code = code
        self.field = field
        self.params = params
        super().__init__(self.message("en"))

    def message(self, language: str = "en") -> str:
        """The sentence in the given language ("fr" and its variants, else English)."""
        name = field_name(self.field, language) if self.field else ""
        shown = {key: _shortened(value) for key, value in self.params.items()}
        return pick(ERRORS[self.code], language).format(field=name, **shown)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.code, self.field, self.params)


def _rebuild(code: str, field: str | None, params: dict[str, Param]) -> NcrontabError:
    return NcrontabError(code, field, **params)
