"""Undo: whoever did something takes it back for some minutes.

What that needs stays in the session of who did it, and what may be secret is encrypted there.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from webjobs import deploying, dispatch
from webjobs.access import actor_of, any_webjob_for, slot_for
from webjobs.dispatch import Refused, SettingChange
from webjobs.models import AppSetting, Package, Role, Slot, WebJob
from webjobs.models.fields import SecretUnreadable, decrypt, encrypt
from webjobs.models.webjob import KEEP_DELETED
from webjobs.telling import told
from webjobs.views.answers import done, refused

TOO_LATE = gettext_noop("It is too late for that.")
KEY = "undo"
# Seconds; what was deleted is there for longer.
LASTS = KEEP_DELETED.total_seconds() - 60
# Of one session.
MOST = 10


class Done(TypedDict):
    """What was done; `what` names the way back, and `url` is where to go on afterwards."""

    id: str
    at: float
    what: str
    message: str
    url: str
    state: Any


def offer(request: HttpRequest, what: str, message: str, url: str, state: Any) -> str:
    """The address that takes back what `message` tells."""
    entry = Done(
        id=secrets.token_urlsafe(9),
        at=time.time(),
        what=what,
        message=message,
        url=url,
        state=state,
    )
    request.session[KEY] = [*_entries(request), entry][-MOST:]
    return reverse("undo", args=[entry["id"]])


def _entries(request: HttpRequest) -> list[Done]:
    since = time.time() - LASTS
    return [entry for entry in request.session.get(KEY, []) if entry["at"] > since]


def present_state(job: WebJob) -> dict[str, Any]:
    """What an edit of `job` can change, for `offer_back`."""
    schedule = getattr(job, "schedule", None)
    return {
        "job": job.pk,
        "package": job.package_id,
        "script": job.script,
        "settings": job.settings_job,
        "is_enabled": schedule.is_enabled if schedule else None,
    }


def offer_back(
    request: HttpRequest, job: WebJob, was: dict[str, Any], message: str, url: str
) -> str:
    """As `offer`, for a change that has left `job` as it is now; empty when it changed nothing."""
    if was == present_state(job):
        return ""
    return offer(request, "edit", message, url, was | {"seen": dispatch.state_of(job)})


def present_settings(slot: Slot, changes: Iterable[SettingChange]) -> list[list[Any]]:
    """The settings that `changes` are about, for `offer_settings`; a value may be secret."""
    found = {each.name.lower(): each for each in AppSetting.objects.filter(slot=slot)}
    names = {change.name.lower(): change.name for change in changes}
    return [
        [each.name, each.value, each.is_secret, each.is_slot_setting]
        if (each := found.get(key))
        else [name, None, False, False]
        for key, name in names.items()
    ]


def offer_settings(
    request: HttpRequest, slot: Slot, was: Sequence[list[Any]], message: str, url: str
) -> str:
    """As `offer`, for settings that were changed to what they are now."""
    present = AppSetting.objects.filter(slot=slot).defer("value")
    versions = {each.name.lower(): each.version for each in present}
    before = [[*each, versions.get(each[0].lower(), "")] for each in was]
    state = {"app": slot.app.name, "slot": slot.name, "before": encrypt(json.dumps(before))}
    return offer(request, "settings", message, url, state)


def _each(
    request: HttpRequest, act: Callable[[WebJob, dispatch.Actor], None], role: Role, jobs: list[int]
) -> None:
    for pk in jobs:
        act(any_webjob_for(request, pk, role), actor_of(request))


def _start(request: HttpRequest, state: Any) -> None:
    _each(request, dispatch.start, Role.OPERATOR, state)


def _stop(request: HttpRequest, state: Any) -> None:
    _each(request, dispatch.stop, Role.OPERATOR, state)


def _restore(request: HttpRequest, state: Any) -> None:
    _each(request, dispatch.restore, Role.CONTRIBUTOR, state)


def _edit(request: HttpRequest, state: Any) -> None:
    job = any_webjob_for(request, state["job"], Role.CONTRIBUTOR)
    package = None
    if state["package"] != job.package_id:
        deploying.require_unconnected(job.slot)
        package = Package.objects.filter(pk=state["package"]).first()
        if package is None:
            raise Refused("too-late", TOO_LATE)
    was = state["settings"]
    keys = was.keys() | job.settings_job.keys() | (package.settings_job if package else {}).keys()
    script = state["script"] if package or state["script"] != job.script else None
    edit = dispatch.Edit({key: was.get(key) for key in keys}, state["is_enabled"], package, script)
    dispatch.edit_webjob(job, edit, state["seen"], actor_of(request))


def _settings(request: HttpRequest, state: Any) -> None:
    slot = slot_for(request, state["app"], state["slot"], Role.CONTRIBUTOR)
    try:
        before = json.loads(decrypt(state["before"]))
    except SecretUnreadable:
        raise Refused("too-late", TOO_LATE) from None
    changes = [
        SettingChange(name, value, is_secret=secret, is_slot_setting=mark, seen=seen)
        for name, value, secret, mark, seen in before
    ]
    dispatch.change_settings(slot, changes, actor_of(request))


_WAYS = {
    "start": _start,
    "stop": _stop,
    "restore": _restore,
    "edit": _edit,
    "settings": _settings,
}


@require_POST
def undo(request: HttpRequest, id: str) -> HttpResponse:
    """Take back what the session remembers under `id`, once."""
    entries = _entries(request)
    entry = next((each for each in entries if each["id"] == id), None)
    url = entry["url"] if entry else reverse("apps")
    try:
        if entry is None:
            raise Refused("too-late", TOO_LATE)
        _WAYS[entry["what"]](request, entry["state"])
    except Refused as error:
        message = _("It could not be undone: %(why)s") % {"why": told(error)}
        return refused(request, error, message, url)
    request.session[KEY] = [each for each in entries if each is not entry]
    return done(request, _("Undone: %(what)s") % {"what": entry["message"]}, url)
