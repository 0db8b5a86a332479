"""The Add WebJob panel, and what a schedule means while it is typed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from webjobs import deploying, dispatch, ncrontab, timezones
from webjobs.access import actor_of, slot_for
from webjobs.forms.webjobs import AddWebJobForm
from webjobs.models import Role, Slot
from webjobs.models.app import PRODUCTION
from webjobs.models.setting import slot_engine_settings
from webjobs.states import JobType
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, invalid, posted, refused, wants_fragment, wants_json

SHOWN_OCCURRENCES = 5
# Refusals of what settings.job says.
OF_THE_PACKAGE = {"schedule", "time_zone"}


@require_http_methods(["GET", "POST"])
def webjob_add(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """The panel (GET) and its OK (POST)."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    if request.method != "POST" and deploying.is_connected(found):
        return refused(
            request, dispatch.Refused("source-control", deploying.MANAGED), _(deploying.MANAGED),
            slot_url(found, "webjobs"),
        )  # fmt: skip
    form = AddWebJobForm(posted(request), request.FILES or None, slot=found)
    if request.method == "POST" and form.is_valid():
        try:
            return _add(request, found, form)
        except dispatch.Refused as error:
            if error.code in OF_THE_PACKAGE:
                # What was typed has been checked; only the package can still say it.
                form.add_error("file", f"settings.job: {told(error)}")
            else:
                form.add_error("name" if error.code == "exists" else None, told(error))
    if request.method == "POST" and wants_json(request):
        return invalid(form)
    template = "webjobs/_add.html" if wants_fragment(request) else "webjobs/add.html"
    context = {"form": form, "slot": found, "engine": slot_engine_settings(found)}
    return render(request, template, context, status=400 if form.errors else 200)


def _add(request: HttpRequest, slot: Slot, form: AddWebJobForm) -> HttpResponse:
    deploying.require_unconnected(slot)
    values = form.cleaned_data
    new = dispatch.NewWebJob(
        name=values["name"],
        type=JobType(values["type"]),
        upload=values["file"],
        schedule=form.schedule,
        is_singleton=form.is_singleton,
    )
    job = dispatch.add_webjob(slot, new, actor_of(request))
    message = _("Successfully added WebJob '%(name)s'") % {"name": job.name}
    return done(request, message, slot_url(slot, "webjobs"), key=f"{job.type}/{job.name}")


@require_GET
def schedule_preview(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """JSON of what `?cron=` means in `?zone=`: words, warnings and the next five times."""
    found = slot_for(request, app, slot)
    language = get_language() or "en"
    name = request.GET.get("zone", "")
    try:
        zone = timezones.resolve(name) if name else slot_engine_settings(found).zone
        schedule = ncrontab.parse(request.GET.get("cron", ""))
    except timezones.UnknownTimeZone as error:
        return JsonResponse({"error": told(error), "field": "time_zone"})
    except ncrontab.NcrontabError as error:
        return JsonResponse({"error": told(error), "field": "cron"})
    return JsonResponse(preview(schedule, zone, language))


def _time_words(moment: datetime) -> str:
    """`Mon 2026-11-30 03:00:00 CET`: of a schedule by days of the week one wants to see the day."""
    return f"{WEEKDAYS_ABBR[moment.weekday()]} {moment:%Y-%m-%d %H:%M:%S %Z}"


def preview(schedule: ncrontab.Ncrontab, zone: Any, language: str) -> dict[str, Any]:
    """What a page shows of a schedule: `next` has the times in `zone`, as text and as UTC."""
    upcoming = schedule.upcoming(timezone.now(), zone, SHOWN_OCCURRENCES)
    return {
        "words": schedule.describe(language),
        "warnings": [warning.message for warning in schedule.warnings(language)],
        "zone": zone.key,
        "next": [
            {"utc": moment.isoformat(), "text": _time_words(moment.astimezone(zone))}
            for moment in upcoming
        ],
    }
