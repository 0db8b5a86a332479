"""WebJob Run Details."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of, run_for
from webjobs.models import Log, PackageVersion, Role, Run
from webjobs.models.app import PRODUCTION
from webjobs.states import RunStatus, Trigger
from webjobs.telling import told
from webjobs.views.addresses import run_url
from webjobs.views.answers import done, refused, wants_fragment
from webjobs.views.rights import rights_in
from webjobs.views.statuses import kind_of, status_word
from webjobs.views.usual import usual_of
from webjobs.views.viewer import log_view, run_address
from webjobs.views.waiting import waiting_words


def _trigger_words(run: Run) -> str:
    words = {
        Trigger.MANUAL: _("Manually in the portal"),
        Trigger.API: _("Through the API"),
        Trigger.WEBHOOK: _("Through the webhook"),
        Trigger.SCHEDULE: _("By schedule"),
    }
    return words.get(Trigger(run.trigger), run.trigger)


def _neighbours(run: Run) -> dict[str, Run | None]:
    siblings = Run.objects.filter(job=run.job).only("number", "job")
    return {
        "previous": siblings.filter(number__lt=run.number).order_by("-number").first(),
        "following": siblings.filter(number__gt=run.number).order_by("number").first(),
    }


def _version_of(run: Run) -> PackageVersion | None:
    """The version of the WebJob that the run's package was then."""
    versions = PackageVersion.objects.filter(job=run.job, package=run.package_id)
    return versions.filter(created_at__lte=run.started_at or run.queued_at).first()


def summary(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What the head of the page shows."""
    return {
        "run": run,
        "job": run.job,
        "slot": run.job.slot,
        "kind": kind_of(run.status),
        "status_words": status_word(run.status),
        "waits": waiting_words([run], timezone.now()).get(run.pk, ""),
        "trigger_words": _trigger_words(run),
        "duration": run.duration(),
        "usual": usual_of(run),
        "version": _version_of(run),
        "rights": rights_in(request, run.job.slot.app),
        "executed": run.status not in (RunStatus.SKIPPED, RunStatus.MISSED),
    }


@require_GET
def run_details(
    request: HttpRequest, app: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse:
    """Status in words, facts, and the output, which follows while the run goes on."""
    run = run_for(request, app, slot, name, number)
    context = summary(request, run)
    if wants_fragment(request):
        return render(request, "history/_run.html", context)
    log = Log.objects.filter(run=run).first()
    context |= _neighbours(run)
    context["log"] = log_view(
        request, log, run_address(run), is_final=run.is_final, begin=run.started_at
    )
    return render(request, "history/run.html", context)


@require_http_methods(["GET", "POST"])
def run_stop(
    request: HttpRequest, app: str, name: str, number: int, slot: str = PRODUCTION
) -> HttpResponse:
    """Ask on GET whether a run is to end, and for its end on POST."""
    run = run_for(request, app, slot, name, number, Role.OPERATOR)
    url = run_url(run)
    if request.method != "POST":
        command = {"title": _("Stop run"), "question": _("Are you sure you want to stop this run?")}
        context = {"job": run.job, "slot": run.job.slot, "command": command, "back": url}
        return render(request, "webjobs/confirm.html", context)
    try:
        dispatch.stop_run(run, actor_of(request))
    except dispatch.Refused as error:
        return refused(request, error, told(error), url)
    message = _("Stopping run %(number)s of WebJob '%(name)s'") % {
        "number": run.number,
        "name": run.job.name,
    }
    return done(request, message, url)
