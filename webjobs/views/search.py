"""Searching the output of runs, copies and schedulers, step by step, for the pages' script."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webjobs.access import run_for, webjob_for
from webjobs.logs.query import BadQuery, Finder, finder
from webjobs.logs.search import MAX_MATCHES, Found, Match, search, search_back
from webjobs.models import Copy, Log
from webjobs.models.app import PRODUCTION
from webjobs.telling import told
from webjobs.views.viewer import streams_of


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _match(match: Match) -> dict[str, object]:
    return {"line": match.line, "offset": match.offset, "spans": match.spans}


def _found(request: HttpRequest, log: Log, sought: Finder) -> Found:
    """`line` to the one before `until`, or `back` from `before`; `from` goes on where a step ended.

    With `count=0` it stops behind the first `limit` matches.
    """
    position = _number(request, "from")
    limit = _number(request, "limit") or MAX_MATCHES
    streams = streams_of(request)
    if request.GET.get("back"):
        before = _number(request, "before")
        return search_back(
            log, sought, before=before, position=position, limit=limit, streams=streams
        )
    return search(
        log,
        sought,
        line=_number(request, "line") or 1,
        until=_number(request, "until"),
        position=position,
        limit=limit,
        count_on=request.GET.get("count") != "0",
        streams=streams,
    )


def _answer(request: HttpRequest, log: Log | None) -> HttpResponse:
    """JSON: what `?q=` matches, as text or with `regex`, with `case` as it is written."""
    try:
        sought = finder(
            request.GET.get("q", ""),
            is_regex=bool(request.GET.get("regex")),
            match_case=bool(request.GET.get("case")),
        )
    except BadQuery as error:
        return JsonResponse({"error": told(error)}, status=400)
    nothing = Found([], 0, 0, 1, is_done=True)
    try:
        found = _found(request, log, sought) if log else nothing
    except Log.DoesNotExist as error:
        raise Http404("This output was deleted.") from error
    return JsonResponse(
        {
            "matches": [_match(match) for match in found.matches],
            "count": found.count,
            "searched_to": found.position,
            "searched_to_line": found.line,
            "done": found.is_done,
            "error": "",
        }
    )


@require_GET
@never_cache
def run_log_search(
    request: HttpRequest, app: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse:
    run = run_for(request, app, slot, name, number)
    return _answer(request, Log.objects.filter(run=run).first())


@require_GET
@never_cache
def copy_log_search(
    request: HttpRequest, app: str, name: str, key: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = webjob_for(request, app, slot, "continuous", name)
    copy = Copy.objects.filter(job=job, instance__key=key).first()
    if copy is None:
        raise Http404("No such instance.")
    return _answer(request, Log.objects.filter(copy=copy).first())


@require_GET
@never_cache
def scheduler_log_search(
    request: HttpRequest, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = webjob_for(request, app, slot, "triggered", name)
    return _answer(request, Log.objects.filter(schedule__job=job).first())
