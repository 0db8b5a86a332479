"""Runs: start, wait, stop, history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.api.answers import answer, empty, etag_of, not_modified
from webjobs.api.arm.properties import run_properties
from webjobs.api.arm_mode import is_arm, resource, resources, variant_of
from webjobs.api.documents import PARTS, Documents
from webjobs.api.finding import job_for, run_of
from webjobs.api.history import wanted
from webjobs.api.kudu.surface import KUDU
from webjobs.api.links import Links
from webjobs.api.starting import start_run
from webjobs.api.waiting import seconds_of, wait_for
from webjobs.models import Role, Run, WebJob
from webjobs.models.app import PRODUCTION

_HISTORY = "triggeredwebjobs/history"


def _run(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """202 with the run's address at once; with `?wait=` 200 and the run, once it has ended.

    The front end of ARM takes no answer but 200.
    """
    job = job_for(request, app, slot, "triggered", name, Role.OPERATOR)
    seconds = seconds_of(request)
    run = start_run(request, job)
    location = Links(request, job.slot).run(job, run.number)
    started = 200 if is_arm(request) else 202
    if not seconds:
        response = empty(started)
        response["Location"] = location
        return response
    ended = wait_for(request, run, seconds)
    run = run_of(job, str(run.number))
    return answer(_told(request, job, run), 200 if ended else started, Location=location)


def _told(request: HttpRequest, job: WebJob, run: Run) -> dict[str, Any]:
    """The document of a run, or a resource around it."""
    documents = Documents(request, job.slot)
    if not is_arm(request):
        return documents.run(job, run)
    names, properties = _history_item(documents, job, run)
    return resource(request, job.slot, _HISTORY, names, properties)


def _history_item(documents: Documents, job: WebJob, run: Run) -> tuple[list[str], dict[str, Any]]:
    return [job.name, str(run.number)], {"runs": [run_properties(documents, job, run)]}


def _history(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """Newest first. Where more follow than are asked for, `Link` says where to go on."""
    job = job_for(request, app, slot, "triggered", name)
    asked = wanted(request.GET)
    runs = list(asked.of(job))
    address = Links(request, job.slot).job(job) + "/history"
    about = address, variant_of(request), job.pk, job.revision, request.GET.urlencode()
    etag = etag_of(about, [_state(run) for run in runs])
    if unchanged := not_modified(request, etag):
        return unchanged
    documents = Documents(request, job.slot)
    shown = runs[: asked.limit]
    more = None
    if len(runs) > len(shown):
        query = urlencode(request.GET.dict() | {"before": str(shown[-1].number)})
        more = f"{address}?{query}"
    if is_arm(request):
        items = [_history_item(documents, job, run) for run in shown]
        return answer(resources(request, job.slot, _HISTORY, items, more), ETag=etag)
    response = answer({"runs": [documents.run(job, run) for run in shown]}, ETag=etag)
    if more:
        response["Link"] = f'<{more}>; rel="next"'
    return response


def _state(run: Run) -> tuple[object, ...]:
    """Whatever its document tells changes one of these; until it has ended, all the time."""
    moment = run.ended_at or timezone.now()
    parts = [getattr(run, name) for name in PARTS]
    return run.number, run.status, moment, *parts


def _get(
    request: HttpRequest, app: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, "triggered", name)
    return answer(_told(request, job, run_of(job, id)))


def _stop(
    request: HttpRequest, app: str, name: str, id: str, slot: str = PRODUCTION
) -> HttpResponse:
    job = job_for(request, app, slot, "triggered", name, Role.OPERATOR)
    dispatch.stop_run(run_of(job, id), actor_of(request))
    return empty()


run = KUDU.endpoint(POST=_run)
history = KUDU.endpoint(GET=_history)
history_run = KUDU.endpoint(GET=_get)
history_stop = KUDU.endpoint(POST=_stop)
