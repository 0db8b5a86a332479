"""The instances: whether they live, how busy they are, and what runs there; the beats too.

Everybody with a role in some app sees them, with the WebJobs and runs of the apps they see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_GET

from webjobs.access import instance_for, instances_for
from webjobs.models import App, Beat, Copy, Instance, Run
from webjobs.runner import interpreters
from webjobs.states import COPY_ALIVE, RUN_EXECUTING
from webjobs.times import LOST_AFTER
from webjobs.views.addresses import job_url, run_url
from webjobs.views.answers import wants_fragment
from webjobs.views.statuses import kind_of, status_word

# What stopped or fell silent longer ago only counts as history.
SHOWN_AFTER_END = timedelta(days=7)
# More than fit on a page that people read.
MOST_SHOWN = 200
# A beat notes its tick every few seconds.
BEAT_SILENT_AFTER = timedelta(seconds=30)
_ORDER = ("live", "draining", "lost", "stopped")


@dataclass(frozen=True)
class State:
    """`word` is one of live, draining, lost, stopped; `since` when that began, where known."""

    word: str
    kind: str
    words: str
    since: datetime | None
    why: str


@dataclass(frozen=True)
class Row:
    """An instance as the list shows it; the counts are of what the viewer may see."""

    instance: Instance
    state: State
    runs: int
    copies: int

    @property
    def is_there(self) -> bool:
        """Whether its load and what runs there are still true."""
        return self.state.word in {"live", "draining"}

    @property
    def memory_percent(self) -> int | None:
        used, total = self.instance.memory_used, self.instance.memory_total
        return round(100 * used / total) if used is not None and total else None


def state_of(instance: Instance, now: datetime) -> State:
    """What an instance is at `now`, in words."""
    silent = _("Nothing was heard of it for %(count)d seconds; others took its work over.")
    if instance.stopped_at is not None:
        return State("stopped", "none", _("Stopped"), instance.stopped_at, _("It was shut down."))
    if not instance.is_live(now):
        why = silent % {"count": LOST_AFTER.total_seconds()}
        return State("lost", "bad", _("Lost"), instance.heartbeat_at, why)
    if instance.is_draining:
        why = _("It ends: it takes nothing new and stops what runs there.")
        return State("draining", "warn", _("Draining"), None, why)
    return State("live", "ok", _("Live"), instance.started_at, "")


@require_GET
@conditional_page
def instances(request: HttpRequest) -> HttpResponse:
    """Every instance that was there lately, and the beats."""
    now = timezone.now()
    found = instances_for(request).filter(heartbeat_at__gt=now - SHOWN_AFTER_END)
    rows = _rows(request, found.order_by("-heartbeat_at")[:MOST_SHOWN], now)
    context = {
        "rows": rows,
        "counts": Counter(row.state.word for row in rows),
        "beats": [
            (beat, beat.ticked_at > now - BEAT_SILENT_AFTER)
            for beat in Beat.objects.order_by("-ticked_at")[:MOST_SHOWN]
        ],
    }
    template = "_list.html" if wants_fragment(request) else "list.html"
    return render(request, f"instances/{template}", context)


@require_GET
@conditional_page
def instance(request: HttpRequest, key: str) -> HttpResponse:
    """One instance: its facts, its interpreters, and what runs there now."""
    found = instance_for(request, key)
    now = timezone.now()
    row = _rows(request, [found], now)[0]
    runs = _runs(request, [found]) if row.is_there else Run.objects.none()
    context = {
        "row": row,
        "instance": found,
        "interpreters": list(_interpreters(found)),
        "runs": [_linked(run) for run in runs.order_by("started_at", "number")[:MOST_SHOWN]],
        "copies": [_copy_row(copy) for copy in _all_copies(request, found)],
        "most": MOST_SHOWN,
        "uptime": now - found.started_at,
    }
    template = "_one.html" if wants_fragment(request) else "one.html"
    return render(request, f"instances/{template}", context)


def _rows(request: HttpRequest, found: Iterable[Instance], now: datetime) -> list[Row]:
    instances = list(found)
    runs = _counted(_runs(request, instances))
    copies = _counted(_copies(request, instances).filter(status__in=COPY_ALIVE))
    rows = [
        Row(one, state_of(one, now), runs.get(one.pk, 0), copies.get(one.pk, 0))
        for one in instances
    ]
    return sorted(rows, key=lambda row: (_ORDER.index(row.state.word), row.instance.name))


def _counted(found: QuerySet[Any]) -> dict[int, int]:
    """How many there are, by instance."""
    return dict(found.order_by().values_list("instance").annotate(count=Count("pk")))


def _runs(request: HttpRequest, where: list[Instance]) -> QuerySet[Run]:
    """What executes on these instances, of the apps that the viewer sees."""
    return Run.objects.filter(
        status__in=RUN_EXECUTING,
        instance__in=where,
        job__slot__app__in=App.objects.visible_to(request.user),
    ).select_related("job__slot__app")


def _copies(request: HttpRequest, where: list[Instance]) -> QuerySet[Copy]:
    """The continuous WebJobs of these instances, of the apps that the viewer sees."""
    return Copy.objects.filter(
        instance__in=where,
        job__deleted_at=None,
        job__slot__app__in=App.objects.visible_to(request.user),
    ).select_related("job__slot__app")


def _all_copies(request: HttpRequest, where: Instance) -> QuerySet[Copy]:
    found = _copies(request, [where]).order_by("job__slot__app__name", "job__name", "pk")
    return found[:MOST_SHOWN]


def _linked(run: Run) -> tuple[Run, str, str, str]:
    return run, kind_of(run.status), status_word(run.status), run_url(run)


def _copy_row(copy: Copy) -> tuple[Copy, str, str, str]:
    url = f"{job_url(copy.job, 'webjob-details')}?instance={copy.instance.key}"
    return copy, kind_of(copy.status), status_word(copy.status), url


def _interpreters(instance: Instance) -> Iterable[tuple[str, str | None, str]]:
    """Extension, the program there (None when it is missing), and then how to get it."""
    table = interpreters.table(settings.WEBJOBS_INTERPRETERS)
    for extension, program in sorted(instance.interpreters.items()):
        known = table.get(extension)
        yield extension, program, known.how_to_get if known and not program else ""
