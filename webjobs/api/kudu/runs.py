"""Runs: start, wait, stop, history."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.api.answers import answer, empty, etag_of, not_modified
from webjobs.api.documents import PARTS, Documents
from webjobs.api.finding import job_for, run_of
from webjobs.api.history import wanted
from webjobs.api.kudu.surface import KUDU
from webjobs.api.links import Links
from webjobs.api.starting import start_run
from webjobs.api.waiting import seconds_of, wait_for
from webjobs.models import Role, Run
from webjobs.models.app import PRODUCTION


def _run(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """202 with the run's address at once; with `?wait=` 200 and the run, once it has ended."""
    job = job_for(request, app, slot, "triggered", name, Role.OPERATOR)
    seconds = seconds_of(request)
    run = start_run(request, job)
    location = Links(request, job.slot).run(job, run.number)
    if not seconds:
        response = empty(202)
        response["Location"] = location
        return response
    ended = wait_for(run, seconds)
    run = run_of(job, str(run.number))
    body = Documents(request, job.slot).run(job, run)
    return answer(body, 200 if ended else 202, Location=location)


def _history(request: HttpRequest, app: str, name: str, slot: str = PRODUCTION) -> HttpResponse:
    """Newest first. Where more follow than are asked for, `Link` says where to go on."""
    job = job_for(request, app, slot, "triggered", name)
    asked = wanted(request.GET)
    runs = list(asked.of(job))
    address = Links(request, job.slot).job(job) + "/history"
    about = address, job.pk, job.revision, request.GET.urlencode()
    etag = etag_of(about, [_state(run) for run in runs])
    if unchanged := not_modified(request, etag):
        return unchanged
    documents = Documents(request, job.slot)
    shown = runs[: asked.limit]
    response = answer({"runs": [documents.run(job, run) for run in shown]}, ETag=etag)
    if len(runs) > len(shown):
        query = urlencode(request.GET.dict() | {"before": str(shown[-1].number)})
        response["Link"] = f'<{address}?{query}>; rel="next"'
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
    return answer(Documents(request, job.slot).run(job, run_of(job, id)))


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
