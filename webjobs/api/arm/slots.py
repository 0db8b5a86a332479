"""Deployment slots: create, delete, swap, and which settings stay."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.arm.resources import Site, site_for
from webjobs.api.arm.sites import document
from webjobs.api.arm.surface import endpoint
from webjobs.api.bodies import read_object
from webjobs.api.links import root_of
from webjobs.dispatch import Refused
from webjobs.models import AppSetting, Role, Slot, Swap
from webjobs.models.app import PRODUCTION, validate_name
from webjobs.states import SwapState

# What the column takes.
SLOT_NAME_MAX_LENGTH = 60
_OTHERS = ("connectionStringNames", "azureStorageConfigNames")


def _get(request: HttpRequest, sub: str, rg: str, app: str, slot: str) -> HttpResponse:
    return answer(document(request, site_for(request, sub, rg, app, slot)))


def _put(request: HttpRequest, sub: str, rg: str, app: str, slot: str) -> HttpResponse:
    """A new slot, cloned when `cloningInfo` names another one; one that is there stays as it is."""
    parent = slot_for(request, app, PRODUCTION, Role.CONTRIBUTOR).app
    found = Slot.objects.living().filter(app=parent, name__iexact=slot).first()
    if found is None:
        try:
            validate_name(slot)
            MaxLengthValidator(SLOT_NAME_MAX_LENGTH)(slot)
        except ValidationError as error:
            raise Refused("BadRequest", error.messages[0], 400) from error
        source = _source(request, parent.pk)
        found = dispatch.add_slot(parent, slot, actor_of(request), source=source)
    found.app = parent
    return answer(document(request, Site(sub, rg, found)))


def _source(request: HttpRequest, app: int) -> Slot | None:
    """The slot at the end of `properties.cloningInfo.sourceWebAppId`."""
    properties = read_object(request).get("properties")
    info = properties.get("cloningInfo") if isinstance(properties, dict) else None
    if not isinstance(info, dict):
        return None
    text = str(info.get("sourceWebAppId", ""))
    name = text.partition("/slots/")[2].strip("/") or PRODUCTION
    found = Slot.objects.living().select_related("app").filter(app=app, name__iexact=name).first()
    if found is None:
        raise Refused("BadRequest", f"cloningInfo: this app has no slot {name}.", 400)
    return found


def _delete(request: HttpRequest, sub: str, rg: str, app: str, slot: str) -> HttpResponse:
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    dispatch.delete_slot(site.slot, actor_of(request))
    return empty()


def _swap(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Begin to swap with `targetSlot`; the address in Location tells the end."""
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    wanted = str(read_object(request).get("targetSlot", ""))
    target = (
        Slot.objects.living().select_related("app").filter(app=site.slot.app, name__iexact=wanted)
    )
    found = target.first()
    if found is None:
        raise Refused("BadRequest", f"targetSlot: this app has no slot '{wanted}'.", 400)
    swap = dispatch.swap_slots(site.slot, found, actor_of(request))
    return _state(request, site, swap)


def _state(request: HttpRequest, site: Site, swap: Swap) -> HttpResponse:
    """202 while it goes on, 200 at its end; raises Refused when it has failed."""
    swap.refresh_from_db()
    if swap.state == SwapState.FAILED:
        raise Refused("Conflict", swap.reason)
    if not swap.is_active:
        return empty()
    response = empty(202)
    version = next(v for k, v in request.GET.items() if k.lower() == "api-version")
    path = f"{site.id}/operationresults/{swap.pk}"
    response["Location"] = f"{root_of(request)}{path}?api-version={version}"
    response["Retry-After"] = "1"
    return response


def _result(
    request: HttpRequest, sub: str, rg: str, app: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    site = site_for(request, sub, rg, app, slot)
    number = int(id) if id.isascii() and id.isdecimal() and len(id) < 18 else 0
    swap = Swap.objects.filter(app=site.slot.app, pk=number).first()
    if swap is None:
        raise Http404("No such swap.")
    return _state(request, site, swap)


def _names(request: HttpRequest, sub: str, rg: str, app: str) -> HttpResponse:
    """The settings that stay with their slot, of all slots together, as on Azure."""
    site = site_for(request, sub, rg, app, PRODUCTION)
    marked = AppSetting.objects.filter(slot__app=site.slot.app, is_slot_setting=True)
    names = {name.lower(): name for name in marked.values_list("name", flat=True)}
    properties: dict[str, Any] = {"appSettingNames": sorted(names.values())}
    properties |= dict.fromkeys(_OTHERS, [])
    return answer(
        {
            "id": f"{site.id}/config/slotConfigNames",
            "name": "slotConfigNames",
            "type": f"{site.type}/config",
            "properties": properties,
        }
    )


slot = endpoint(GET=_get, PUT=_put, DELETE=_delete)
swap = endpoint(POST=_swap)
result = endpoint(GET=_result)
names = endpoint(GET=_names)
