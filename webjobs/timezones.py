"""Time zones by the names people use: IANA ones in any case, and Windows ones."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from webjobs.reasons import Reason, gettext_noop

_UNKNOWN = gettext_noop(
    "There is no time zone named “%(name)s”. Use an IANA name such as Europe/Berlin, or a Windows "
    "name such as W. Europe Standard Time."
)
_CLOSE = gettext_noop(
    "There is no time zone named “%(name)s”. Did you mean %(suggestions)s? Use an IANA name such "
    "as Europe/Berlin, or a Windows name such as W. Europe Standard Time."
)
# Files of a zone database that are no place: one is the machine's own zone, one a placeholder.
NO_PLACES = frozenset({"localtime", "Factory"})


class UnknownTimeZone(Reason, ValueError):
    """No such zone. `name` is what was asked for, `suggestions` the closest names, best first."""

    def __init__(self, name: str, suggestions: tuple[str, ...] = ()) -> None:
        self.name = name
        self.suggestions = suggestions
        text = _CLOSE if suggestions else _UNKNOWN
        close = {"suggestions": ", ".join(suggestions)} if suggestions else {}
        super().__init__("time_zone", text, name=name, **close)

    def __reduce__(self) -> tuple[type[UnknownTimeZone], tuple[str, tuple[str, ...]]]:
        return UnknownTimeZone, (self.name, self.suggestions)


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """All IANA names, sorted, as for a list to choose from."""
    return tuple(sorted(available_timezones() - NO_PLACES))


@lru_cache(maxsize=1)
def _keys() -> dict[str, str]:
    """Lower-case name, IANA or Windows, to IANA name. IANA wins where both know the name."""
    windows = {name.lower(): key for name, key in win_tz.items()}
    return windows | {name.lower(): name for name in names()}


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Lower-case text somebody may type, also the bare city, to the name to suggest."""
    cities = {name.rsplit("/", 1)[-1].lower(): name for name in names() if "/" in name}
    windows = {name.lower(): name for name in win_tz}
    return cities | windows | {name.lower(): name for name in names()}


def _suggestions(wanted: str) -> tuple[str, ...]:
    spellings = _spellings()
    text = wanted.lower().replace(" ", "_") if "/" in wanted else wanted.lower()
    close = get_close_matches(text[:100], spellings, n=3, cutoff=0.7)
    if not close:
        close = get_close_matches(text[:100].replace(" ", "_"), spellings, n=3, cutoff=0.7)
    return tuple(dict.fromkeys(spellings[match] for match in close))


@lru_cache(maxsize=1024)
def resolve(name: str) -> ZoneInfo:
    """The zone of an IANA or Windows name, in any case; blanks around it do not matter.

    Raises `UnknownTimeZone` with the closest names.
    """
    wanted = name.strip()
    key = _keys().get(wanted.lower())
    if key is None:
        raise UnknownTimeZone(wanted[:100], _suggestions(wanted))
    return ZoneInfo(key)
