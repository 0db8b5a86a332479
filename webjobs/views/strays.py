"""What reaches a page astray: after the session ended, by a method or an address it does not have.

Middleware, since the views below are never asked.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from webjobs.views.answers import wants_json
from webjobs.views.errors import wrong_method

# In the sign-in page's address: what was sent did not arrive.
UNSENT = "unsent"


def page_before(request: HttpRequest) -> str:
    """The path of the portal's page that this was sent from; empty when that is not known."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return ""
    parts = urlsplit(referer)
    return parts._replace(scheme="", netloc="").geturl()


class SignInMiddleware(LoginRequiredMiddleware):
    """Whoever sends a form when the session has ended comes back to its page, not to where it was
    sent: that may answer nothing but forms."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        back = page_before(request) if request.method == "POST" and not wants_json(request) else ""
        if not back:
            return super().handle_no_permission(request, view_func)
        answer = redirect_to_login(back, settings.LOGIN_URL)
        answer.headers["Location"] += f"&{UNSENT}=1"
        return answer


class StrayMiddleware:
    """A method that an address does not have is told in words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if isinstance(answer, HttpResponseNotAllowed) and not answer.content:
            return wrong_method(request, answer)
        return answer
