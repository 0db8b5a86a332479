"""The sign-in of Azure's clients, and the addresses that are the portal's own."""

from __future__ import annotations

from webjobs.api.openapi.errors import arm, identity
from webjobs.api.openapi.parts import (
    ANY_OBJECT,
    INTEGER,
    TEXT,
    URL,
    Node,
    always,
    content,
    gives,
    header,
    list_of,
    named,
    operation,
    parameter,
    query,
    ref,
    words,
)

_TAG = "Sign-in"
_OWN = "Portal"
_PUBLIC: list[Node] = [{}]
_TENANT = "/{tenant}"

SCHEMAS: dict[str, Node] = {
    "OpenIdConfiguration": always(
        "What OpenID clients ask first.",
        issuer=URL,
        authorization_endpoint=URL,
        token_endpoint=URL,
        jwks_uri=URL,
        token_endpoint_auth_methods_supported=list_of(TEXT),
        grant_types_supported=list_of(TEXT),
        response_types_supported=list_of(TEXT),
        subject_types_supported=list_of(TEXT),
        id_token_signing_alg_values_supported=list_of(TEXT),
        scopes_supported=list_of(TEXT),
    ),
    "Keys": always("None: only this portal reads its tokens.", keys=list_of(ANY_OBJECT)),
    "CloudMetadata": always(
        "What `az cloud register` asks.",
        name=TEXT,
        portal=URL,
        authentication=always(
            "", loginEndpoint=URL, audiences=list_of(URL), tenant=TEXT, identityProvider=TEXT
        ),
        resourceManager=URL,
        suffixes=ANY_OBJECT,
    ),
    "AccessToken": always(
        "A token to send as Bearer.",
        token_type=words("Bearer"),
        expires_in=INTEGER,
        ext_expires_in=INTEGER,
        expires_on={**TEXT, "description": "Seconds since 1970."},
        resource=TEXT,
        access_token=TEXT,
    ),
    "TokenForm": {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": words("client_credentials"),
            "client_id": {**TEXT, "description": "A user name."},
            "client_secret": {**TEXT, "description": "An API token of that user."},
            "scope": TEXT,
            "resource": TEXT,
        },
    },
}


def _get(summary: str, schema: str, *parameters: Node) -> dict[str, Node]:
    good = {"200": gives("It.", ref(schema))}
    one = operation(_TAG, summary, good, identity(), parameters=parameters, security=_PUBLIC)
    return {"get": one}


def _token() -> dict[str, Node]:
    form = content(ref("TokenForm"), "application/x-www-form-urlencoded")
    one = operation(
        _TAG,
        "Get a token with a user name and an API token.",
        {"200": gives("It.", ref("AccessToken"))},
        identity("411 413"),
        body={"required": True, "content": form},
        security=[{}, {"basic": []}],
    )
    return {"post": one}


def _managed_identity() -> dict[str, Node]:
    secret = header("X-IDENTITY-HEADER", "An API token.", required=True)
    summary = "Get a token as a machine's identity."
    return _get(summary, "AccessToken", secret, query("resource", "What the token is for."))


def _own() -> dict[str, dict[str, Node]]:
    health = {
        status: gives(what, ref("Health"))
        for status, what in {"200": "Everything is there.", "503": "Something is not."}.items()
    }
    summary = "Whether the portal works, for load balancers."
    return {
        "/healthz": {"get": operation(_OWN, summary, health, {}, security=_PUBLIC)},
        "/api/openapi.json": {
            "get": operation(
                _OWN,
                "This document.",
                {
                    "200": gives("It.", ANY_OBJECT, ETag="Of this document."),
                    "304": gives("As it was."),
                },
                arm(),
            )
        },
    }


def paths() -> dict[str, Node]:
    """Path items by address."""
    found = {
        **{
            _TENANT + version + "/.well-known/openid-configuration": _get(
                "Tell where to sign in.", "OpenIdConfiguration"
            )
            for version in ("", "/v2.0")
        },
        **{
            f"{_TENANT}/discovery{version}/keys": _get("Keys to check tokens with.", "Keys")
            for version in ("", "/v2.0")
        },
        **{f"{_TENANT}/oauth2{version}/token": _token() for version in ("", "/v2.0")},
        "/metadata/endpoints": _get("Tell where everything is.", "CloudMetadata"),
        "/msi/token": _managed_identity(),
        **_own(),
    }
    return {path: named(path, item) for path, item in found.items()}


PARAMETERS: dict[str, Node] = {
    "tenant": parameter("path", "tenant", "Any will do, such as portal.", TEXT, required=True)
}
