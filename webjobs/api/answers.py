"""Answers of the API: JSON, and 304 for whoever has it already."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


def answer(value: Any, status: int = 200, **headers: str) -> HttpResponse:
    """`value` as JSON; underscores in the names of `headers` are hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(text, status=status, content_type=JSON, headers=named)


def empty(status: int = 200) -> HttpResponse:
    """An answer without a body, and so without a type of one."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    return response


def etag_of(*state: object) -> str:
    """A strong ETag that changes with `state`."""
    return '"' + hashlib.sha256(repr(state).encode()).hexdigest()[:32] + '"'


def tags_of(request: HttpRequest) -> list[str]:
    """What the client's If-None-Match names."""
    named = parse_etags(request.headers.get("If-None-Match", ""))
    return [tag.removeprefix("W/") for tag in named]


def not_modified(request: HttpRequest, etag: str) -> HttpResponse | None:
    """304 when the client's If-None-Match names `etag`."""
    known = tags_of(request)
    if etag in known or "*" in known:
        return HttpResponseNotModified(headers={"ETag": etag})
    return None
