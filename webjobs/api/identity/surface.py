"""How OAuth tells what went wrong."""

from __future__ import annotations

from django.http import HttpResponse

from webjobs.api.answers import answer
from webjobs.api.surface import Problem, Surface

# What clients of Azure know a wrong secret by.
WRONG_SECRET = 7000215
WRONG_GRANT = "UnsupportedGrantType"
_ERRORS = {
    401: "invalid_client",
    404: "invalid_request",
    405: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
    500: "server_error",
}


def _tell(problem: Problem) -> HttpResponse:
    error = _ERRORS.get(problem.status, "invalid_request")
    words, codes = problem.message, [problem.status]
    if problem.status == 401:
        words = f"AADSTS{WRONG_SECRET}: Invalid client secret provided. {problem.message}"
        codes = [WRONG_SECRET]
    elif problem.code == WRONG_GRANT:
        error = "unsupported_grant_type"
    return answer(
        {"error": error, "error_description": words, "error_codes": codes}, problem.status
    )


IDENTITY = Surface(_tell, 'Basic realm="site"', is_public=True)
