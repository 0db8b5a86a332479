"""`POST /deploy`: the webhook of a connected repository. Its signature stands for a sign-in."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from webjobs.access import address_of
from webjobs.api.answers import TEXT
from webjobs.api.authentication import ADDRESS_LIMIT, Throttled
from webjobs.api.bodies import blocks
from webjobs.api.kudu.surface import KUDU_PUBLIC
from webjobs.deploying import webhook
from webjobs.dispatch import Refused
from webjobs.models import SourceConnection, Throttle
from webjobs.models.app import PRODUCTION
from webjobs.models.fields import SecretUnreadable
from webjobs.models.throttle import key_of

# Compared with where nothing is connected, so that nobody learns whether something is.
_NOBODY = secrets.token_urlsafe(32)
NOT_SIGNED = "The signature is missing or wrong. Set the webhook's secret to the one shown here."
# A sender that calls more often than this within a minute can wait: what it asks for waits too.
CALL_LIMIT = 120


def _deploy(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Fetch the branch that was pushed to, if it is the connected one."""
    limits = _limits(request)
    if seconds := Throttle.wait(limits, timezone.now()):
        raise Throttled(seconds)
    body = b"".join(blocks(request, webhook.MAX_BODY))
    source = _source(app, slot)
    secret = source.webhook_secret if source else _NOBODY
    is_genuine = webhook.is_genuine(request.headers, body, secret)
    wrong, call = limits
    Throttle.count([call] if is_genuine else [wrong, call], timezone.now())
    if source is None or not is_genuine:
        raise Refused("Forbidden", NOT_SIGNED, 403)
    try:
        answer = webhook.receive(source, request.headers, body)
    except webhook.BadPayload:
        raise Refused("BadRequest", "The body must be the JSON of a push.", 400) from None
    return HttpResponse(answer.words + "\n", status=answer.status, content_type=TEXT)


def _limits(request: HttpRequest) -> dict[str, int]:
    address = address_of(request) or ""
    return {
        key_of("webhook", address): ADDRESS_LIMIT,
        key_of("webhook-call", address): CALL_LIMIT,
    }


def _source(app: str, slot: str) -> SourceConnection | None:
    if "\0" in app + slot:
        return None
    found = SourceConnection.objects.select_related("slot__app").filter(
        slot__app__name__iexact=app, slot__name__iexact=slot, slot__deleted_at=None
    )
    try:
        return found.first()
    except SecretUnreadable:
        return None


deploy = KUDU_PUBLIC.endpoint("Only POST, as webhooks send.", POST=_deploy)
