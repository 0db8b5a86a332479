"""Pages for what went wrong, and the same as JSON for the pages' scripts."""

from __future__ import annotations

import sys

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from webjobs import outages
from webjobs.reasons import Reason
from webjobs.telling import is_database_full, told
from webjobs.views.answers import wants_json


def _answer(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": message}, status=status)
    again = request.method == "GET" and status >= 500
    context = {"title": title, "message": message, "again": again}
    return render(request, "error.html", context, status=status)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        message = _("The portal does not answer by this host name. Add it to ALLOWED_HOSTS.")
    else:
        message = _(
            "The browser sent something that cannot be read. Go back, reload and try again."
        )
    return _answer(request, 400, _("Bad request"), message)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    first = exception.args[0] if exception.args else ""
    message = told(first) if isinstance(first, Reason) else str(first)
    message = message or _("Your role does not allow this.")
    return _answer(request, 403, _("You may not do this"), message)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    first = exception.args[0] if exception.args else ""
    if isinstance(first, Reason):
        message = told(first)
    else:
        message = _("There is no such page, or it is not for you. It may have been deleted.")
    return _answer(request, 404, _("Not found"), message)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _(
        "The page was open for too long, or cookies are switched off. Reload the page and try "
        "again."
    )
    return _answer(request, 403, _("Reload the page"), message)


def wrong_method(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    """In words what `refused` says by its status alone, such as to whoever opens the address that
    a form is sent to."""
    message = _("Nothing is shown at this address: forms are sent to it. Go back to their page.")
    answer = _answer(request, 405, _("Nothing to show"), message)
    answer.headers["Allow"] = refused.headers["Allow"]
    return answer


def _no_database(request: HttpRequest) -> HttpResponse:
    # Who is signed in, and what they are to be told, would have to be read from it.
    request.user = AnonymousUser()
    request.__dict__.pop("_messages", None)
    message = _("The portal cannot use its database at present. Try again in a moment.")
    return _answer(request, 503, _("The portal is not available"), message)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled."""
    error = sys.exc_info()[1]
    if is_database_full(error):
        outages.database.gone(error)
        message = _("The disk of the database is full. Free some space there, then try again.")
        return _answer(request, 503, _("The portal is not available"), message)
    if isinstance(error, OperationalError | InterfaceError):
        return _no_database(request)
    message = _(
        "Something went wrong in the portal. It has been written to the portal's own log; "
        "try again in a moment."
    )
    return _answer(request, 500, _("Something went wrong"), message)
