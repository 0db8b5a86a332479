"""How Kudu tells what went wrong: text where a person reads it, nothing for 404, else JSON."""

from __future__ import annotations

from django.http import HttpResponse

from webjobs.api.answers import TEXT, answer, empty
from webjobs.api.surface import Problem, Surface

CHALLENGE = 'Basic realm="site"'
AS_TEXT = frozenset({400, 401, 409, 411, 413, 422})


def _tell(problem: Problem) -> HttpResponse:
    if problem.status == 404:
        return empty(404)
    if problem.status in AS_TEXT:
        return HttpResponse(problem.message, status=problem.status, content_type=TEXT)
    return _tell_json(problem)


def _tell_json(problem: Problem) -> HttpResponse:
    return answer({"Message": problem.message, "Code": problem.code}, problem.status)


KUDU = Surface(_tell, CHALLENGE)
# Where Kudu answers 404 with a document.
KUDU_JSON = Surface(_tell_json, CHALLENGE)
# Where a signature, or nothing at all, stands for a sign-in.
KUDU_PUBLIC = Surface(_tell, CHALLENGE, is_public=True)
