"""Access tokens for an API token: by client credentials, or as a machine's identity."""

from __future__ import annotations

import time
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, QueryDict

from webjobs.api import access_tokens
from webjobs.api.answers import answer
from webjobs.api.authentication import (
    Credentials,
    NotAuthenticated,
    credentials_of,
    sign_in,
)
from webjobs.api.bodies import MAX_JSON, blocks
from webjobs.api.identity.surface import IDENTITY, WRONG_GRANT
from webjobs.api.links import root_of
from webjobs.dispatch import Refused


def _token(request: HttpRequest, tenant: str) -> HttpResponse:
    """`client_id` is a user name, `client_secret` an API token of that user."""
    form = _form(request)
    if form.get("grant_type") != "client_credentials":
        words = "grant_type: only client_credentials is supported."
        raise Refused(WRONG_GRANT, words, 400)
    shown = _client(request, form)
    audience = form.get("resource") or form.get("scope", "").removesuffix("/.default")
    body = _issued(request, shown, audience, tenant)
    return answer(body, Cache_Control="no-store")


def _form(request: HttpRequest) -> QueryDict:
    data = b"".join(blocks(request, MAX_JSON))
    try:
        return QueryDict(data.decode())
    except (UnicodeDecodeError, ValueError):
        raise Refused("BadRequest", "The form cannot be read.", 400) from None


def _client(request: HttpRequest, form: QueryDict) -> Credentials:
    name, secret = form.get("client_id", ""), form.get("client_secret")
    if secret is None:
        return credentials_of(request)
    if not name or not secret or "\0" in name + secret:
        raise NotAuthenticated
    return Credentials(name, secret)


def _issued(
    request: HttpRequest, shown: Credentials, audience: str, tenant: str
) -> dict[str, str | int]:
    found = sign_in(request, shown)
    now = time.time()
    issuer = f"{root_of(request)}/{quote(tenant)}/v2.0"
    return {
        "token_type": "Bearer",
        "expires_in": access_tokens.LIFETIME - 1,
        "ext_expires_in": access_tokens.LIFETIME - 1,
        "expires_on": str(int(now) + access_tokens.LIFETIME - 1),
        "resource": audience,
        "access_token": access_tokens.issue(found, audience, issuer, now),
    }


def _managed_identity(request: HttpRequest) -> HttpResponse:
    """For IDENTITY_ENDPOINT: the header holds an API token (IDENTITY_HEADER)."""
    secret = request.headers.get("X-Identity-Header", "")
    if not secret or "\0" in secret:
        raise NotAuthenticated
    tenant = access_tokens.portal_id("tenant")
    audience = request.GET.get("resource", "")
    body = _issued(request, Credentials("", secret), audience, tenant)
    return answer(body, Cache_Control="no-store")


token = IDENTITY.endpoint(POST=_token)
managed_identity = IDENTITY.endpoint(GET=_managed_identity)
