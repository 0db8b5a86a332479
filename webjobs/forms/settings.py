"""App settings and the webhook password, one at a time."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs.forms.fields import REQUIRED
from webjobs.models import AppSetting, Slot, engine_settings
from webjobs.models.setting import SettingError
from webjobs.telling import told

SETTING_NAME = re.compile(r"[A-Za-z0-9._:\-]+\Z")


STAYS_SECRET = gettext_lazy(
    "What was secret is never shown again: without the mark it needs a new value."
)


# As long as the longest environment string that Linux passes on, with room for the name.
SETTING_VALUE_MAX = 100_000


PASSWORD_MIN = 12


class PasswordForm(forms.Form):
    """A new webhook password; empty asks for a generated one."""

    password = forms.CharField(required=False, max_length=200, min_length=PASSWORD_MIN)


class SettingForm(forms.Form):
    """One app setting, added or changed."""

    name = forms.CharField(max_length=255, error_messages={"required": REQUIRED})
    value = forms.CharField(
        required=False, strip=False, max_length=SETTING_VALUE_MAX, widget=forms.Textarea
    )
    keep_value = forms.BooleanField(required=False)
    is_slot_setting = forms.BooleanField(required=False)
    is_secret = forms.BooleanField(required=False)
    seen = forms.CharField(required=False)

    def __init__(
        self, *args: Any, slot: Slot, setting: AppSetting | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.slot = slot
        self.setting = setting

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not SETTING_NAME.match(name):
            raise ValidationError(
                _(
                    "A name can only contain letters, numbers, periods, hyphens, colons and "
                    "underscores."
                )
            )
        others = AppSetting.objects.filter(slot=self.slot, name__iexact=name)
        if self.setting is not None:
            others = others.exclude(pk=self.setting.pk)
        if others.exists():
            raise ValidationError(_("App setting names must be unique"))
        return name

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if self.setting is not None and values.get("keep_value"):
            values["value"] = self.setting.value
            if self.setting.is_secret and not values["is_secret"]:
                self.add_error("value", STAYS_SECRET)
        if "\0" in values.get("value", ""):
            self.add_error("value", _("A value cannot contain a null character."))
        if "name" in values and "value" in values:
            self._clean_meaning(values["name"], values["value"])
        return values

    def _clean_meaning(self, name: str, value: str) -> None:
        """What steers the engine must mean something to it."""
        try:
            engine_settings({name: value})
        except SettingError as error:
            self.add_error("value", told(error))
