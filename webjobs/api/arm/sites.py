"""Apps as sites: list, get, start, stop, restart, app settings, publishing credentials."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, caller_of
from webjobs.api.access_tokens import portal_id
from webjobs.api.answers import answer, empty
from webjobs.api.arm.resources import Site, page, site_for
from webjobs.api.arm.surface import endpoint
from webjobs.api.bodies import read_object
from webjobs.api.links import scm_of
from webjobs.api.setting_changes import changes_of, revealed
from webjobs.dispatch import Refused, SettingChange
from webjobs.models import App, AppSetting, Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.models.setting import slot_engine_settings
from webjobs.states import AppKind

# What our own lists call the only group; clients may call it what they like.
GROUP = "webjobs"
STOPPED = "WEBJOBS_STOPPED"
KINDS = {AppKind.WEB: "app", AppKind.API: "api", AppKind.MOBILE: "mobileapp"}


def document(request: HttpRequest, site: Site) -> dict[str, Any]:
    slot = site.slot
    scm = scm_of(request, slot)
    state = "Stopped" if slot_engine_settings(slot).stopped else "Running"
    host = request.get_host()
    return {
        "id": site.id,
        "name": "/".join(site.names),
        "type": site.type,
        "kind": KINDS[AppKind(slot.app.kind)],
        "location": "local",
        "properties": {
            "name": slot.site_name,
            "state": state,
            "enabled": state == "Running",
            "availabilityState": "Normal",
            "resourceGroup": site.rg,
            "hostNames": [host],
            "defaultHostName": host,
            "enabledHostNames": [host, scm.partition("://")[2]],
            "repositorySiteName": slot.site_name,
        },
    }


def _visible(request: HttpRequest) -> list[Slot]:
    """The production slots that the caller may see."""
    caller = caller_of(request)
    slots = Slot.objects.select_related("app").defer("publishing_password")
    if caller is None:
        return []
    apps = App.objects.visible_to(request.user)
    if caller.app_id is not None:
        apps = apps.filter(pk=caller.app_id)
    return list(slots.filter(app__in=apps, name=PRODUCTION))


def _list(request: HttpRequest, sub: str, rg: str = GROUP) -> HttpResponse:
    slots = _visible(request)
    return page(request, [document(request, Site(sub, rg, slot)) for slot in slots])


def _slots(request: HttpRequest, sub: str, rg: str, app: str) -> HttpResponse:
    site = site_for(request, sub, rg, app, PRODUCTION)
    living = Slot.objects.living().select_related("app")
    slots = living.filter(app=site.slot.app).exclude(name=PRODUCTION)
    return page(request, [document(request, Site(sub, rg, slot)) for slot in slots])


def _get(request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION) -> HttpResponse:
    return answer(document(request, site_for(request, sub, rg, app, slot)))


def _start(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Take WEBJOBS_STOPPED away."""
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    found = AppSetting.objects.filter(
        slot=site.slot, name__in=[STOPPED, "WEBJOB_STOPPED"]
    ).values_list("name", flat=True)
    changes = [SettingChange(name, None) for name in found]
    if changes:
        dispatch.change_settings(site.slot, changes, actor_of(request))
    return empty()


def _stop(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Set WEBJOBS_STOPPED: every WebJob of the slot stops, and none starts."""
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    dispatch.change_settings(site.slot, [SettingChange(STOPPED, "1")], actor_of(request))
    return empty()


def _restart(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Every continuous WebJob starts anew."""
    site = site_for(request, sub, rg, app, slot, Role.OPERATOR)
    dispatch.restart(site.slot, actor_of(request))
    return empty()


def _settings_document(site: Site, values: dict[str, str | None]) -> dict[str, Any]:
    return {
        "id": f"{site.id}/config/appsettings",
        "name": "appsettings",
        "type": f"{site.type}/config",
        "location": "local",
        "properties": values,
    }


def _list_settings(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Names and values; null stands for a secret."""
    site = site_for(request, sub, rg, app, slot, Role.OPERATOR)
    return answer(_settings_document(site, revealed(site.slot, actor_of(request))))


def _put_settings(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Replace all app settings; what is not named goes, and null leaves a secret as it is."""
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    values = read_object(request).get("properties")
    if not isinstance(values, dict):
        raise Refused("BadRequest", "properties: must be an object of names and values.", 400)
    kept = {name.lower() for name in values}
    names = AppSetting.objects.filter(slot=site.slot).values_list("name", flat=True)
    gone = [SettingChange(name, None) for name in names if name.lower() not in kept]
    new = changes_of(site.slot, values)
    if gone or new:
        dispatch.change_settings(site.slot, [*gone, *new], actor_of(request))
    shown = {change.name: change.value for change in new if not change.is_secret}
    return answer(_settings_document(site, {name: shown.get(name) for name in values}))


def _credentials(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str = PRODUCTION
) -> HttpResponse:
    """What webhooks sign in with; that it was shown is recorded."""
    site = site_for(request, sub, rg, app, slot, Role.CONTRIBUTOR)
    found = site.slot
    dispatch.record(actor_of(request), "slot.password.reveal", found, "")
    scheme, _, rest = scm_of(request, found).partition("://")
    user, password = found.publishing_user, found.publishing_password
    document = {
        "id": f"{site.id}/publishingcredentials/{found.publishing_user}",
        "name": found.site_name,
        "type": "Microsoft.Web/sites/publishingcredentials",
        "properties": {
            "name": found.site_name,
            "publishingUserName": user,
            "publishingPassword": password,
            "scmUri": f"{scheme}://{user}:{password}@{rest}",
        },
    }
    return answer(document)


def _subscription() -> dict[str, Any]:
    sub = portal_id("subscription")
    return {
        "id": f"/subscriptions/{sub}",
        "subscriptionId": sub,
        "tenantId": portal_id("tenant"),
        "displayName": "WebJobs Portal",
        "state": "Enabled",
    }


def _subscriptions(request: HttpRequest) -> HttpResponse:
    return page(request, [_subscription()])


def _one_subscription(request: HttpRequest, sub: str) -> HttpResponse:
    """Any will do: scripts keep the one that they had."""
    return answer(_subscription() | {"id": f"/subscriptions/{sub}", "subscriptionId": sub})


def _tenants(request: HttpRequest) -> HttpResponse:
    tenant = portal_id("tenant")
    value = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "WebJobs Portal"}
    return page(request, [value])


def _groups(request: HttpRequest, sub: str) -> HttpResponse:
    return page(request, [_group(sub, GROUP)])


def _one_group(request: HttpRequest, sub: str, rg: str) -> HttpResponse:
    return answer(_group(sub, rg))


def _group(sub: str, rg: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{sub}/resourceGroups/{rg}",
        "name": rg,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "local",
        "properties": {"provisioningState": "Succeeded"},
    }


sites = endpoint(GET=_list)
site = endpoint(GET=_get)
slots = endpoint(GET=_slots)
start = endpoint(POST=_start)
stop = endpoint(POST=_stop)
restart = endpoint(POST=_restart)
app_settings = endpoint(PUT=_put_settings)
list_settings = endpoint(POST=_list_settings)
credentials = endpoint(POST=_credentials)
subscriptions = endpoint(GET=_subscriptions)
subscription = endpoint(GET=_one_subscription)
tenants = endpoint(GET=_tenants)
groups = endpoint(GET=_groups)
group = endpoint(GET=_one_group)
