"""How Azure Resource Manager tells what went wrong, and what every request must have."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from webjobs.api.answers import answer
from webjobs.api.surface import Handler, Problem, Surface, View
from webjobs.dispatch import Refused

NO_VERSION = "The api-version query parameter (?api-version=) is required for all requests."


def tell(problem: Problem) -> HttpResponse:
    """Both shapes: SDKs read `error`, the command line and old scripts the other two."""
    error = {"code": problem.code, "message": problem.message}
    body = {"error": error, "Code": problem.code, "Message": problem.message}
    return answer(body, problem.status)


def _versioned(handler: Handler) -> Handler:
    def checked(request: HttpRequest, **parts: str) -> HttpResponseBase:
        if not any(name.lower() == "api-version" and value for name, value in request.GET.items()):
            raise Refused("MissingApiVersionParameter", NO_VERSION, 400)
        return handler(request, **parts)

    return checked


ARM = Surface(tell, 'Bearer realm="portal", Basic realm="site"')


def endpoint(**handlers: Handler) -> View:
    """An address of the API; any api-version will do, but there must be one."""
    return ARM.endpoint(**{method: _versioned(handler) for method, handler in handlers.items()})
