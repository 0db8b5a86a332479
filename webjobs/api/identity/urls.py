"""Addresses of the sign-in; any tenant will do, `adfs` among them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from webjobs.api.identity import discovery, tokens
from webjobs.api.routing import route

_TENANT = r"(?P<tenant>[^/]+)"
_DISCOVERY = r"(?:/v2\.0)?/\.well-known/openid-configuration"

urlpatterns: list[URLPattern | URLResolver] = [
    route(_TENANT + _DISCOVERY, discovery.openid, "openid-configuration"),
    route(_TENANT + r"/discovery(?:/v2\.0)?/keys", discovery.keys, "oauth2-keys"),
    route(_TENANT + r"/oauth2(?:/v2\.0)?/token", tokens.token, "oauth2-token"),
    # Some clients put two slashes behind the host.
    route(r"/?metadata/endpoints", discovery.metadata, "metadata-endpoints"),
    route("msi/token", tokens.managed_identity, "msi-token"),
]
