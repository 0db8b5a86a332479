"""Environment variables: the app settings of a slot. Values leave only on a recorded request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.dispatch import SettingChange
from webjobs.forms.settings import SettingForm
from webjobs.models import AppSetting, Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.reasons import Reason, gettext_noop
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, invalid, posted, refused, wants_fragment, wants_json
from webjobs.views.help import setting_names
from webjobs.views.rights import rights_in
from webjobs.views.setting_changes import conflict_words
from webjobs.views.undo import offer_settings, present_settings

NO_SUCH_SETTING = gettext_noop("There is no setting %(name)s any more. It may have been deleted.")


def _setting(slot: Slot, name: str) -> AppSetting:
    found = AppSetting.objects.filter(slot=slot, name__iexact=name)
    setting = None if "\0" in name else found.first()
    if setting is None:
        raise Http404(Reason("gone", NO_SUCH_SETTING, name=name))
    return setting


def _succeeded() -> str:
    return _("Successfully updated web app settings")


def _failed(error: dispatch.Refused) -> str:
    return _("Failed to update web app settings: %(why)s") % {"why": told(error)}


def _apply(request: HttpRequest, slot: Slot, changes: list[SettingChange]) -> HttpResponse:
    """Raises Refused."""
    was, url, message = present_settings(slot, changes), slot_url(slot, "settings"), _succeeded()
    dispatch.change_settings(slot, changes, actor_of(request))
    undo = offer_settings(request, slot, was, message, url)
    return done(request, message, url, undo=undo)


@require_GET
def settings(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Names and marks; never a value."""
    found = slot_for(request, app, slot)
    context = {
        "slot": found,
        "settings": AppSetting.objects.filter(slot=found).defer("value"),
        "rights": rights_in(request, found.app),
    }
    template = "settings/_list.html" if wants_fragment(request) else "settings/settings.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@never_cache
def setting_add(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """A new setting."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    return _edit(request, found, None)


@require_http_methods(["GET", "POST"])
@never_cache
def setting_edit(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """Another value, name or mark; the value may stay without being shown."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    return _edit(request, found, _setting(found, name))


def _edit(request: HttpRequest, slot: Slot, setting: AppSetting | None) -> HttpResponse:
    form = SettingForm(posted(request), slot=slot, setting=setting)
    if request.method == "POST" and form.is_valid():
        try:
            return _apply(request, slot, _changes(form))
        except dispatch.SettingsConflict as error:
            form.add_error(None, " ".join(conflict_words(each) for each in error.conflicts))
        except dispatch.Refused as error:
            form.add_error("value", told(error))
    if request.method == "POST" and wants_json(request):
        return invalid(form)
    context: dict[str, Any] = {"form": form, "slot": slot, "setting": setting}
    context["names"] = setting_names()
    template = "settings/_edit.html" if wants_fragment(request) else "settings/edit.html"
    return render(request, template, context, status=400 if form.errors else 200)


def _changes(form: SettingForm) -> list[SettingChange]:
    values = form.cleaned_data
    change = SettingChange(
        values["name"],
        values["value"],
        is_secret=values["is_secret"],
        is_slot_setting=values["is_slot_setting"],
    )
    old = form.setting.name if form.setting else change.name
    # Empty when the form was not the page's own: then there is nothing to compare with.
    seen = values["seen"] or None
    if old.lower() == change.name.lower():
        return [replace(change, seen=seen)]
    return [SettingChange(old, None, seen=seen), change]


@require_http_methods(["GET", "POST"])
def setting_delete(
    request: HttpRequest, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Ask (GET), then delete (POST)."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    setting = _setting(found, name)
    if request.method != "POST":
        return render(request, "settings/delete.html", {"slot": found, "setting": setting})
    try:
        return _apply(request, found, [SettingChange(setting.name, None)])
    except dispatch.Refused as error:
        return refused(request, error, _failed(error), slot_url(found, "settings"))


@require_POST
@never_cache
def setting_reveal(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """JSON of the value of `name`, or of all; those marked secret never leave. Recorded."""
    found = slot_for(request, app, slot, Role.OPERATOR)
    shown = AppSetting.objects.filter(slot=found, is_secret=False)
    name = request.POST.get("name", "")
    if name:
        shown = shown.none() if "\0" in name else shown.filter(name__iexact=name)
    values = {setting.name: setting.value for setting in shown}
    dispatch.record(actor_of(request), "settings.reveal", found, "", names=sorted(values))
    return JsonResponse({"values": values})
