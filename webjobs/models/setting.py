"""App settings, and what those that steer the engine mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models.functions import Lower

from webjobs import timezones
from webjobs.models.app import Slot
from webjobs.models.fields import EncryptedTextField
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.reasons import Param, Reason, gettext_noop

DEFAULT_RESTART_TIME = 60
DEFAULT_IDLE_TIMEOUT = 120
DEFAULT_HISTORY_SIZE = 50
# An occurrence that is at most this late still runs once (Kudu's ten minutes).
DEFAULT_MISSED_GRACE = 600

ENGINE_PREFIXES = ("WEBJOBS_", "WEBJOB_", "WEBSITE_TIME_ZONE")


class AppSetting(models.Model):
    """A name and a value that jobs see as environment variables."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="settings")
    name = models.CharField(max_length=255)
    value = EncryptedTextField(blank=True)
    is_secret = models.BooleanField(
        default=False, help_text="Never shown again, and masked in what jobs print."
    )
    is_slot_setting = models.BooleanField(
        default=False, help_text="Stays with the slot when slots are swapped."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint("slot", Lower("name"), name="setting_name_unique_in_slot")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """Another text after every change, also when it was deleted and added again."""
        return f"{self.pk}-{round(self.updated_at.timestamp() * 1_000_000)}"


_STEERING = PreparedQuery(
    lambda: AppSetting.objects.filter(slot=Given("slot"), name__istartswith="WEBJOB").order_by()
)


def is_stopped(slot: Slot) -> bool:
    """Whether WEBJOBS_STOPPED holds all WebJobs of `slot`."""
    values = {setting.name: setting.value for setting in _STEERING.all(slot=slot.pk)}
    return lenient_engine_settings(values).stopped


def settings_of(slot: Slot) -> dict[str, str]:
    """The app settings of `slot`, decrypted, by name."""
    return {setting.name: setting.value for setting in AppSetting.objects.filter(slot=slot)}


def steers_engine(name: str) -> bool:
    """Whether a change of this setting acts at once and needs no restart of the jobs."""
    return name.upper().startswith(ENGINE_PREFIXES)


class SettingError(Reason, ValueError):
    """A value that the engine cannot use; the message names the setting and what would be right."""

    def __init__(self, name: str, text: str, **params: Param) -> None:
        self.name = name
        super().__init__("setting", text, name=name, **params)


@dataclass(frozen=True)
class EngineSettings:
    """The settings of an app that steer its jobs. Times are seconds; None means no limit."""

    stopped: bool = False
    schedules_disabled: bool = False
    restart_time: int = DEFAULT_RESTART_TIME
    idle_timeout: int | None = DEFAULT_IDLE_TIMEOUT
    max_run_time: int | None = None
    history_size: int = DEFAULT_HISTORY_SIZE
    history_days: int | None = None
    history_mib: int | None = None  # of the output of all runs of one WebJob
    missed_grace: int = DEFAULT_MISSED_GRACE
    zone: ZoneInfo = ZoneInfo("UTC")
    # Of the app, not of a setting: it has no Always On, and nobody uses it.
    is_idle: bool = False

    DEFAULT: ClassVar[EngineSettings]


EngineSettings.DEFAULT = EngineSettings()


def engine_settings(values: Mapping[str, str]) -> EngineSettings:
    """The typed meaning of `values`; raises SettingError for one that cannot be used."""
    upper = {name.upper(): value.strip() for name, value in values.items()}
    idle = _integer(upper, "WEBJOBS_IDLE_TIMEOUT", DEFAULT_IDLE_TIMEOUT, -1)
    longest = _integer(upper, "WEBJOBS_MAX_RUN_TIME", -1, -1)
    return EngineSettings(
        # The 2021 article spells it WEBJOB_STOPPED; the engine always read WEBJOBS_STOPPED.
        stopped=_is_true(upper, "WEBJOBS_STOPPED") or _is_true(upper, "WEBJOB_STOPPED"),
        schedules_disabled=_is_true(upper, "WEBJOBS_DISABLE_SCHEDULE"),
        restart_time=_integer(upper, "WEBJOBS_RESTART_TIME", DEFAULT_RESTART_TIME, 0),
        idle_timeout=idle if idle > 0 else None,
        max_run_time=longest if longest > 0 else None,
        history_size=_integer(upper, "WEBJOBS_HISTORY_SIZE", DEFAULT_HISTORY_SIZE, 1),
        history_days=_limit(upper, "WEBJOBS_HISTORY_DAYS"),
        history_mib=_limit(upper, "WEBJOBS_HISTORY_MAX_MB"),
        missed_grace=_integer(upper, "WEBJOBS_MISSED_GRACE", DEFAULT_MISSED_GRACE, 0),
        zone=_zone(upper),
    )


def lenient_engine_settings(values: Mapping[str, str]) -> EngineSettings:
    """As `engine_settings`; a value that came in by another way and cannot be used is left out."""
    usable = dict(values)
    while True:
        try:
            return engine_settings(usable)
        except SettingError as error:
            usable = {name: value for name, value in usable.items() if name.upper() != error.name}


def slot_engine_settings(slot: Slot) -> EngineSettings:
    """The settings of `slot` that steer its jobs; only those are decrypted."""
    names = AppSetting.objects.filter(slot=slot).defer("value").values_list("pk", "name")
    steering = [pk for pk, name in names if steers_engine(name)]
    if not steering:
        return EngineSettings.DEFAULT
    found = AppSetting.objects.filter(pk__in=steering)
    return lenient_engine_settings({setting.name: setting.value for setting in found})


def _is_true(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").lower() in {"1", "true"}


def _integer(values: Mapping[str, str], name: str, default: int, lowest: int) -> int:
    text = values.get(name, "")
    if not text:
        return default
    if not text.lstrip("-").isdecimal() or int(text) < lowest:
        raise SettingError(
            name,
            gettext_noop("%(name)s: must be a whole number, %(lowest)d or more, not '%(value)s'."),
            lowest=lowest,
            value=text,
        )
    return int(text)


def _limit(values: Mapping[str, str], name: str) -> int | None:
    """None where there is no such setting: no limit."""
    return _integer(values, name, 0, 1) or None


def _zone(values: Mapping[str, str]) -> ZoneInfo:
    name = values.get("WEBSITE_TIME_ZONE", "")
    if not name:
        return ZoneInfo("UTC")
    try:
        return timezones.resolve(name)
    except timezones.UnknownTimeZone as error:
        raise SettingError("WEBSITE_TIME_ZONE", "%(name)s: %(error)s", error=error) from error
