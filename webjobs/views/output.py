"""The output of runs, copies and schedulers: pieces for the live pages, and the whole as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webjobs import logs
from webjobs.access import run_for, webjob_for
from webjobs.logs.render import gzipped
from webjobs.models import Copy, Log, Run, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.states import Stream
from webjobs.views.addresses import run_url, slot_url

# What a page shows at first, and what "show earlier" adds.
SHOWN_LINES = 2000
# Of one answer; a line longer than this arrives in parts.
MAX_BYTES = 256 * 1024
STREAMS = {"out": Stream.OUT, "err": Stream.ERR}


@dataclass(frozen=True)
class Address:
    """Where the pieces and the whole of a log are served."""

    pieces: str
    text: str


@dataclass(frozen=True)
class LogView:
    """What a page shows of a log at first. `page` is None while nothing has been written."""

    address: Address
    page: logs.Page | None
    is_final: bool  # whoever writes it has ended
    shown_lines: int = SHOWN_LINES

    @property
    def is_over(self) -> bool:
        return self.page.is_complete if self.page else self.is_final

    @property
    def has_earlier(self) -> bool:
        return self.page is not None and self.page.start > self.page.first_kept


def log_view(log: Log | None, address: Address, *, is_final: bool) -> LogView:
    page = logs.tail(log, SHOWN_LINES, MAX_BYTES) if log else None
    return LogView(address, page, is_final)


def run_address(run: Run) -> Address:
    return Address(run_url(run, "run-log"), run_url(run, "run-text"))


def copy_address(copy: Copy) -> Address:
    parts = {"name": copy.job.name, "key": copy.instance.key}
    slot = copy.job.slot
    return Address(slot_url(slot, "copy-log", **parts), slot_url(slot, "copy-text", **parts))


def scheduler_address(job: WebJob) -> Address:
    return Address(
        slot_url(job.slot, "scheduler-log", name=job.name),
        slot_url(job.slot, "scheduler-text", name=job.name),
    )


def _offset(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _page(request: HttpRequest, log: Log) -> logs.Page:
    """`?before=` an offset, `?line=` from a line on, else `?after=` an offset."""
    before, line = _offset(request, "before"), _offset(request, "line")
    if before is not None:
        return logs.read_before(log, before, SHOWN_LINES, MAX_BYTES)
    if line is not None:
        return logs.read_lines(log, line, SHOWN_LINES, MAX_BYTES)
    return logs.read_after(log, _offset(request, "after") or 0, MAX_BYTES)


def _pieces(request: HttpRequest, log: Log | None, status: str, *, is_final: bool) -> HttpResponse:
    """JSON: `lines` are [number, stream, milliseconds, text, offset]; `end` is where to go on."""
    answer: dict[str, Any] = {"status": status, "final": is_final, "now": timezone.now()}
    if log is None:
        nothing = {"lines": [], "end": 0, "size": 0, "first_kept": 0, "count": 0}
        return JsonResponse(answer | nothing | {"complete": is_final})
    page = _page(request, log)
    lines = [
        [line.number, int(line.stream), int(line.at.timestamp() * 1000), line.text, line.offset]
        for line in page.lines
    ]
    found = {
        "lines": lines,
        "end": page.end,
        "size": page.size,
        "first_kept": page.first_kept,
        "count": page.line_count,
        "complete": page.is_complete,
    }
    return JsonResponse(answer | found)


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
    log = Log.objects.filter(run=run).first()
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
