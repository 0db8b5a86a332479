"""`settings.job`: the JSON object with which a package configures its WebJob."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from webjobs.reasons import Param, Phrase, Reason, gettext_noop
from webjobs.states import Concurrency, JobType, RetryOn

Json: TypeAlias = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FILE_NAME = "settings.job"
MAX_BYTES = 256 * 1024
MAX_WAIT = 2**31 - 1  # Seconds; what an integer column of every database holds.

_DEFAULT_WAIT = {JobType.CONTINUOUS: 5, JobType.TRIGGERED: 30}
# The lowest and the highest value of the policies' numbers; the delay is in seconds.
LIMITS: Mapping[str, tuple[int, int]] = {
    "max_parallel": (2, 100),
    "queue_limit": (1, 1000),
    "retry_attempts": (0, 10),
    "retry_delay": (0, 86400),
}


def _is(wanted: type) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, wanted)


def _whole(lowest: int, highest: int) -> Callable[[Json], bool]:
    # To Python, true is a number.
    return lambda value: type(value) is int and lowest <= value <= highest


def _is_policy(value: Json) -> bool:
    return isinstance(value, str) and value in frozenset(Concurrency)


def _is_retry_on(value: Json) -> bool:
    known = [item.value for item in RetryOn]
    return isinstance(value, list) and len(value) > 0 and all(item in known for item in value)


# What a key may hold, and how that is said.
_WANTED: dict[str, tuple[Callable[[Json], bool], str]] = {
    "schedule": (_is(str), gettext_noop('a text, for example "0 */15 * * * *"')),
    "is_singleton": (_is(bool), gettext_noop("true or false")),
    "is_in_place": (_is(bool), gettext_noop("true or false")),
    "stopping_wait_time": (
        _whole(0, MAX_WAIT),
        gettext_noop("a whole number of seconds, 0 or more"),
    ),
    "time_zone": (_is(str), gettext_noop('a text, for example "Europe/Paris"')),
    "concurrency": (_is_policy, gettext_noop('"skip", "queue" or "parallel"')),
    "retry_on": (_is_retry_on, gettext_noop('a list of "failure", "lost" or both')),
} | {key: (_whole(lowest, highest), "") for key, (lowest, highest) in LIMITS.items()}


class SettingsError(Reason, ValueError):
    """A settings.job that is refused; the message names the line or the key."""

    def __init__(self, text: str, **params: Param) -> None:
        super().__init__("settings", text, **params)


@dataclass(frozen=True)
class JobSettings:
    """What settings.job says. `None` means that the key is absent, an empty `schedule` that the
    job has none; `stopping_wait_time` and `retry_delay` are in seconds. NCRONTAB and zone names are
    not checked here.
    """

    schedule: str | None = None
    is_singleton: bool | None = None
    is_in_place: bool | None = None
    stopping_wait_time: int | None = None
    time_zone: str | None = None
    concurrency: str | None = None
    max_parallel: int | None = None
    queue_limit: int | None = None
    retry_attempts: int | None = None
    retry_delay: int | None = None
    retry_on: list[str] | None = None
    extra: dict[str, Json] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Json]:
        """The JSON object, without the absent keys."""
        typed = {key: getattr(self, key) for key in _WANTED}
        return {key: value for key, value in typed.items() if value is not None} | self.extra

    def merged_over(self, old: JobSettings) -> JobSettings:
        """Our keys replace those of `old`; its other keys stay."""
        return from_dict(old.to_dict() | self.to_dict())

    def wait_time(self, job_type: JobType) -> int:
        """Seconds between the shutdown notice and the kill."""
        if self.stopping_wait_time is not None:
            return self.stopping_wait_time
        return _DEFAULT_WAIT[job_type]

    def runs_in_place(self, script: str) -> bool:
        """Whether the job runs in its own folder, without a working copy."""
        if self.is_in_place is not None:
            return self.is_in_place
        return script.lower().endswith(".js")


def decode(data: bytes) -> str:
    """The text of a settings.job file. Raises SettingsError."""
    if len(data) > MAX_BYTES:
        raise SettingsError(
            gettext_noop("settings.job is larger than %(most)d KiB."), most=MAX_BYTES // 1024
        )
    # Windows PowerShell's `>` writes UTF-16 with a byte order mark.
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            gettext_noop("settings.job is not UTF-8 text (byte %(byte)d). Save it as UTF-8."),
            byte=error.start,
        ) from error


def parse_settings(text: str) -> JobSettings:
    """The typed settings in `text`. Raises SettingsError naming the line or the key."""
    try:
        value = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise SettingsError(
            gettext_noop(
                "settings.job is not valid JSON: line %(line)d, column %(column)d: %(detail)s."
            ),
            line=error.lineno,
            column=error.colno,
            detail=error.msg,
        ) from error
    except RecursionError as error:
        raise SettingsError(gettext_noop("settings.job is nested too deeply.")) from error
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(
            gettext_noop("settings.job holds a number that is too large.")
        ) from error
    if not isinstance(value, dict):
        raise SettingsError(
            gettext_noop(
                'settings.job must be a JSON object such as {"schedule": "0 */15 * * * *"}, '
                "not %(kind)s."
            ),
            kind=_kind(value),
        )
    return from_dict(value)


def from_dict(values: Mapping[str, Json]) -> JobSettings:
    """Typed settings from a JSON object; a known key with `null` counts as absent.

    Raises SettingsError naming the key.
    """
    known: dict[str, Any] = {}
    extra: dict[str, Json] = {}
    for key, value in values.items():
        if key not in _WANTED:
            extra[key] = value
        elif value is not None:
            _check_type(key, value)
            known[key] = value
    return JobSettings(**known, extra=extra)


def _check_type(key: str, value: Json) -> None:
    is_wanted, words = _WANTED[key]
    if not is_wanted(value):
        if key in LIMITS:
            lowest, highest = LIMITS[key]
            raise SettingsError(
                gettext_noop(
                    'settings.job: "%(key)s" must be a whole number from %(lowest)d to '
                    "%(highest)d, not %(kind)s."
                ),
                key=key,
                lowest=lowest,
                highest=highest,
                kind=_kind(value),
            )
        raise SettingsError(
            gettext_noop('settings.job: "%(key)s" must be %(wanted)s, not %(kind)s.'),
            key=key,
            wanted=Phrase(words),
            kind=_kind(value),
        )


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return Phrase(gettext_noop("a list"))
    if isinstance(value, dict):
        return Phrase(gettext_noop("an object"))
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def _without_repeats(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        if key in result:
            raise SettingsError(
                gettext_noop("settings.job has the key %(key)s twice. Remove one."),
                key=_kind(key),
            )
        result[key] = value
    return result


def _refuse_constant(name: str) -> Json:
    raise SettingsError(
        gettext_noop("settings.job holds %(name)s, which is not valid JSON."), name=name
    )
