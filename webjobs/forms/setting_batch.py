"""Several changes of app settings at once, as the page and its advanced edit send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webjobs.forms.fields import REQUIRED
from webjobs.forms.settings import SETTING_NAME, SETTING_VALUE_MAX, STAYS_SECRET
from webjobs.models import AppSetting, Slot, engine_settings
from webjobs.models.setting import SettingError
from webjobs.telling import told

NAME_MAX = 255
PROPERTIES = {"name", "value", "slotSetting"}


@dataclass(frozen=True)
class Wish:
    """One change. `was` is the setting's present name, empty for a new one; `name` is empty for
    one to delete; `value` None leaves the value as it is, unseen; `seen` is the version that the
    asker knows.
    """

    was: str
    seen: str
    name: str
    value: str | None
    is_slot_setting: bool = False
    is_secret: bool = False


@dataclass(frozen=True)
class Problem:
    """What is wrong with the change at `index`, beside which field."""

    index: int
    field: str
    message: str


class Unreadable(ValueError):
    """What was sent is not what was asked for; the message is for people."""


def read_wishes(text: str) -> list[Wish]:
    """The changes that the page's script collected, as JSON; raises Unreadable."""
    found = _array(text)
    wishes = []
    for item in found:
        if not isinstance(item, dict):
            raise Unreadable(_("Invalid JSON object"))
        value = item.get("value")
        was, seen, name = (item.get(key) or "" for key in ("was", "seen", "name"))
        if not all(isinstance(each, str) for each in (was, seen, name, value or "")):
            raise Unreadable(_("All app setting value and name properties must be of type string"))
        if "\0" in was + seen:
            raise Unreadable(_("Invalid JSON object"))
        marks = item.get("slotSetting") is True, item.get("secret") is True
        wishes.append(Wish(was, seen, name, value, *marks))
    return wishes


def problems_of(slot: Slot, wishes: Sequence[Wish], *, taken: bool = True) -> list[Problem]:
    """What stands against the changes, seen as a whole; empty when they can be asked for.

    Without `taken`, names that others took meanwhile are left for dispatch to tell.
    """
    present = dict(AppSetting.objects.filter(slot=slot).values_list("name", "is_secret"))
    replaced = {wish.was.lower() for wish in wishes}
    names = [name.lower() for name in present if taken and name.lower() not in replaced]
    secret = {name.lower() for name, is_secret in present.items() if is_secret}
    found: list[Problem] = []
    for index, wish in enumerate(wishes):
        if wish.name:
            name = wish.name.lower()
            found += [Problem(index, *each) for each in _problems(wish, name in names)]
            names.append(name)
            if wish.value is None and wish.was.lower() in secret and not wish.is_secret:
                found.append(Problem(index, "value", str(STAYS_SECRET)))
        elif not wish.was:
            found.append(Problem(index, "name", str(REQUIRED)))
    return found


def _problems(wish: Wish, is_taken: bool) -> Iterable[tuple[str, str]]:
    if not SETTING_NAME.match(wish.name) or len(wish.name) > NAME_MAX:
        words = _(
            "A name can only contain letters, numbers, periods, hyphens, colons and underscores."
        )
        yield "name", words
    elif is_taken:
        yield "name", _("App setting names must be unique")
    if wish.value is None:
        if not wish.was:
            yield "value", _("%(name)s is new and needs a value.") % {"name": wish.name}
    elif "\0" in wish.value:
        yield "value", _("A value cannot contain a null character.")
    elif len(wish.value) > SETTING_VALUE_MAX:
        yield "value", _("At most %(most)d characters.") % {"most": SETTING_VALUE_MAX}
    else:
        try:
            engine_settings({wish.name: wish.value})
        except SettingError as error:
            yield "value", told(error)


@dataclass(frozen=True)
class Entry:
    """One object of the advanced edit; None leaves what is there."""

    name: str
    value: str | None
    is_slot_setting: bool | None


def read_entries(slot: Slot, text: str) -> list[Entry]:
    """The settings of the advanced edit; raises Unreadable in Azure's words.

    `null` as the value of a setting that is there stands for the value it has.
    """
    known = {
        name.lower() for name in AppSetting.objects.filter(slot=slot).values_list("name", flat=True)
    }
    found: list[Entry] = []
    for item in _array(text):
        if not isinstance(item, dict):
            raise Unreadable(_("Invalid JSON object"))
        found.append(_entry(item, known))
    names = [entry.name.lower() for entry in found]
    if len(set(names)) < len(names):
        raise Unreadable(_("App setting names must be unique"))
    return found


def _entry(item: dict[str, Any], known: set[str]) -> Entry:
    for key in item:
        if key not in PROPERTIES:
            raise Unreadable(_("%(name)s is an invalid app setting property") % {"name": key[:80]})
    for key in ("name", "value"):
        if key not in item or item[key] == "" and key == "name":
            raise Unreadable(
                _("%(name)s is a required property on all application settings") % {"name": key}
            )
    name, value, mark = item["name"], item["value"], item.get("slotSetting")
    is_kept = value is None and isinstance(name, str) and name.lower() in known
    if not isinstance(name, str) or not (isinstance(value, str) or is_kept):
        raise Unreadable(_("All app setting value and name properties must be of type string"))
    if not isinstance(mark, bool | None):
        raise Unreadable(_("All deployment slot setting properties must be of type boolean"))
    return Entry(name, value, mark)


def wishes_of(slot: Slot, entries: Sequence[Entry]) -> list[Wish]:
    """The changes that make the settings of `slot` those of `entries`; marks of secrets stay."""
    wanted = {entry.name.lower(): entry for entry in entries}
    wishes = []
    for setting in AppSetting.objects.filter(slot=slot):
        entry = wanted.pop(setting.name.lower(), None)
        if entry is None:
            wishes.append(Wish(setting.name, setting.version, "", None))
            continue
        mark = setting.is_slot_setting if entry.is_slot_setting is None else entry.is_slot_setting
        is_same = entry.name == setting.name and mark == setting.is_slot_setting
        if not (is_same and entry.value in (None, setting.value)):
            value = entry.value
            wish = Wish(setting.name, setting.version, entry.name, value, mark, setting.is_secret)
            wishes.append(wish)
    for entry in wanted.values():
        wishes.append(Wish("", "", entry.name, entry.value, bool(entry.is_slot_setting)))
    return wishes


def as_json(settings: Iterable[AppSetting]) -> str:
    """What the advanced edit starts with: every value is `null`, which leaves it as it is."""
    shown = [
        {"name": setting.name, "value": None, "slotSetting": setting.is_slot_setting}
        for setting in settings
    ]
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _array(text: str) -> list[Any]:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = _("line %(line)d, column %(column)d") % {
            "line": error.lineno,
            "column": error.colno,
        }
        raise Unreadable(_("Invalid JSON object") + f" ({place})") from error
    except UnicodeEncodeError as error:
        words = _(
            "The JSON holds half a character, such as \\ud800 alone. Write it as a whole one."
        )
        raise Unreadable(words) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("Invalid JSON object")) from error
    if not isinstance(found, list):
        raise Unreadable(_("App setting values must be an array"))
    return found
