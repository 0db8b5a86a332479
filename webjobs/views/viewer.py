"""What pages show of a log at first, and which part of it an address asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from webjobs import logs
from webjobs.logs.streams import some_after, some_before, some_lines
from webjobs.models import Copy, Log, Run, WebJob
from webjobs.states import Stream
from webjobs.views.addresses import run_url, slot_url

# What a page shows at first, and what "show earlier" adds: more costs the browser a visible pause.
SHOWN_LINES = 400
# What one answer brings to who follows a log, and what "show later" adds.
FOLLOWED_LINES = 1000
# Of one answer; a line longer than this arrives in parts.
MAX_BYTES = 256 * 1024
PAST_THE_END = 10**18 - 1
# What `?stream=` may ask for; anything else is all of them.
FILTERS = {
    "out": frozenset({Stream.OUT}),
    "err": frozenset({Stream.ERR}),
    "system": frozenset(stream for stream in Stream if stream.is_system),
}


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


def offset_of(request: HttpRequest, name: str) -> int | None:
    """The number in the address under `name`; None: there is none that can be one."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def streams_of(request: HttpRequest) -> frozenset[int] | None:
    """The streams that are asked for; None: all."""
    return FILTERS.get(request.GET.get("stream", ""))


def _first_lines(page: logs.Page) -> logs.Page:
    """No more lines than one answer brings."""
    if len(page.lines) <= FOLLOWED_LINES:
        return page
    end = page.lines[FOLLOWED_LINES].offset
    return replace(page, lines=page.lines[:FOLLOWED_LINES], end=end)


def page_of(request: HttpRequest, log: Log, otherwise: int | None = None) -> logs.Page:
    """`?before=` an offset, `?line=` from a line on, else `?after=` an offset.

    Without any of them what is before `otherwise`, or from the beginning on.
    """
    before, line, after = (offset_of(request, name) for name in ("before", "line", "after"))
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
        return some_after(log, after or 0, wanted, FOLLOWED_LINES, MAX_BYTES)
    return _first_lines(logs.read_after(log, after or 0, MAX_BYTES))
