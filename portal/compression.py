"""Pages and JSON in fewer bytes; what streams goes out as it comes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Below that an answer travels in one packet anyway.
SMALLEST = 1400
TEXTS = ("text/html", "text/javascript", "application/javascript", "application/json")


class CompressionMiddleware(GZipMiddleware):
    """gzip for whole answers of text, with Django's protection against guessing secrets by length.

    Live output, downloads and what a WebJob itself answers are streams, which must not be held
    back, or files that are compressed already.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not worth_it(response):
            return response
        return super().process_response(request, response)


def worth_it(response: HttpResponseBase) -> bool:
    """Whether `response` is text, complete, and long enough."""
    content = getattr(response, "content", b"")
    return len(content) >= SMALLEST and response.headers.get("Content-Type", "").startswith(TEXTS)
