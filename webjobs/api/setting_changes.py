"""App settings as the APIs read and write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webjobs import dispatch
from webjobs.dispatch import Actor, Refused, SettingChange
from webjobs.forms.settings import SETTING_NAME, SETTING_VALUE_MAX
from webjobs.models import AppSetting, Slot

NAME_MAX = 255


def revealed(slot: Slot, actor: Actor, only: str | None = None) -> dict[str, str | None]:
    """Values by name, None for a secret; that they were shown is recorded."""
    found = AppSetting.objects.filter(slot=slot)
    if only is not None:
        found = found.filter(name__iexact=only)
    hidden = dict.fromkeys(found.filter(is_secret=True).values_list("name", flat=True))
    shown = {setting.name: setting.value for setting in found.filter(is_secret=False)}
    if shown:
        dispatch.record(actor, "settings.reveal", slot, "", names=sorted(shown))
    return {name: shown.get(name) for name in sorted({*hidden, *shown}, key=str.lower)}


def changes_of(slot: Slot, values: Mapping[str, Any]) -> list[SettingChange]:
    """The changes that set `values`; each setting keeps its marks. Raises Refused.

    None is what a secret was shown as, and leaves it as it is.
    """
    marks = {
        setting.name.lower(): setting
        for setting in AppSetting.objects.filter(slot=slot).defer("value")
    }
    changes: dict[str, SettingChange] = {}
    for name, value in values.items():
        known = marks.get(name.lower())
        if value is None and known is not None and known.is_secret:
            continue
        changes[name.lower()] = SettingChange(
            _checked_name(name),
            _checked_value(name, value),
            is_secret=known.is_secret if known else False,
            is_slot_setting=known.is_slot_setting if known else False,
        )
    return list(changes.values())


def _checked_name(name: str) -> str:
    if not SETTING_NAME.match(name) or len(name) > NAME_MAX:
        raise Refused(
            "BadRequest",
            f"{name[:80]!r}: a name of at most {NAME_MAX} letters, numbers, periods, hyphens, "
            "colons and underscores.",
            400,
        )
    return name


def _checked_value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int):
        value = str(value)
    if not isinstance(value, str):
        raise Refused("BadRequest", f"{name}: the value must be a text.", 400)
    if "\0" in value or len(value) > SETTING_VALUE_MAX:
        raise Refused(
            "BadRequest",
            f"{name}: a value has at most {SETTING_VALUE_MAX} characters and no null.",
            400,
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("BadRequest", f"{name}: holds half a character.", 400) from None
    return value
