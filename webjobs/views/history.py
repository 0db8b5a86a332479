"""The history: all WebJobs, one WebJob, its scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_GET

from webjobs.access import slot_for, webjob_for
from webjobs.forms.runs import PeriodForm
from webjobs.logs.usage import usage_of
from webjobs.models import Copy, EngineSettings, Log, Run, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.models.run import run_number
from webjobs.models.setting import slot_engine_settings
from webjobs.states import RunStatus
from webjobs.views.addresses import slot_url
from webjobs.views.answers import asked, wants_fragment
from webjobs.views.charts import CHART_FIELDS, MOST_RUNS, chart_of, summary
from webjobs.views.debugging import debugged
from webjobs.views.rights import rights_in
from webjobs.views.rows import Rows, zone_of
from webjobs.views.schedules import preview_of
from webjobs.views.statuses import kind_of, status_word
from webjobs.views.viewer import copy_address, log_view, scheduler_address
from webjobs.views.waiting import waiting_words

RUNS_PER_PAGE = 25
FILTERS = [
    RunStatus.SUCCESS,
    RunStatus.FAILED,
    RunStatus.ABORTED,
    RunStatus.SKIPPED,
    RunStatus.MISSED,
]


@require_GET
@conditional_page
def history(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """All WebJobs with their status and their last run."""
    found = slot_for(request, app, slot)
    template = "_list.html" if wants_fragment(request) else "list.html"
    page = Rows(found).page(asked(request, "q"), asked(request, "after"))
    return render(request, f"history/{template}", {"slot": found, "page": page})


@require_GET
@conditional_page
def webjob_details(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """WebJob Details with its recent runs, or Continuous WebJob Details with its log."""
    job = webjob_for(request, app, slot, type, name)
    context: dict[str, Any] = {"job": job, "slot": job.slot}
    if not job.is_continuous and wants_fragment(request):
        context |= _runs(request, job, Filter.of(request, zone_of(job, _engine_of(job))))
        return render(request, "history/_runs.html", context)
    rows = Rows(job.slot)
    context |= {"row": rows.one(job), "rights": rights_in(request, job.slot.app)}
    if not wants_fragment(request):
        context["usage"] = usage_of(job)
    if job.is_continuous:
        return _continuous(request, job, context)
    wanted = Filter.of(request, zone_of(job, rows.engine))
    context |= _runs(request, job, wanted) | _overview(request, job, wanted)
    return render(request, "history/triggered.html", context)


def _engine_of(job: WebJob) -> EngineSettings:
    """What steers `job`; nothing of it is asked for by a schedule that names its zone."""
    schedule = getattr(job, "schedule", None)
    if schedule is not None and schedule.time_zone:
        return EngineSettings.DEFAULT
    return slot_engine_settings(job.slot)


def _number(text: str | None) -> int | None:
    # 18 digits; more would not fit the column.
    return int(text) if text and text.isdecimal() and len(text) <= 18 else None


@dataclass(frozen=True)
class Filter:
    """Which runs are asked for; `query` asks for the same again, without a page."""

    status: str
    period: PeriodForm

    @classmethod
    def of(cls, request: HttpRequest, zone: ZoneInfo) -> Filter:
        status = request.GET.get("status", "")
        return cls(status if status in FILTERS else "", PeriodForm(request.GET, zone=zone))

    @property
    def has_period(self) -> bool:
        return any(self.period[name].value() for name in ("from", "to"))

    def query(self, **more: str) -> str:
        asked = {name: self.period[name].value() or "" for name in ("from", "to")}
        wanted = {"status": self.status} | asked | more
        return urlencode({key: value for key, value in wanted.items() if value})

    def runs(self, job: WebJob) -> QuerySet[Run]:
        """A run's number is the time of its request, so that periods are parts of the index."""
        runs = Run.objects.filter(job=job).order_by("-number")
        if self.status:
            runs = runs.filter(status=self.status)
        if self.period.is_valid():
            start, end = (self.period.cleaned_data[name] for name in ("from", "to"))
            runs = runs.filter(number__gte=run_number(start)) if start else runs
            runs = runs.filter(number__lt=run_number(end)) if end else runs
        return runs


def _runs(request: HttpRequest, job: WebJob, wanted: Filter) -> dict[str, Any]:
    """One page of runs by number: those before `?before=`, else the newest."""
    before = _number(request.GET.get("before"))
    runs = wanted.runs(job)
    if before is not None:
        runs = runs.filter(number__lt=before)
    page = list(runs.select_related("instance")[: RUNS_PER_PAGE + 1])
    shown = page[:RUNS_PER_PAGE]
    for run in shown:
        run.job = job
    waits = waiting_words(shown, timezone.now())
    older = shown[-1].number if len(page) > RUNS_PER_PAGE else None
    return {
        "runs": [
            (run, kind_of(run.status), status_word(run.status), waits.get(run.pk, ""))
            for run in shown
        ],
        "older": wanted.query(before=str(older)) if older else "",
        "newest": wanted.query(),
        "before": before,
        "wanted": wanted,
        "runs_url": slot_url(job.slot, "webjob-details", type=job.type, name=job.name) + "runs/",
    }


def _overview(request: HttpRequest, job: WebJob, wanted: Filter) -> dict[str, Any]:
    """What stands above the runs: the schedule in words, the chart, the filters."""
    newest = list(wanted.runs(job).only(*CHART_FIELDS)[:MOST_RUNS])
    words = [("", _("All")), *((each.value, status_word(each)) for each in FILTERS)]
    links = [(wanted.query(status=value), word, value == wanted.status) for value, word in words]
    return {
        "chart": chart_of(newest),
        "summary": summary(newest) if newest else [],
        "preview": preview_of(job, wanted.period.zone),
        "filters": links,
        "without_period": urlencode({"status": wanted.status} if wanted.status else {}),
    }


def _continuous(request: HttpRequest, job: WebJob, context: dict[str, Any]) -> HttpResponse:
    now = timezone.now()
    copies = [
        (copy, kind_of(copy.status), status_word(copy.status), copy.instance.is_live(now))
        for copy in Copy.objects.filter(job=job).select_related("instance")
    ]
    context["copies"] = copies
    context["debugged"] = debugged(request, job, [copy for copy, *_ in copies])
    if wants_fragment(request):
        return render(request, "history/_copies.html", context)
    chosen = _chosen([copy for copy, *_ in copies], request.GET.get("instance"))
    context["chosen"] = chosen
    if chosen is not None:
        log = Log.objects.filter(copy=chosen).first()
        context["log"] = log_view(request, log, copy_address(chosen), is_final=False)
    return render(request, "history/continuous.html", context)


def _chosen(copies: list[Copy], key: str | None) -> Copy | None:
    """The copy whose log is shown: the one asked for, else the one that changed last."""
    asked = [copy for copy in copies if copy.instance.key == key]
    newest = sorted(copies, key=lambda copy: copy.changed_at, reverse=True)
    return next(iter(asked + newest), None)


@require_GET
def scheduler(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """What the scheduler has said about a WebJob."""
    job = webjob_for(request, app, slot, "triggered", name)
    schedule = getattr(job, "schedule", None)
    if schedule is None:
        raise Http404("This WebJob has no schedule.")
    log = Log.objects.filter(schedule=schedule).first()
    context = {
        "job": job,
        "slot": job.slot,
        "log": log_view(request, log, scheduler_address(job), is_final=False),
    }
    return render(request, "history/scheduler.html", context)
