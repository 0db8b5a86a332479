"""`/api/settings`: the app settings. Values marked secret never leave."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.bodies import read_object
from webjobs.api.kudu.surface import KUDU, KUDU_JSON
from webjobs.api.setting_changes import changes_of, revealed
from webjobs.dispatch import SettingChange
from webjobs.models import AppSetting, Role
from webjobs.models.app import PRODUCTION


def _get_all(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Names and values; null stands for a secret."""
    found = slot_for(request, app, slot, Role.OPERATOR)
    return answer(revealed(found, actor_of(request)))


def _post(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """`{"NAME": "value", ...}`, or `{"key": "NAME", "value": "value"}`."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    values = _pairs(read_object(request))
    dispatch.change_settings(found, changes_of(found, values), actor_of(request))
    return empty(204)


def _pairs(body: dict[str, Any]) -> dict[str, Any]:
    if set(body) == {"key", "value"}:
        return {str(body["key"]): body["value"]}
    return body


def _get(request: HttpRequest, app: str, key: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot, Role.OPERATOR)
    values = revealed(found, actor_of(request), only=key)
    if not values:
        raise Http404("No such setting.")
    return answer(next(iter(values.values())))


def _delete(request: HttpRequest, app: str, key: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    if AppSetting.objects.filter(slot=found, name__iexact=key).exists():
        dispatch.change_settings(found, [SettingChange(key, None)], actor_of(request))
    return empty(204)


app_settings = KUDU.endpoint(GET=_get_all, POST=_post)
app_setting = KUDU_JSON.endpoint(GET=_get, DELETE=_delete)
