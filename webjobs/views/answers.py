"""The answers to what a page asks for: JSON for its script, a page or a redirect without one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict

from webjobs.dispatch import Refused
from webjobs.forms.fields import BaseForm, errors_of


def asked(request: HttpRequest, name: str) -> str:
    """What the address asks for; null characters, which no database could be asked for, are left
    out."""
    return request.GET.get(name, "").replace("\0", "").strip()


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def wants_fragment(request: HttpRequest) -> bool:
    """The page's script asks for a part of the page, without the frame around it."""
    return "X-Fragment" in request.headers


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, also when it is empty; None when the form is only being shown."""
    return request.POST if request.method == "POST" else None


def done(
    request: HttpRequest, message: str, url: str, *, undo: str = "", **extra: Any
) -> HttpResponse:
    """What was asked has been done. `url` is where a browser without script goes on, and `undo`
    is the address that takes it back."""
    if wants_json(request):
        return JsonResponse({"message": message, "url": url, "undo": undo, **extra})
    messages.success(request, message, extra_tags=undo)
    return HttpResponseRedirect(url)


def refused(request: HttpRequest, error: Refused, message: str, url: str) -> HttpResponse:
    """It cannot be done, for the reason in `error`; `message` says what could not."""
    if wants_json(request):
        return JsonResponse({"error": message, "code": error.code}, status=error.status)
    messages.error(request, message)
    return HttpResponseRedirect(url)


def invalid(form: BaseForm) -> JsonResponse:
    """The messages of a form for its script, by field."""
    return JsonResponse({"errors": errors_of(form)}, status=400)
