"""What clients ask first: where to sign in, and for what."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from webjobs.api.access_tokens import portal_id
from webjobs.api.answers import answer
from webjobs.api.identity.surface import IDENTITY
from webjobs.api.links import root_of


def _openid(request: HttpRequest, tenant: str) -> HttpResponse:
    root = f"{root_of(request)}/{quote(tenant)}"
    version = "" if tenant.lower() == "adfs" else "/v2.0"
    document = {
        "issuer": root + version,
        "authorization_endpoint": f"{root}/oauth2{version}/authorize",
        "token_endpoint": f"{root}/oauth2{version}/token",
        "jwks_uri": f"{root}/discovery{version}/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["HS256"],
        "scopes_supported": [".default"],
    }
    return answer(document)


def _keys(request: HttpRequest, tenant: str) -> HttpResponse:
    """None: nobody but this portal reads its tokens."""
    return answer({"keys": []})


def _metadata(request: HttpRequest) -> HttpResponse:
    """What `az cloud register` asks of a cloud that it does not know."""
    root = root_of(request)
    document = {
        "name": "WebJobsPortal",
        "portal": root,
        "authentication": {
            "loginEndpoint": root,
            "audiences": [f"{root}/"],
            "tenant": portal_id("tenant"),
            "identityProvider": "AAD",
        },
        "resourceManager": root,
        "suffixes": {},
    }
    return answer(document)


openid = IDENTITY.endpoint(GET=_openid)
keys = IDENTITY.endpoint(GET=_keys)
metadata = IDENTITY.endpoint(GET=_metadata)
