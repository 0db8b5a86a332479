"""The Properties pane: what a WebJob is, its webhook, its schedule and its files."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webjobs import deploying, dispatch, ncrontab
from webjobs.access import actor_of, webjob_for
from webjobs.forms.fields import BaseForm, errors_of
from webjobs.forms.settings import PasswordForm
from webjobs.forms.webjobs import PackageForm, PolicyForm, ScheduleForm
from webjobs.models import Role, WebJob
from webjobs.models.app import PRODUCTION, new_password
from webjobs.telling import told
from webjobs.timezones import names as zone_names
from webjobs.views.add import OF_THE_PACKAGE, preview
from webjobs.views.addresses import job_url
from webjobs.views.answers import done, invalid, wants_fragment, wants_json
from webjobs.views.meanwhile import base_of, changed_words, seen_in
from webjobs.views.rights import rights_in
from webjobs.views.rows import Rows, zone_of
from webjobs.views.undo import offer_back, present_state

# What each form changes, by the names of settings.job.
_KEYS = {
    "schedule": ("schedule", "time_zone", "is_enabled"),
    "policy": tuple(PolicyForm.base_fields),
    "package": ("package",),
}


def _context(request: HttpRequest, job: WebJob) -> dict[str, Any]:
    rows = Rows(job.slot)
    schedule = getattr(job, "schedule", None)
    zone = zone_of(job, rows.engine)
    shown = None
    if schedule is not None:
        try:
            parsed = ncrontab.parse(schedule.expression)
            shown = preview(parsed, zone, get_language() or "en")
        except ncrontab.NcrontabError as error:
            shown = {"error": told(error)}
    return {
        "job": job,
        "slot": job.slot,
        "row": rows.one(job),
        "rights": rights_in(request, job.slot.app),
        "schedule": schedule,
        "preview": shown,
        "policy_form": PolicyForm.of(job),
        "bases": {name: base_of(job, keys) for name, keys in _KEYS.items()},
        "zone": zone,
        "zone_names": zone_names(),
        "webhook": request.build_absolute_uri(_webhook_path(job)),
        "logs_url": request.build_absolute_uri(job_url(job, "webjob-details")),
    }


def _webhook_path(job: WebJob) -> str:
    """Where Kudu's API starts the WebJob, below the address of its slot."""
    slot = "" if job.slot.is_production else f"/slots/{job.slot.name}"
    return f"/scm/{job.slot.app.name}{slot}/api/triggeredwebjobs/{job.name}/run"


def _page(request: HttpRequest, job: WebJob, **more: Any) -> HttpResponse:
    template = "properties.html"
    if wants_fragment(request):
        template = "_properties.html"
    status = 400 if any(isinstance(form, BaseForm) for form in more.values()) else 200
    return render(request, f"webjobs/{template}", _context(request, job) | more, status=status)


def _refused(
    request: HttpRequest, job: WebJob, name: str, form: BaseForm, error: dispatch.Refused
) -> HttpResponse:
    """Why the form `name` was not applied; what was typed stays, and it can be sent again."""
    if isinstance(error, dispatch.Changed):
        form.add_error(None, changed_words(job, error))
    elif name == "package" and error.code in OF_THE_PACKAGE:
        form.add_error("file", f"settings.job: {told(error)}")
    else:
        form.add_error(None, told(error))
    if not wants_json(request):
        return _page(request, job, **{f"{name}_form": form})
    answer = {"errors": errors_of(form), "base": base_of(job, _KEYS[name])}
    return JsonResponse(answer, status=error.status)


@require_GET
@never_cache
def properties(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Everything about one WebJob, with its commands for browsers without JavaScript."""
    return _page(request, webjob_for(request, app, slot, type, name))


@require_POST
@never_cache
def password(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Show (`action=reveal`) or change the webhook's password; both are recorded."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    if request.POST.get("action") == "reveal":
        dispatch.record(actor_of(request), "slot.password.reveal", job.slot, "")
        shown = job.slot.publishing_password
        if wants_json(request):
            return JsonResponse({"password": shown})
        return _page(request, job, password=shown)
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return invalid(form) if wants_json(request) else _page(request, job, password_form=form)
    chosen = form.cleaned_data["password"] or new_password()
    dispatch.set_publishing_password(job.slot, chosen, actor_of(request))
    message = _("Successfully changed the webhook password of '%(name)s'") % {"name": job.slot}
    return done(request, message, job_url(job, "webjob-properties"))


@require_POST
def schedule(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Change, switch or remove the schedule of a triggered WebJob."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    seen, form = seen_in(request, _KEYS["schedule"]), ScheduleForm(request.POST)
    if not form.is_valid():
        return invalid(form) if wants_json(request) else _page(request, job, schedule_form=form)
    url, was = job_url(job, "webjob-properties"), present_state(job)
    try:
        dispatch.set_schedule(
            job,
            form.cleaned_data["cron"] or None,
            form.cleaned_data["time_zone"],
            form.cleaned_data["is_enabled"],
            actor_of(request),
            seen,
        )
    except dispatch.Refused as error:
        return _refused(request, job, "schedule", form, error)
    message = _("Successfully updated the schedule of WebJob '%(name)s'") % {"name": job.name}
    return done(request, message, url, undo=offer_back(request, job, was, message, url))


@require_POST
def policy(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Change what becomes of runs of a triggered WebJob that overlap or fail."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    seen, form = seen_in(request, _KEYS["policy"]), PolicyForm(request.POST)
    if not form.is_valid():
        return invalid(form) if wants_json(request) else _page(request, job, policy_form=form)
    url, was = job_url(job, "webjob-properties"), present_state(job)
    try:
        dispatch.set_policy(job, dispatch.Policy(**form.policy), actor_of(request), seen)
    except dispatch.Refused as error:
        return _refused(request, job, "policy", form, error)
    message = _("Successfully updated the runs of WebJob '%(name)s'") % {"name": job.name}
    return done(request, message, url, undo=offer_back(request, job, was, message, url))


@require_POST
def package(
    request: HttpRequest, app: str, type: str, name: str, slot: str = PRODUCTION
) -> HttpResponse:
    """Give a WebJob new files; runs that are executing keep theirs."""
    job = webjob_for(request, app, slot, type, name, Role.CONTRIBUTOR)
    seen, form = seen_in(request, _KEYS["package"]), PackageForm(request.POST, request.FILES)
    if not form.is_valid():
        return invalid(form) if wants_json(request) else _page(request, job, package_form=form)
    url, was = job_url(job, "webjob-properties"), present_state(job)
    try:
        deploying.require_unconnected(job.slot)
        dispatch.replace_package(job, form.cleaned_data["file"], actor_of(request), seen)
    except dispatch.Refused as error:
        return _refused(request, job, "package", form, error)
    message = _("Successfully updated WebJob '%(name)s'") % {"name": job.name}
    return done(request, message, url, undo=offer_back(request, job, was, message, url))
