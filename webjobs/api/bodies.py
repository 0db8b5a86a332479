"""Reading what clients send: never more than allowed, and never all of it into memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest

from webjobs.dispatch import Refused

MIB = 1024 * 1024
BLOCK = 256 * 1024
MAX_JSON = MIB


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _declared(request: HttpRequest) -> int | None:
    """The length that the client has announced; None when it sends in chunks."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    text = request.META.get("CONTENT_LENGTH") or "0"
    if not text.isdecimal():
        raise Refused("BadRequest", "Content-Length is no number.", 400)
    return int(text)


def _source(request: HttpRequest, declared: int | None) -> _Readable:
    if declared is not None:
        return request
    # Django gives an empty body without Content-Length, though the server knows where it ends.
    if not request.META.get("wsgi.input_terminated"):
        raise Refused("LengthRequired", "Send a Content-Length.", 411)
    return request.META["wsgi.input"]  # type: ignore[no-any-return]


def blocks(request: HttpRequest, most: int) -> Iterator[bytes]:
    """The body piece by piece; raises Refused beyond `most` bytes or when it was cut off."""
    declared = _declared(request)
    too_large = Refused(
        "RequestEntityTooLarge", f"At most {most / MIB:.0f} MiB are accepted here.", 413
    )
    if declared is not None and declared > most:
        raise too_large
    source, size = _source(request, declared), 0
    while True:
        try:
            block = source.read(BLOCK)
        except OSError:
            raise Refused("BadRequest", "The upload was cut off. Send it again.", 400) from None
        if not block:
            break
        size += len(block)
        if size > most:
            raise too_large
        yield block
    if declared is not None and size < declared:
        raise Refused("BadRequest", "The upload was cut off. Send it again.", 400)


@contextmanager
def spooled(request: HttpRequest, most: int) -> Iterator[Path]:
    """The body in a file that is gone afterwards."""
    with tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        for block in blocks(request, most):
            file.write(block)
        file.flush()
        yield Path(file.name)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def read_json(request: HttpRequest) -> Any:
    """The JSON value that was sent; raises Refused."""
    data = b"".join(blocks(request, MAX_JSON))
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused("BadRequest", "The request's body must be JSON in UTF-8.", 400) from None


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent; raises Refused."""
    value = read_json(request)
    if not isinstance(value, dict):
        raise Refused("BadRequest", "The request's body must be a JSON object.", 400)
    return value
