"""`/api/openapi.json`: all of the API for tools that make clients, pages and tests of it."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from webjobs.api.answers import JSON, etag_of, not_modified
from webjobs.api.arm.surface import ARM
from webjobs.api.identity.surface import IDENTITY
from webjobs.api.links import root_of
from webjobs.api.openapi import (
    arm,
    arm_mode,
    arm_schemas,
    debugging,
    errors,
    identity,
    kudu,
    processes,
    schemas,
)

VERSION = "1"
_ABOUT = """\
The API of a WebJobs Portal. Kudu's addresses are below `/scm/{app}`, and with SCM_DOMAIN also at
the root of the app's own host; those of Azure Resource Manager are at the root.

Every address takes a slash at its end, and upper or lower case; every GET also answers HEAD, and
every address OPTIONS with the methods that it takes. No origin is allowed by CORS. Documents may
get more fields.
"""
_BASIC = (
    "A user name and an API token, or, at addresses that name their app, the app's publishing "
    "credentials."
)


@cache
def document() -> dict[str, Any]:
    """The document but for the address of its server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "WebJobs Portal", "version": VERSION, "description": _ABOUT},
        "security": [{"basic": []}, {"bearer": []}],
        "paths": kudu.paths() | arm.paths() | identity.paths(),
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": _BASIC},
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, or a token that was got with one.",
                },
            },
            "parameters": kudu.PARAMETERS | arm.PARAMETERS | identity.PARAMETERS,
            "responses": errors.RESPONSES,
            "schemas": errors.SCHEMAS
            | schemas.SCHEMAS
            | arm_mode.SCHEMAS
            | debugging.SCHEMAS
            | processes.SCHEMAS
            | arm_schemas.SCHEMAS
            | identity.SCHEMAS,
        },
    }


@lru_cache(maxsize=8)
def _served(root: str) -> tuple[str, str]:
    """The text for the portal at `root`, and its ETag."""
    text = json.dumps(document() | {"servers": [{"url": root}]}, separators=(",", ":"))
    return text, etag_of(text)


def _get(request: HttpRequest) -> HttpResponse:
    text, etag = _served(root_of(request))
    found = HttpResponse(text, content_type=JSON, headers={"ETag": etag})
    return not_modified(request, etag) or found


_for_people = IDENTITY.endpoint(GET=_get)
_for_callers = ARM.endpoint(GET=_get)


@csrf_exempt
@login_not_required
def openapi(request: HttpRequest) -> HttpResponseBase:
    """For whoever has signed in to the pages, and for callers with credentials of the API."""
    view = _for_people if request.user.is_authenticated else _for_callers
    return view(request)
