"""What HTTP asks of every request and answer, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]
# These have no body, and so no length of one.
_BODILESS = (204, 304)
# Up to where an address of Kudu's begins; what comes behind may have slashes of its own.
_BASE = re.compile(r"/+(?:scm(?:/+[^/]+(?:/+slots/+[^/]+)?)?(?=/|\Z)/*)?", re.IGNORECASE)


def tidy_address(get_response: Answer) -> Answer:
    """Middleware: clients put `https://host/` and `/scm/APP` together, and mind no case."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        tidy = _BASE.sub(_tidied, request.path_info, count=1)
        if tidy != request.path_info:
            request.path = request.path.removesuffix(request.path_info) + tidy
            request.path_info = tidy
        return get_response(request)

    return answer


def _tidied(base: re.Match[str]) -> str:
    text = re.sub("/+", "/", base[0])
    # An app may be named like the word, so only the first and the third part are one.
    parts = text.split("/")
    return "/".join(part.lower() if place in (1, 3) else part for place, part in enumerate(parts))


def no_length_of_nothing(get_response: Answer) -> Answer:
    """Middleware: around the one that tells the length of every answer."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code in _BODILESS:
            response.headers.pop("Content-Length", None)
        return response

    return answer
