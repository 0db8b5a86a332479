"""Errors that arise before a view: whoever calls the API reads them as those of its views."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve

from webjobs.api.surface import Problem, Surface
from webjobs.views import errors

OTHER_HOST = "The portal does not answer by this host name. Add it to ALLOWED_HOSTS."
UNREADABLE = "The request cannot be read."


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Of the API where it was called, else a page."""
    surface = _surface_of(request)
    if surface is None:
        return errors.bad_request(request, exception)
    words = OTHER_HOST if isinstance(exception, DisallowedHost) else UNREADABLE
    return surface.tell(Problem(400, "BadRequest", words))


def _surface_of(request: HttpRequest) -> Surface | None:
    try:
        view = resolve(request.path_info).func
    except Http404:
        return None
    return getattr(view, "surface", None)
