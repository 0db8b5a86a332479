"""The output of runs, copies and schedulers: pieces for the live pages, and the whole as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webjobs import logs
from webjobs.access import run_for, webjob_for
from webjobs.logs.endings import group_end
from webjobs.logs.render import gzipped
from webjobs.logs.streams import some_after, some_before, some_lines
from webjobs.models import Copy, Log, Run, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.states import Stream
from webjobs.views.addresses import run_url, slot_url
from webjobs.views.lines import lines_json

# What a page shows at first, and what "show earlier" adds.
SHOWN_LINES = 1000
# Of one answer; a line longer than this arrives in parts.
MAX_BYTES = 256 * 1024
PAST_THE_END = 10**18 - 1
STREAMS = {"out": Stream.OUT, "err": Stream.ERR}
# What `?stream=` may ask for; anything else is all of them.
FILTERS = {
    "out": frozenset({Stream.OUT}),
    "err": frozenset({Stream.ERR}),
    "system": frozenset(stream for stream in Stream if stream.is_system),
}
# Every open page of a run asks for it several times a second.
_LOG = PreparedQuery(lambda: Log.objects.filter(run=Given("run")))


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
    begin: datetime | None  # what "from start" counts from
    asked: QueryDict

    @property
    def is_over(self) -> bool:
        return self.page.is_complete if self.page else self.is_final

    @property
    def stream(self) -> str:
        """The stream that is shown alone; empty: all."""
        stream = self.asked.get("stream", "")
        return stream if stream in FILTERS else ""

    @property
    def streams(self) -> list[tuple[str, str, str]]:
        """The choices: name, words, address."""
        words = {"": _("All"), "out": _("Output"), "err": _("Errors"), "system": _("System")}
        return [(name, text, self._link(stream=name)) for name, text in words.items()]

    @property
    def earlier(self) -> str:
        """Where the lines before are; empty: there are none."""
        if self.page is None or self.page.start <= self.page.first_kept:
            return ""
        return self._link(before=str(self.page.start))

    @property
    def later(self) -> str:
        # What is held back at the end of a running log comes with its rest.
        if self.page is None or self.page.size - self.page.end < 4:
            return ""
        return self._link(after=str(self.page.end))

    def _link(self, **changes: str) -> str:
        query = self.asked.copy()
        for name in ("before", "after", "line", *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value:
                query[name] = value
        return "?" + query.urlencode()


def log_view(
    request: HttpRequest,
    log: Log | None,
    address: Address,
    *,
    is_final: bool,
    begin: datetime | None = None,
) -> LogView:
    """The end of `log`, or what the page's address asks for."""
    page = page_of(request, log, PAST_THE_END) if log else None
    begin = begin or (log.created_at if log else None)
    return LogView(address, page, is_final, begin, request.GET)


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


def streams_of(request: HttpRequest) -> frozenset[int] | None:
    """The streams that are asked for; None: all."""
    return FILTERS.get(request.GET.get("stream", ""))


def _first_lines(page: logs.Page) -> logs.Page:
    """No more lines than a page shows."""
    if len(page.lines) <= SHOWN_LINES:
        return page
    end = page.lines[SHOWN_LINES].offset
    return replace(page, lines=page.lines[:SHOWN_LINES], end=end)


def page_of(request: HttpRequest, log: Log, otherwise: int | None = None) -> logs.Page:
    """`?before=` an offset, `?line=` from a line on, else `?after=` an offset.

    Without any of them what is before `otherwise`, or from the beginning on.
    """
    before, line, after = (_offset(request, name) for name in ("before", "line", "after"))
    wanted = streams_of(request)
    if before is None and line is None and after is None:
        before = otherwise
    if before is not None:
        if wanted:
            return some_before(log, before, wanted, SHOWN_LINES, MAX_BYTES)
        return logs.read_before(log, before, SHOWN_LINES, MAX_BYTES)
    if line is not None:
        if wanted:
            return some_lines(log, line, wanted, SHOWN_LINES, MAX_BYTES)
        return logs.read_lines(log, line, SHOWN_LINES, MAX_BYTES)
    if wanted:
        return some_after(log, after or 0, wanted, SHOWN_LINES, MAX_BYTES)
    return _first_lines(logs.read_after(log, after or 0, MAX_BYTES))


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
        _offset(request, "line") or 1,
        request.GET["group"][:200],
        position=_offset(request, "from"),
        depth=_offset(request, "depth") or 0,
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
