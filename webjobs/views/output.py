"""The output of runs, copies and schedulers: pieces for the live pages, and the whole as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webjobs import logs
from webjobs.access import run_for, webjob_for
from webjobs.logs.endings import group_end
from webjobs.logs.render import gzipped
from webjobs.models import Copy, Log
from webjobs.models.app import PRODUCTION
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.states import Stream
from webjobs.views.lines import lines_json
from webjobs.views.viewer import offset_of, page_of

STREAMS = {"out": Stream.OUT, "err": Stream.ERR}
# Every open page of a run asks for it several times a second.
_LOG = PreparedQuery(lambda: Log.objects.filter(run=Given("run")))


def _pieces(request: HttpRequest, log: Log | None, status: str, *, is_final: bool) -> HttpResponse:
    """JSON: `lines` as `lines_json` makes them; `start` and `end` are where to go on.

    Or, with `?group=` and `?line=`, where that group ends.
    """
    if log is not None and "group" in request.GET:
        return _group_end(request, log)
    answer: dict[str, Any] = {"status": status, "final": is_final, "now": timezone.now()}
    if log is None:
        nothing = {"lines": [], "start": 0, "end": 0, "size": 0, "first_kept": 0, "count": 0}
        return JsonResponse(answer | nothing | {"complete": is_final})
    page = page_of(request, log)
    found = {
        "lines": lines_json(page),
        "start": page.start,
        "end": page.end,
        "size": page.size,
        "first_kept": page.first_kept,
        "count": page.line_count,
        "complete": page.is_complete,
    }
    return JsonResponse(answer | found)


def _group_end(request: HttpRequest, log: Log) -> HttpResponse:
    """JSON: the last `line` of a group; while not `done`, where to go on `from`."""
    found = group_end(
        log,
        offset_of(request, "line") or 1,
        request.GET["group"][:200],
        position=offset_of(request, "from"),
        depth=offset_of(request, "depth") or 0,
    )
    return JsonResponse(
        {"line": found.line, "from": found.position, "depth": found.depth, "done": found.is_done}
    )


def _text(request: HttpRequest, log: Log | None, name: str) -> HttpResponse | StreamingHttpResponse:
    """Azure's text by default, else the bytes themselves: `?raw=1` all, `?raw=out` and `?raw=err`
    what the job wrote to one stream. As plain text, in the page; `?gz=1` as a compressed file."""
    parts: Iterator[bytes] = iter(())
    if log is not None:
        wanted = request.GET.get("raw")
        parts = logs.raw(log, STREAMS.get(wanted)) if wanted else logs.azure_text(log)
    if request.GET.get("gz"):
        response = StreamingHttpResponse(gzipped(parts), content_type="application/gzip")
        response["Content-Disposition"] = f'attachment; filename="{name}.gz"'
        return response
    response = StreamingHttpResponse(parts, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _copy(request: HttpRequest, app: str, slot: str, name: str, key: str) -> Copy:
    job = webjob_for(request, app, slot, "continuous", name)
    copy = Copy.objects.filter(job=job, instance__key=key).first()
    if copy is None:
        raise Http404("No such instance.")
    return copy


def _scheduler(request: HttpRequest, app: str, slot: str, name: str) -> Log | None:
    job = webjob_for(request, app, slot, "triggered", name)
    return Log.objects.filter(schedule__job=job).first()


@require_GET
@never_cache
def run_log(
    request: HttpRequest, app: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse:
    """A piece of a run's output."""
    run = run_for(request, app, slot, name, number)
    log = _LOG.first(run=run.pk)
    return _pieces(request, log, run.status, is_final=run.is_final)


@require_GET
@never_cache
def run_text(
    request: HttpRequest, app: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse | StreamingHttpResponse:
    """All output of a run."""
    run = run_for(request, app, slot, name, number)
    log = Log.objects.filter(run=run).first()
    return _text(request, log, f"{run.job.name}-{run.number}.txt")


@require_GET
@never_cache
def copy_log(
    request: HttpRequest, app: str, name: str, key: str, slot: str = PRODUCTION
) -> HttpResponse:
    """A piece of what a continuous WebJob has printed on one instance."""
    copy = _copy(request, app, slot, name, key)
    log = Log.objects.filter(copy=copy).first()
    return _pieces(request, log, copy.status, is_final=False)


@require_GET
@never_cache
def copy_text(
    request: HttpRequest, app: str, name: str, key: str, slot: str = PRODUCTION
) -> HttpResponse | StreamingHttpResponse:
    """All that is kept of it."""
    copy = _copy(request, app, slot, name, key)
    return _text(request, Log.objects.filter(copy=copy).first(), f"{copy.job.name}-{key[:6]}.txt")


@require_GET
@never_cache
def scheduler_log(
    request: HttpRequest, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """A piece of what the scheduler has said about a WebJob."""
    log = _scheduler(request, app, slot, name)
    return _pieces(request, log, "", is_final=False)


@require_GET
@never_cache
def scheduler_text(
    request: HttpRequest, app: str, name: str, slot: str = PRODUCTION
) -> HttpResponse | StreamingHttpResponse:
    """All of it."""
    return _text(request, _scheduler(request, app, slot, name), "job_scheduler.log")
