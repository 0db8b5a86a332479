"""How an address of the API is answered: methods, who calls, and every error as a document."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from webjobs import outages
from webjobs.api.answers import empty
from webjobs.api.authentication import NotAuthenticated, Throttled, authenticate
from webjobs.dispatch import Refused
from webjobs.models.app import PRODUCTION
from webjobs.telling import is_database_full

logger = logging.getLogger(__name__)

Handler: TypeAlias = Callable[..., HttpResponseBase]
View: TypeAlias = Callable[..., HttpResponseBase]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

UNAUTHORIZED = "Sign in with the app's publishing credentials, or a user name and an API token."
NOT_FOUND = "There is no such thing here, or it is not for you."


@dataclass(frozen=True)
class Problem:
    """What went wrong, for the answer: `code` is for programs, `message` for people."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Surface:
    """A family of addresses: how it tells problems, and how it asks for credentials."""

    tell: Callable[[Problem], HttpResponse]
    challenge: str
    is_public: bool = False

    def endpoint(self, why_not: str = "Not with this method.", /, **handlers: Handler) -> View:
        """The view of an address with a handler for each method, such as `GET=show`.

        `why_not` is what callers of other methods are told.
        """
        if "GET" in handlers:
            handlers.setdefault("HEAD", handlers["GET"])
        allowed = ", ".join(sorted({*handlers, "OPTIONS"}))

        def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            if request.method == "OPTIONS" and "OPTIONS" not in handlers:
                told = empty(204)
                told["Allow"] = allowed
                return told
            with translation.override("en"):
                response = self._answer(request, handlers, parts, why_not)
            if response.status_code == 405:
                response["Allow"] = allowed
            if request.method == "HEAD":
                _drop_body(response)
            response.headers.setdefault("Cache-Control", "no-cache, private")
            return response

        view.surface = self  # type: ignore[attr-defined]
        return csrf_exempt(login_not_required(view))

    def _answer(
        self,
        request: HttpRequest,
        handlers: dict[str, Handler],
        parts: dict[str, Any],
        why_not: str,
    ) -> HttpResponseBase:
        try:
            self._identify(request, parts)
            handler = handlers.get(request.method or "")
            if handler is None:
                return self.tell(Problem(405, "MethodNotAllowed", why_not))
            return handler(request, **parts)
        except Exception as error:  # noqa: BLE001
            return self._failed(error)

    def _identify(self, request: HttpRequest, parts: dict[str, Any]) -> None:
        """Whom cookies name is forgotten, also where nobody need sign in."""
        request.user = AnonymousUser()
        if self.is_public:
            return
        caller = authenticate(request, parts.get("app"), parts.get("slot", PRODUCTION))
        if request.method not in SAFE and _is_foreign_page(request):
            raise PermissionDenied("A page of another origin cannot call this.")
        request.caller = caller  # type: ignore[attr-defined]
        if caller.user is not None:
            request.user = caller.user

    def _failed(self, error: Exception) -> HttpResponse:
        response = self.tell(_problem(error))
        if isinstance(error, NotAuthenticated):
            response["WWW-Authenticate"] = self.challenge
        elif isinstance(error, Throttled):
            response["Retry-After"] = str(error.seconds)
        elif isinstance(error, OperationalError):
            response["Retry-After"] = "1"
        return response


def _problem(error: Exception) -> Problem:
    match error:
        case NotAuthenticated():
            return Problem(401, "AuthenticationFailed", str(error) or UNAUTHORIZED)
        case Throttled():
            words = f"Signing in failed too often. Try again in {error.seconds} seconds."
            return Problem(429, "TooManyRequests", words)
        case PermissionDenied():
            return Problem(403, "AuthorizationFailed", str(error) or "Your role forbids this.")
        case Http404():
            return Problem(404, "NotFound", NOT_FOUND)
        case Refused():
            return Problem(error.status, _code(error), error.message)
        case UnreadablePostError() | BadRequest() | SuspiciousOperation():
            return Problem(400, "BadRequest", "The request cannot be read.")
        case OperationalError() if is_database_full(error):
            outages.database.gone(error)
            words = "The disk of the database is full. Free some space there, then try again."
            return Problem(503, "ServiceUnavailable", words)
        case OperationalError():
            outages.database.gone(error)
            return Problem(503, "ServiceUnavailable", "The database does not answer. Try again.")
    logger.error("A request of the API failed", exc_info=error)
    words = "An error has occurred. It has been written to the portal's own log."
    return Problem(500, "InternalServerError", words)


_CODES = {400: "BadRequest", 404: "NotFound", 409: "Conflict", 503: "ServiceUnavailable"}


def _code(error: Refused) -> str:
    """Refusals of dispatch are named by their status, those of the API by themselves."""
    return error.code if error.code[:1].isupper() else _CODES.get(error.status, "BadRequest")


def _is_foreign_page(request: HttpRequest) -> bool:
    """Whether a browser sends this for a page of somebody else: it adds a remembered password."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.get_host()


def _drop_body(response: HttpResponseBase) -> None:
    """HEAD: the headers of GET, without what they tell of."""
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    elif getattr(response, "streaming", False):
        response.streaming_content = ()  # type: ignore[attr-defined]
