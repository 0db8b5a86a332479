"""Kudu's ARM mode: how it answers the front end of Azure Resource Manager.

That passes requests on with `x-ms-geo-location`, and with their own address as the Referer; what
comes back are resources. Kudu's names and those of the SDKs stand in them side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest

from webjobs.api.arm.resources import Site
from webjobs.models import Slot

LOCATION = "x-ms-geo-location"
Resource = dict[str, Any]


def is_arm(request: HttpRequest) -> bool:
    return LOCATION in request.headers


def variant_of(request: HttpRequest) -> tuple[str, ...]:
    """What an ETag must tell apart."""
    return (_id(request), request.headers[LOCATION]) if is_arm(request) else ()


def resource(
    request: HttpRequest, slot: Slot, kind: str, names: Sequence[str], properties: Any
) -> Resource:
    """What the address itself names."""
    return _resource(request, _id(request), slot, kind, names, properties)


def resources(
    request: HttpRequest,
    slot: Slot,
    kind: str,
    items: Iterable[tuple[Sequence[str], Any]],
    next_link: str | None = None,
) -> dict[str, Any]:
    """A list: of each item its names from the site down, and its properties."""
    base = _id(request).rstrip("/")
    value = [
        _resource(request, f"{base}/{names[-1]}", slot, kind, names, properties)
        for names, properties in items
    ]
    return {"value": value, "nextLink": next_link}


def _resource(
    request: HttpRequest, id: str, slot: Slot, kind: str, names: Sequence[str], properties: Any
) -> Resource:
    site = Site("", "", slot)
    return {
        "id": id,
        "name": "/".join([*site.names, *names]),
        "type": f"{site.type}/{kind}",
        "location": request.headers[LOCATION],
        "properties": properties,
    }


def _id(request: HttpRequest) -> str:
    """The path that the caller of the front end asked for."""
    with suppress(ValueError):
        return urlsplit(request.headers.get("Referer", "")).path or request.path
    return request.path
