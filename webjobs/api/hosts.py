"""`{app}.SCM_DOMAIN`: Kudu's API of an app under a host name of its own, as on Azure."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db.models import CharField, Q, Value
from django.db.models.functions import Concat, Lower
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from webjobs.api.links import scm_path
from webjobs.models import Slot
from webjobs.models.app import PRODUCTION
from webjobs.models.prepared import Given, PreparedQuery

Answer = Callable[[HttpRequest], HttpResponseBase]
_GIVEN = Given("site", CharField())
_SLOTS = PreparedQuery(
    lambda: (
        Slot.objects.living()
        .select_related("app")
        .defer("publishing_password")
        .alias(of_app=Lower("app__name"), of_slot=Lower(Concat("app__name", Value("-"), "name")))
        .filter(Q(of_app=_GIVEN, name=PRODUCTION) | Q(of_slot=_GIVEN))
    )
)


def scm_hosts(get_response: Answer) -> Answer:
    """Middleware: such a host shows nothing but Kudu's API, whatever the path is."""
    if not settings.SCM_DOMAIN:
        raise MiddlewareNotUsed
    suffix = f".{settings.SCM_DOMAIN}".lower()

    def answer(request: HttpRequest) -> HttpResponseBase:
        host = request.get_host().partition(":")[0].lower()
        if host.endswith(suffix):
            site = host.removesuffix(suffix)
            request.is_scm_host = True  # type: ignore[attr-defined]
            request.portal_host = _portal_host(request)  # type: ignore[attr-defined]
            request.path_info = _scm_of_site(site) + request.path_info
        return get_response(request)

    return answer


def _portal_host(request: HttpRequest) -> str:
    """Where the pages are: the first of the portal's own names."""
    names = (name for name in settings.ALLOWED_HOSTS if not name.startswith((".", "*")))
    return next(names, settings.SCM_DOMAIN) + "".join(request.get_host().partition(":")[1:])


def _scm_of_site(site: str) -> str:
    """`app`, or `app-slot`: the app's own name may have hyphens."""
    found = sorted(_SLOTS.all(site=site), key=lambda slot: not slot.is_production)
    return scm_path(found[0]) if found else f"/scm/{site}"
