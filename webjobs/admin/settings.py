"""App settings: their names are shown, their values never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.admin.base import Joined, TellsRefusals
from webjobs.dispatch import SettingChange
from webjobs.forms.settings import SETTING_NAME, SETTING_VALUE_MAX
from webjobs.models import AppSetting, engine_settings
from webjobs.models.setting import SettingError
from webjobs.telling import told
from webjobs.views.addresses import slot_url

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[AppSetting]
else:
    _ModelForm = forms.ModelForm

MASK = "••••••"


class AppSettingForm(_ModelForm):
    """A value can be written and not read: the field is empty, and empty keeps what is there."""

    new_value = forms.CharField(
        label=_("value"),
        required=False,
        strip=False,
        max_length=SETTING_VALUE_MAX,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Never shown here. Left empty, an existing value stays as it is."),
    )

    class Meta:
        model = AppSetting
        fields = ["slot", "name", "is_secret", "is_slot_setting"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not SETTING_NAME.match(name):
            raise ValidationError(
                _("Only letters, numbers, periods, hyphens, colons and underscores are possible.")
            )
        return name

    def clean(self) -> dict[str, Any] | None:
        values = super().clean()
        name = self.instance.name or self.cleaned_data.get("name", "")
        value = self.cleaned_data.get("new_value", "")
        if "\0" in value:
            self.add_error("new_value", _("A value cannot contain a null character."))
        try:
            engine_settings({name: value})
        except SettingError as error:
            self.add_error("new_value", told(error))
        return values


@admin.register(AppSetting)
class AppSettingAdmin(TellsRefusals[AppSetting], Joined[AppSetting]):
    """Changes go through dispatch, as the portal's do: checked, recorded, in force at once."""

    form = AppSettingForm
    list_display = ["name", "slot", "masked_value", "is_secret", "is_slot_setting", "updated_at"]
    list_filter = ["is_secret", "is_slot_setting", "updated_at"]
    joined = ["slot__app"]
    unread = ["value", "slot__publishing_password"]
    search_fields = ["name", "slot__app__name"]
    autocomplete_fields = ["slot"]
    fields = ["slot", "name", "new_value", "is_secret", "is_slot_setting", "updated_at"]

    @admin.display(description=_("value"))
    def masked_value(self, setting: AppSetting) -> str:
        return MASK

    def get_readonly_fields(self, request: HttpRequest, obj: AppSetting | None = None) -> list[str]:
        return ["slot", "name", "updated_at"] if obj else ["updated_at"]

    def view_on_site(self, obj: AppSetting) -> str:
        return slot_url(obj.slot, "settings")

    def save_model(self, request: HttpRequest, obj: AppSetting, form: Any, change: bool) -> None:
        value = form.cleaned_data["new_value"]
        if change and not value:
            value = obj.value
        wished = SettingChange(obj.name, value, obj.is_secret, obj.is_slot_setting)
        dispatch.change_settings(obj.slot, [wished], actor_of(request))
        if not change:
            obj.pk = AppSetting.objects.only("pk").get(slot=obj.slot, name=obj.name).pk
            obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: AppSetting) -> None:
        dispatch.change_settings(obj.slot, [SettingChange(obj.name, None)], actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AppSetting]) -> None:
        for found in queryset:
            self.delete_model(request, found)
