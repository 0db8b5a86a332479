"""ARM's addresses, at the root. Case does not matter, a slash at the end neither."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from webjobs.api.arm import sites, slots, webjobs
from webjobs.api.arm.surface import endpoint
from webjobs.api.routing import route

_SUB = r"subscriptions/(?P<sub>[^/]+)"
_GROUP = _SUB + r"/resourceGroups/(?P<rg>[^/]+)"
_SITES = r"/providers/Microsoft\.Web/sites"
_SITE = _GROUP + _SITES + r"/(?P<app>[^/]+)"
_SLOT = _SITE + r"(?:/slots/(?P<slot>[^/]+))?"
_NAME = r"/(?P<name>[^/]+)"
_ID = r"/(?P<id>[^/]+)"
_TRIGGERED = _SLOT + "/triggeredwebjobs" + _NAME
_CONTINUOUS = _SLOT + "/continuouswebjobs" + _NAME
_TYPED = _SLOT + "/(?P<type>triggered|continuous)webjobs"


def _nothing(request: HttpRequest, rest: str) -> HttpResponse:
    raise Http404("No such address.")


urlpatterns: list[URLPattern | URLResolver] = [
    route("subscriptions", sites.subscriptions, "arm-subscriptions"),
    route("tenants", sites.tenants, "arm-tenants"),
    route(_SUB, sites.subscription, "arm-subscription"),
    route(_SUB + "/resourceGroups", sites.groups, "arm-groups"),
    route(_GROUP, sites.group, "arm-group"),
    route(_SUB + _SITES, sites.sites, "arm-all-sites"),
    route(_GROUP + _SITES, sites.sites, "arm-sites"),
    route(_SITE + "/slots", sites.slots, "arm-slots"),
    route(_SITE + "/slots/(?P<slot>[^/]+)", slots.slot, "arm-slot"),
    route(_SITE + "/config/slotConfigNames", slots.names, "arm-slot-names"),
    route(_SLOT + "/slotsswap", slots.swap, "arm-swap"),
    route(_SLOT + "/operationresults" + _ID, slots.result, "arm-swap-result"),
    route(_SLOT, sites.site, "arm-site"),
    route(_SLOT + "/start", sites.start, "arm-site-start"),
    route(_SLOT + "/stop", sites.stop, "arm-site-stop"),
    route(_SLOT + "/restart", sites.restart, "arm-site-restart"),
    route(_SLOT + "/config/appsettings", sites.app_settings, "arm-settings"),
    route(_SLOT + "/config/appsettings/list", sites.list_settings, "arm-settings-list"),
    route(_SLOT + "/config/publishingcredentials/list", sites.credentials, "arm-credentials"),
    route(_SLOT + "/webjobs", webjobs.all_jobs, "arm-webjobs"),
    route(_SLOT + "/webjobs" + _NAME, webjobs.any_job, "arm-webjob"),
    route(_TYPED, webjobs.all_jobs, "arm-typed-webjobs"),
    route(_TYPED + _NAME, webjobs.job, "arm-typed-webjob"),
    route(_TRIGGERED + "/run", webjobs.run, "arm-run"),
    route(_TRIGGERED + "/history", webjobs.history, "arm-history"),
    route(_TRIGGERED + "/history" + _ID, webjobs.history_run, "arm-history-run"),
    route(_TRIGGERED + "/history" + _ID + "/stop", webjobs.history_stop, "arm-run-stop"),
    route(_CONTINUOUS + "/start", webjobs.start, "arm-start"),
    route(_CONTINUOUS + "/stop", webjobs.stop, "arm-stop"),
    # Also here nobody learns anything before signing in.
    route(
        r"(?:subscriptions|providers|tenants)/(?P<rest>[\s\S]*)",
        endpoint(**dict.fromkeys(("GET", "POST", "PUT", "DELETE", "PATCH"), _nothing)),
        "arm-nothing",
    ),
]
