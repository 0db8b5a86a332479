"""`/api/hooks`: who is told of finished runs, and whether it arrived."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.api.answers import answer, empty
from webjobs.api.bodies import read_json, read_object
from webjobs.api.finding import number_of
from webjobs.api.kudu.surface import KUDU, KUDU_JSON
from webjobs.api.links import scm_of
from webjobs.dispatch import Refused
from webjobs.dotnet import NEVER, time_text
from webjobs.models import Hook, HookDelivery, Role, Slot
from webjobs.models.app import PRODUCTION

SHOWN_DELIVERIES = 50


def _document(hook: Hook) -> dict[str, Any]:
    last = hook.deliveries.exclude(tried_at=None).first()
    return {
        "id": str(hook.pk),
        "event": hook.event,
        "url": _without_password(hook.url),
        "insecure_ssl": hook.insecure_ssl,
        "last_status": ("Success" if last.is_delivered else "Failure") if last else None,
        "last_reason": (last.reason or None) if last else None,
        "last_datetime": (time_text(last.tried_at) if last else None) or NEVER,
        "last_context": last.payload if last else None,
    }


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _list(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot, Role.OPERATOR)
    return answer([_document(hook) for hook in Hook.objects.filter(slot=found)])


def _add(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """201 with the secret that signs what is sent; it is not shown again."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    body = read_object(request)
    url, event = body.get("url"), body.get("event")
    if not isinstance(url, str) or not isinstance(event, str):
        raise Refused("BadRequest", "url, event: must be texts.", 400)
    hook, is_new = dispatch.add_hook(
        found,
        url,
        event,
        actor_of(request),
        insecure_ssl=body.get("insecure_ssl") is True,
        base=scm_of(request, found),
    )
    return answer(_document(hook) | ({"secret": hook.secret} if is_new else {}), 201)


def _hook(slot: Slot, id: str) -> Hook:
    hook = Hook.objects.filter(slot=slot, pk=number_of(id)).first()
    if hook is None:
        raise Http404("No such hook.")
    return hook


def _get(request: HttpRequest, app: str, id: str, slot: str = PRODUCTION) -> HttpResponse:
    return answer(_document(_hook(slot_for(request, app, slot, Role.OPERATOR), id)))


def _delete(request: HttpRequest, app: str, id: str, slot: str = PRODUCTION) -> HttpResponse:
    """200 also for what is not there, as in Kudu."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    try:
        dispatch.delete_hook(_hook(found, id), actor_of(request))
    except Http404:
        return empty()
    return empty()


def _deliveries(request: HttpRequest, app: str, id: str, slot: str = PRODUCTION) -> HttpResponse:
    """The newest deliveries with what became of them."""
    hook = _hook(slot_for(request, app, slot, Role.OPERATOR), id)
    return answer([_delivery(one) for one in hook.deliveries.all()[:SHOWN_DELIVERIES]])


def _delivery(delivery: HookDelivery) -> dict[str, Any]:
    return {
        "id": str(delivery.pk),
        "event": delivery.event,
        "created": time_text(delivery.created_at),
        "attempts": delivery.attempts,
        "delivered": delivery.is_delivered,
        "http_status": delivery.http_status,
        "reason": delivery.reason or None,
        "next_attempt": time_text(delivery.next_at),
        "payload": delivery.payload,
    }


def _publish(request: HttpRequest, app: str, event: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    dispatch.publish(found, event, read_json(request), actor_of(request))
    return empty()


hooks = KUDU.endpoint(GET=_list, POST=_add)
hook = KUDU_JSON.endpoint(GET=_get, DELETE=_delete)
deliveries = KUDU_JSON.endpoint(GET=_deliveries)
publish = KUDU.endpoint(POST=_publish)
