"""Whoever is refused before all of a body was read still gets to the answer.

gunicorn reads 64 KiB more, then closes, and what the client goes on sending is answered by a
reset, with which its system drops an answer that has arrived: it sees a broken connection where
401 or 413 was told. Most clients read the answer only when they have sent everything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The answer is out; this thread has others to serve.
SECONDS = 10.0
BLOCK = 16 * 1024


def drained(application: WSGIApplication) -> WSGIApplication:
    """`application`, with the rest of each request's body read and dropped after its answer."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = application(environ, start_response)
        return _Draining(answer, environ) if _may_go_on(environ) else answer

    return serve


def _may_go_on(environ: WSGIEnvironment) -> bool:
    has_body = environ.get("CONTENT_LENGTH") not in (None, "", "0")
    return "gunicorn.socket" in environ and (has_body or "HTTP_TRANSFER_ENCODING" in environ)


class _Draining:
    """An answer whose end, which comes when all of it is sent, waits for that of the request."""

    def __init__(self, answer: Iterable[bytes], environ: WSGIEnvironment) -> None:
        self._answer = answer
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            _drain(self._environ["wsgi.input"], self._environ["gunicorn.socket"])


def _drain(source: Any, socket: Any) -> None:
    until = time.monotonic() + SECONDS
    with suppress(OSError):  # It sends nothing for too long, has gone, or sends nonsense.
        while (left := until - time.monotonic()) > 0:
            socket.settimeout(left)
            if not source.read(BLOCK):
                break
    with suppress(OSError):
        socket.settimeout(None)
