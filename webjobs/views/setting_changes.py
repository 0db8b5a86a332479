"""The changes that the page Environment variables collects, and its advanced edit."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.dispatch import SettingChange
from webjobs.forms import setting_batch
from webjobs.forms.setting_batch import Problem, Unreadable, Wish
from webjobs.models import AppSetting, Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, wants_fragment, wants_json
from webjobs.views.undo import offer_settings, present_settings


def conflict_words(conflict: dispatch.Conflict) -> str:
    """What somebody did to a setting meanwhile."""
    words = {
        "added": (_("%(name)s was added."), _("%(name)s was added by %(by)s.")),
        "changed": (_("%(name)s was changed."), _("%(name)s was changed by %(by)s.")),
        "deleted": (_("%(name)s was deleted."), _("%(name)s was deleted by %(by)s.")),
    }[conflict.what]
    return words[1 if conflict.by else 0] % {"name": conflict.name, "by": conflict.by}


def _changes(slot: Slot, wishes: list[Wish]) -> list[SettingChange]:
    """For dispatch; values that stay are read here, and dispatch compares their versions."""
    kept = [wish.was.lower() for wish in wishes if wish.name and wish.value is None]
    values: dict[str, str] = {}
    if kept:
        found = AppSetting.objects.filter(slot=slot)
        values = {each.name.lower(): each.value for each in found if each.name.lower() in kept}
    gone = [wish for wish in wishes if wish.was and wish.was.lower() != wish.name.lower()]
    left = {wish.was.lower() for wish in gone}
    changes = [SettingChange(wish.was, None, seen=wish.seen) for wish in gone]
    for wish in wishes:
        if wish.name:
            value = values.get(wish.was.lower(), "") if wish.value is None else wish.value
            marks = {"is_secret": wish.is_secret, "is_slot_setting": wish.is_slot_setting}
            seen = wish.seen if wish.was.lower() == wish.name.lower() else ""
            # One that takes over a name which another one leaves has nothing else to compare.
            known = None if wish.name.lower() in left else seen
            changes.append(SettingChange(wish.name, value, seen=known, **marks))
    return changes


def _succeeded() -> str:
    return _("Successfully updated web app settings")


def _offer(request: HttpRequest, slot: Slot, was: list[list[Any]]) -> str:
    return offer_settings(request, slot, was, _succeeded(), slot_url(slot, "settings"))


def _errors(problems: list[Problem]) -> JsonResponse:
    found = [{"index": p.index, "field": p.field, "message": p.message} for p in problems]
    why = " ".join(dict.fromkeys(p.message for p in problems))
    message = _("Failed to update web app settings: %(why)s") % {"why": why}
    return JsonResponse({"problems": found, "error": message}, status=400)


@require_POST
@never_cache
def settings_apply(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Apply the JSON of `changes`, all or none; with `check` only tell what stands against it.

    409 with `conflicts` when others changed the same settings after the page had read them.
    """
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    try:
        wishes = setting_batch.read_wishes(request.POST.get("changes", ""))
    except Unreadable as error:
        return JsonResponse({"error": str(error)}, status=400)
    is_check = "check" in request.POST
    problems = setting_batch.problems_of(found, wishes, taken=is_check)
    if problems:
        return _errors(problems)
    if is_check:
        return JsonResponse({})
    changes = _changes(found, wishes)
    was = present_settings(found, changes)
    try:
        dispatch.change_settings(found, changes, actor_of(request))
    except dispatch.SettingsConflict as error:
        conflicts = [{"name": c.name, "words": conflict_words(c)} for c in error.conflicts]
        message = _("Failed to update web app settings: %(why)s") % {"why": told(error)}
        return JsonResponse({"error": message, "conflicts": conflicts}, status=409)
    except dispatch.Refused as error:
        message = _("Failed to update web app settings: %(why)s") % {"why": told(error)}
        return JsonResponse({"error": message}, status=error.status)
    undo = _offer(request, found, was)
    return JsonResponse({"message": _succeeded(), "count": len(wishes), "undo": undo})


@require_http_methods(["GET", "POST"])
@never_cache
def settings_advanced(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """All settings as JSON. The page's script gets back what it then collects; without a script
    the changes apply at once."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    settings = AppSetting.objects.filter(slot=found).defer("value")
    text, errors = setting_batch.as_json(settings), []
    if request.method == "POST":
        # A browser sends CRLF for the line ends of a textarea.
        text = request.POST.get("json", "").replace("\r\n", "\n")
        try:
            entries = setting_batch.read_entries(found, text)
        except Unreadable as error:
            errors = [str(error)]
        else:
            if wants_json(request):
                return JsonResponse({"settings": [_shown(entry) for entry in entries]})
            errors, undo = _apply_all(request, found, entries)
            if not errors:
                return done(request, _succeeded(), slot_url(found, "settings"), undo=undo)
    if errors and wants_json(request):
        return JsonResponse({"errors": {"json": errors}}, status=400)
    context = {"slot": found, "text": text, "errors": errors, "version": found.settings_revision}
    template = "settings/_advanced.html" if wants_fragment(request) else "settings/advanced.html"
    return render(request, template, context, status=400 if errors else 200)


def _shown(entry: setting_batch.Entry) -> dict[str, Any]:
    mark = entry.is_slot_setting
    return {"name": entry.name, "value": entry.value, "slotSetting": mark}


def _apply_all(
    request: HttpRequest, slot: Slot, entries: list[setting_batch.Entry]
) -> tuple[list[str], str]:
    """The messages of what stands against it, empty when it has been done, and the way back."""
    if request.POST.get("version") != str(slot.settings_revision):
        why = _(
            "Somebody else has changed settings since this page was opened. Nothing was "
            "changed; look at what is below and apply it again to overwrite."
        )
        return [why], ""
    wishes = setting_batch.wishes_of(slot, entries)
    problems = setting_batch.problems_of(slot, wishes)
    if problems:
        return list(dict.fromkeys(problem.message for problem in problems)), ""
    changes = _changes(slot, wishes)
    was = present_settings(slot, changes)
    try:
        dispatch.change_settings(slot, changes, actor_of(request))
    except dispatch.SettingsConflict as error:
        return [conflict_words(conflict) for conflict in error.conflicts], ""
    except dispatch.Refused as error:
        return [told(error)], ""
    return [], _offer(request, slot, was) if changes else ""
